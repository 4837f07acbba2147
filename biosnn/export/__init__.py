"""Spikes and results for other programs: Neo, NWB, pandas, tables (extra ``export``)."""

from biosnn.export.export import FORMATS, Exported, export_result
from biosnn.export.users import to_neo, to_nwb, to_pandas

__all__ = ["FORMATS", "Exported", "export_result", "to_neo", "to_nwb", "to_pandas"]
