"""How Sphinx makes pages of the documentation (`make docs`).

Its source is the whole repository, so that a relative link leads to the same file here as it does on GitHub: to a page,
or to a file that is copied beside the pages. All keys: https://www.sphinx-doc.org/en/master/usage/configuration.html
"""

import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "workflow_scripts"))

from vocoder_pareto import __version__  # noqa: E402 - the library of this checkout, installed or not

project = "vocoder-pareto"
copyright = "the vocoder-pareto authors"
release = version = __version__

root_doc = "docs/index"
include_patterns = ["docs/**", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md", "resources/measured/README.md"]
# Folders in which no page is looked for, such as environments and results of any size.
exclude_patterns = [".*", "results*", "site", "data", "tests", "workflow_scripts", "docs/home"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # by the names that GitHub gives them
nb_execution_mode = "off"  # a test runs the notebook

# Docstrings tell names and code between single backticks, and pages need no PyTorch.
default_role = "code"
autodoc_mock_imports = ["torch", "torchaudio", "psutil", "pynvml", "pyJoules", "thop"]
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"vocoder-pareto {version}"
html_extra_path = ["home"]  # index.html, which leads on to docs/index.html
html_copy_source = False
