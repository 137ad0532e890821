"""Black-box tests: a real server in its own process, a real mail server, and the public doors only."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.demo import Demo
from support.mailbox import Mailbox
from support.server import OdooServer

ROOT = Path(__file__).resolve().parents[2]


def library(commands: str) -> None:
    """Run shell commands with script/lib.sh, which knows the database cluster."""
    subprocess.run(["bash", "-c", f"source script/lib.sh; use_postgres; {commands}"], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def make_database():
    """Gives databases of the module's own, with the demo data: a CPO and two eMSP partners."""
    made = []

    def make(label: str) -> str:
        name = f"emsp_e2e_{label}_{os.getpid()}"
        made.append(name)
        library(f"ensure_database --fresh --with-demo {name} emsp_clearing,l10n_fr_account")
        return name

    yield make
    for name in made:
        library(f"drop_database {name}")


@pytest.fixture(scope="module")
def database(make_database):
    return make_database("one")


@pytest.fixture(scope="module")
def mailbox():
    with Mailbox() as box:
        yield box


@pytest.fixture(scope="module")
def server(database, mailbox):
    with OdooServer(database, mailbox.port) as running:
        yield running


@pytest.fixture(scope="module")
def demo(server, mailbox, tmp_path_factory):
    """The stations of the chain, none of them played yet."""
    return Demo(server, mailbox, datetime.now(UTC), tmp_path_factory.mktemp("results"))
