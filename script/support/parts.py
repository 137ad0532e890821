"""Loads core and the annex of the add-on as parts of the package `emsp_parts`, without Odoo.

They name each other by relative imports, so that they need a parent; the add-on's own `__init__`
would import its models, and with them Odoo.
"""

import sys
from types import ModuleType

from .server import ROOT


def load_parts() -> None:
    if "emsp_parts" not in sys.modules:
        parent = ModuleType("emsp_parts")
        parent.__path__ = [str(ROOT / "emsp_clearing")]
        sys.modules["emsp_parts"] = parent
