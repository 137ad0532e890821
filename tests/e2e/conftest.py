"""Black-box tests: a real server in its own process, a real mail server, and the public doors only."""

import os
import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from foreign_party import FOREIGN_PARTIES, OurSide
from support.demo import Demo
from support.foreign_peer import ForeignPeer
from support.mailbox import Mailbox
from support.server import OdooServer

ROOT = Path(__file__).resolve().parents[2]
# A test says when it has become an hour later; the server's own action would open periods of today, some
# time while the test prepares its contracts.
STOP_HOURLY_RUN = """
    UPDATE ir_cron SET active = FALSE WHERE id =
        (SELECT res_id FROM ir_model_data WHERE module = 'emsp_clearing' AND name = 'ir_cron_run_due')
"""


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
        library(f'psql -Xq -d {name} -c "{STOP_HOURLY_RUN}"')
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


@pytest.fixture(scope="module")
def foreign_sides(server):
    """Our side of the connection to each platform by others, by its role and its version of OCPI."""
    with ExitStack() as stack:
        yield {
            (role, version): OurSide(server, stack.enter_context(ForeignPeer(role, party, version)))
            for (role, version), party in FOREIGN_PARTIES.items()
        }


@pytest.fixture(params=("2.1.1", "2.2.1"))
def version(request):
    return request.param


@pytest.fixture(params=("CPO", "EMSP"))
def ours(request, foreign_sides, version):
    """Our side to the platform of a role, in each version."""
    return foreign_sides[request.param, version]


@pytest.fixture
def registered(ours, version):
    """`ours`, after we have registered; the registration ends with the test."""
    ours.register()
    assert ours.facts()[:2] == ("registered", version)
    yield ours
    ours.do("action_unregister")
    assert ours.facts()[0] == "unregistered"
    assert ours.peer.partner() is None
