"""Core is tested as the package `emsp_core`, without Odoo."""

from random import Random

import pytest
from support.core import load_core

load_core()


@pytest.fixture
def random() -> Random:
    """The same sequence in every test and every run."""
    return Random(20260110)
