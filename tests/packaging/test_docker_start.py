"""docker/clearing-init, run with stand-ins for `odoo` and `psql` that write down their calls."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ODOO_STUB = """#!/bin/bash
echo "odoo $*" >>"$CALLS"
if [ "$1" = shell ]; then cat >>"$CALLS"; fi
"""
PSQL_STUB = """#!/bin/bash
case "$(cat)" in
    *pg_database*) echo "$DATABASE_EXISTS" ;;
    *to_regclass*) echo "$TABLE_EXISTS" ;;
    *latest_version*) echo "$INSTALLED" ;;
    *) exit 3 ;;
esac
"""


@pytest.fixture
def first_start(tmp_path):
    """Run docker/clearing-init; returns the exit code and the calls of odoo, one a line."""

    def run(database="", table="", installed="", admin="admin-of-the-test"):
        for name, text in (("odoo", ODOO_STUB), ("psql", PSQL_STUB)):
            stub = tmp_path / name
            stub.write_text(text)
            stub.chmod(0o755)
        manifest = tmp_path / "emsp_clearing" / "__manifest__.py"
        manifest.parent.mkdir(exist_ok=True)
        manifest.write_text('{"name": "x", "version": "19.0.1.2.0"}')
        calls = tmp_path / "calls"
        calls.write_text("")
        environment = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "CLEARING_ADDONS": str(tmp_path),
            "PGDATABASE": "clearing",
            "ODOO_ADMIN_PASSWORD": admin,
            "DATABASE_EXISTS": database,
            "TABLE_EXISTS": table,
            "INSTALLED": installed,
        }
        script = ROOT / "docker" / "clearing-init"
        ended = subprocess.run([script], env=environment, capture_output=True, check=False)
        return ended.returncode, calls.read_text()

    return run


def odoo_calls(text):
    return [line for line in text.splitlines() if line.startswith("odoo ")]


INSTALL = [
    "odoo --database clearing --init base --stop-after-init --no-http",
    "odoo shell --database clearing --no-http",
    "odoo --database clearing --init emsp_clearing --stop-after-init --no-http",
]


def test_first_start_installs_and_sets_the_password_before_the_add_on(first_start):
    code, calls = first_start()
    assert (code, odoo_calls(calls)) == (0, INSTALL)
    assert 'env.ref("base.user_admin").password = os.environ["ODOO_ADMIN_PASSWORD"]' in calls


@pytest.mark.parametrize("state", [{"database": "1"}, {"database": "1", "table": "t"}])
def test_first_start_that_was_cut_off_is_resumed(first_start, state):
    code, calls = first_start(**state)
    assert (code, odoo_calls(calls)) == (0, INSTALL)


def test_start_with_the_same_version_changes_nothing(first_start):
    assert first_start(database="1", table="t", installed="19.0.1.2.0") == (0, "")


def test_start_with_a_newer_add_on_upgrades_it(first_start):
    code, calls = first_start(database="1", table="t", installed="19.0.1.1.0")
    upgrade = "odoo --database clearing --update emsp_clearing --stop-after-init --no-http"
    assert (code, odoo_calls(calls)) == (0, [upgrade])


def test_first_start_without_a_password_is_refused(first_start):
    code, calls = first_start(admin="")
    assert (code, calls) == (1, "")
