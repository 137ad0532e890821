"""Our server and a platform by others, and what both need to know of each other."""

from support.ocpi_client import OcpiClient
from support.odoo_client import OdooClient

# Of the platforms. Those of the eMSPs are the demo's partners, which have contracts.
FOREIGN_PARTIES = {
    ("CPO", "2.1.1"): "NL*FCP",
    ("CPO", "2.2.1"): "NL*FCQ",
    ("EMSP", "2.1.1"): "DE*SMO",
    ("EMSP", "2.2.1"): "FR*HXM",
}
# Of ours, by the role of the other side.
OWN_PARTIES = {"CPO": "FR*RVM", "EMSP": "FR*RVR"}
MODULES = {
    "locations": "locations.Location",
    "tariffs": "tariffs.Tariff",
    "sessions": "sessions.Session",
    "cdrs": "cdrs.Cdr",
}
# 2.2.1, 10.4.4 has the field; the package's CdrLocation has not.
EVSE_UID = "cdrs.Cdr.cdr_location.evse_uid: unknown field"
# 2.3.0 is younger than the package, whose list of versions is closed.
TOO_YOUNG = "versions.Version: version: value is not a valid enumeration member"


class OurSide:
    """A connection of our server to one foreign platform."""

    def __init__(self, server, peer):
        self.server, self.peer = server, peer
        self.versions_url = f"{server.url}/ocpi/versions"
        self.admin = OdooClient(server.url, server.database, "admin", "admin")
        for key, value in (("web.base.url", server.url), ("web.base.url.freeze", "True")):
            self.admin.call("ir.config_parameter", "set_param", key, value)
        # The demo's company has chargers of its own; here it is an eMSP, too.
        chargers = self.admin.ref("emsp_clearing.emsp_ocpi_connection_cpms_demo")
        self._chargers = chargers
        [row] = self.admin.search_read("emsp.ocpi.connection", [["id", "=", chargers]], ["company_id"])
        self.company = row["company_id"][0]
        country_code, __, party_id = OWN_PARTIES[peer.role].partition("*")
        pushes = ("tokens",) if peer.role == "CPO" else ("locations", "tariffs", "sessions", "cdrs")
        vals = {
            "name": f"Foreign {peer.role}",
            "company_id": self.company,
            "our_role": "EMSP" if peer.role == "CPO" else "CPO",
            "peer_role": peer.role,
            "country_code": peer.country_code,
            "ocpi_party_id": peer.party_id,
            "own_country_code": country_code,
            "own_party_id": party_id,
            "allow_private_network": True,
            "time_zone": "Europe/Paris",
            **{f"push_{module}": True for module in pushes},
        }
        self.connection = self.admin.call("emsp.ocpi.connection", "create", vals)

    def charge_point_system(self):
        """Our own chargers, which feed us."""
        action = self.admin.call("emsp.ocpi.connection", "action_new_token", [self._chargers])
        return OcpiClient(self.server.url, action["context"]["default_token"])

    def do(self, action):
        return self.admin.call("emsp.ocpi.connection", action, [self.connection])

    def give_token(self):
        return self.do("action_give_token")["context"]["default_token"]

    def facts(self):
        [row] = self.admin.search_read(
            "emsp.ocpi.connection", [["id", "=", self.connection]], ["state", "version", "peer_token_form"]
        )
        return row["state"], row["version"], row["peer_token_form"]

    def register(self):
        """We are the side that calls; the platform offers 2.1.1 and 2.2.1."""
        highest = {"highest_version": self.peer.version}
        self.admin.call("emsp.ocpi.connection", "write", [self.connection], highest)
        vals = {"connection_id": self.connection, "token": self.peer.invite()}
        vals["versions_url"] = self.peer.versions_url
        wizard = self.admin.call("emsp.ocpi.connection.register", "create", vals)
        self.admin.call("emsp.ocpi.connection.register", "action_register", [wizard])
        self.peer.token = self.peer.partner()["token"]

    def endpoints(self):
        """Address of the details, and of each module, as the platform learns them."""
        versions = self.peer.call("GET", self.versions_url, "versions.Version")
        [url] = [each["url"] for each in versions.envelope["data"] if each["version"] == self.peer.version]
        details = self.peer.call("GET", url, "versions.VersionDetail")
        assert details.problems == []
        return url, {each["identifier"]: each["url"] for each in details.data[0]["endpoints"]}

    def exchange(self, action):
        self.do(action)
        self.admin.wait_for_jobs()

    def records(self, model, name, *names):
        """Values of the objects with an OCPI id, whatever its case."""
        rows = self.admin.search_read(model, [["ocpi_id", "=ilike", name]], list(names), order="id")
        return [tuple(row[name] for name in names) for row in rows]
