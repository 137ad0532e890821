"""Loads emsp_clearing/core as the package `emsp_core`.

Importing it as `emsp_clearing.core` would run the add-on's `__init__`, and with it Odoo.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location

from .server import ROOT

CORE = ROOT / "emsp_clearing" / "core"


def load_core() -> None:
    """:raise ImportError: when there is no package."""
    if "emsp_core" in sys.modules:
        return
    spec = spec_from_file_location("emsp_core", CORE / "__init__.py", submodule_search_locations=[str(CORE)])
    if spec is None or spec.loader is None:
        raise ImportError(f"expected a package in {CORE}")
    module = module_from_spec(spec)
    # Before it runs: its own relative imports look the package up here.
    sys.modules["emsp_core"] = module
    spec.loader.exec_module(module)
