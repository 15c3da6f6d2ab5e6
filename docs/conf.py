"""How the documentation is built (decision 142): Sphinx reads the Markdown of the whole tree, furo lays it out.

`make docs` calls it with the top folder as the source, so that a page links a room's README or a settings file by the same
path as in the repository. Warnings are errors: a dead link, a heading that is not there, a page that no list names.
"""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Tatpar"
version = release = version_of("tatpar")
language = "en"
root_doc = "docs/index"
extensions = ["myst_parser", "_site.devanagari", "_site.fonts", "_site.pages"]
include_patterns = [
    "docs/**.md",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "THIRD_PARTY_NOTICES.md",
    "*/**README.md",
]
exclude_patterns = [
    ".*",
    "**/.*",
    "build",
    "data",
    "dist",
    "**/__pycache__",
    "**/node_modules",
]
nitpicky = True

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 4
myst_links_external_new_tab = True

html_theme = "furo"
html_title = "Tatpar"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
smartquotes = False  # a quote that is to be typed stays one
html_static_path = ["_site/static"]
templates_path = ["_site/templates"]
html_css_files = ["tatpar.css"]
html_additional_pages = {"index": "front.html"}
html_theme_options = {"navigation_with_keys": True, "footer_icons": []}
