"""What Sphinx is told. It reads the pages that `staging` has laid out; `build.py` runs it.

Sphinx, and not MkDocs, because docstrings are numpydoc's and refer to each other, which it checks; because a link to a
page or an anchor that is not there is an error; and because its search works in a folder of files, without a server.
Furo loads nothing from elsewhere.
"""

from importlib.metadata import version as version_of

project = "biosnn"
author = "The biosnn developers"
project_copyright = "2026, the biosnn developers"
release = version = version_of("biosnn")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docstrings"]
root_doc = "index"
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}

myst_heading_anchors = 4
highlight_language = "none"  # a block whose language is not named
default_role = "py:obj"  # what stands in single backquotes in a docstring
add_module_names = False
toc_object_entries_show_parents = "hide"

autodoc_typehints = "none"  # docstrings say the types
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 90
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
suppress_warnings = ["misc.highlighting_failure"]  # a template of C++ is not C++

html_theme = "furo"
html_title = "biosnn"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#1f5f8b",
        "color-brand-content": "#1f5f8b",
        "color-api-name": "#1f5f8b",
    },
    "dark_css_variables": {
        "color-brand-primary": "#84bfe8",
        "color-brand-content": "#84bfe8",
        "color-api-name": "#84bfe8",
    },
}
