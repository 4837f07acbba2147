"""Studies: one question, asked with settings, answered with values, figures and a verdict.

The author of a ``study.py`` needs `Result`, `Claim`, `setting` and `nested`; whoever reads a result, `load_result`. A
study is run by `biosnn.run_study`.
"""

from biosnn.study.claims import Claim
from biosnn.study.functions import find_study
from biosnn.study.load import Study, load_study, study_summary
from biosnn.study.nested_settings import About, nested
from biosnn.study.parts import Part, run_parts
from biosnn.study.result import Result, Table
from biosnn.study.saved import SavedResult, load_result
from biosnn.study.settings import make_settings, setting, setting_texts

__all__ = [
    "About",
    "Claim",
    "Part",
    "Result",
    "SavedResult",
    "Study",
    "Table",
    "find_study",
    "load_result",
    "load_study",
    "make_settings",
    "nested",
    "run_parts",
    "setting",
    "setting_texts",
    "study_summary",
]
