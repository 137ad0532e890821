"""Loads emsp_clearing/core as the package `emsp_core`.

Importing it as `emsp_clearing.core` would run the add-on's `__init__`, and with it Odoo.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random

import pytest

CORE = Path(__file__).resolve().parents[2] / "emsp_clearing" / "core"


def _load_core() -> None:
    spec = spec_from_file_location("emsp_core", CORE / "__init__.py", submodule_search_locations=[str(CORE)])
    if spec is None or spec.loader is None:
        raise ImportError(f"expected a package in {CORE}")
    module = module_from_spec(spec)
    # Before it runs: its own relative imports look the package up here.
    sys.modules["emsp_core"] = module
    spec.loader.exec_module(module)


if "emsp_core" not in sys.modules:
    _load_core()


@pytest.fixture
def random() -> Random:
    """The same sequence in every test and every run."""
    return Random(20260110)
