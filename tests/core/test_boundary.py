"""What core may use: the standard library, a few libraries and itself; no clock, no I/O, no float."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[2] / "emsp_clearing" / "core"
FILES = sorted(CORE.rglob("*.py"))
LIBRARIES = {"cryptography", "msgspec", "mt940", "openpyxl", "schwifty", "unidecode"}
# Of the standard library: what reaches outside the process.
OUTSIDE = {"asyncio", "http", "os", "shutil", "socket", "sqlite3", "subprocess", "tempfile", "urllib"}
CLOCKS = {"now", "utcnow", "today", "localtime", "gmtime", "time_ns", "monotonic", "perf_counter"}
EFFECTS = {"open", "print", "input", "exec", "eval", "__import__"}
# The door to Odoo's floats.
DOOR = CORE / "money.py"

every_file = pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(CORE)) for path in FILES])


def _nodes(source: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse(source)))


def _foreign_imports(source: str, depth: int) -> Iterator[str]:
    """`depth`: packages from core down to the file, so that many dots still stay inside core."""
    allowed = (set(sys.stdlib_module_names) - OUTSIDE) | LIBRARIES
    for node in _nodes(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] not in allowed)
        elif isinstance(node, ast.ImportFrom) and node.level > depth:
            yield "." * node.level + (node.module or "")
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            if module.split(".")[0] not in allowed:
                yield module


def _clock_calls(source: str) -> Iterator[str]:
    for node in _nodes(source):
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            yield ast.unparse(node)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "time.time":
            yield "time.time"


def _effects(source: str) -> Iterator[str]:
    for node in _nodes(source):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in EFFECTS:
            yield node.func.id


def _floats(source: str) -> Iterator[str]:
    for node in _nodes(source):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield repr(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            yield ast.unparse(node)


def test_core_is_found() -> None:
    assert DOOR in FILES
    assert CORE / "ocpi" / "normalise.py" in FILES


@every_file
def test_core_imports_nothing_above_itself_and_no_odoo(path: Path) -> None:
    depth = len(path.relative_to(CORE).parts)
    assert list(_foreign_imports(path.read_text(), depth)) == []


@every_file
def test_core_reads_no_clock(path: Path) -> None:
    assert list(_clock_calls(path.read_text())) == []


@every_file
def test_core_has_no_effect_on_the_outside(path: Path) -> None:
    assert list(_effects(path.read_text())) == []


@every_file
def test_core_counts_in_no_float(path: Path) -> None:
    allowed = {"float(value)", "float(amount)"} if path == DOOR else set()
    assert set(_floats(path.read_text())) == allowed


@pytest.mark.parametrize(
    "line",
    [
        "import odoo",
        "from odoo import fields",
        "import requests",
        "from odoo.addons.account import models",
        "import os",
        "from ..models import emsp_cdr",
        "def late():\n    import odoo",
    ],
)
def test_boundary_check_sees_a_foreign_import(line: str) -> None:
    # A file directly in core: one dot is core itself, two are the add-on.
    assert list(_foreign_imports(line, depth=1))


def test_boundary_check_lets_the_own_and_the_standard_library_pass() -> None:
    source = "import json\nimport msgspec\nfrom decimal import Decimal\nfrom ..money import D\n"
    assert list(_foreign_imports(source, depth=2)) == []


@pytest.mark.parametrize(
    "line", ["datetime.now()", "date.today()", "datetime.datetime.now(UTC)", "time.time()"]
)
def test_boundary_check_sees_a_clock(line: str) -> None:
    assert list(_clock_calls(line))


@pytest.mark.parametrize("line", ["x = 0.1", "float('1')", "x = 1e3", "x = -2.5"])
def test_boundary_check_sees_a_float(line: str) -> None:
    assert list(_floats(line))
