import psycopg2
from werkzeug.exceptions import NotFound

from odoo import models
from odoo.exceptions import UserError

from ..core.errors import PayloadError
from ..core.ocpi.json_text import read_json, write_json


class EmspLocationTariffs(models.Model):
    """Some CPOs send the tariffs of a connector inside of it, in place of their ids (`tariff_ids`)."""

    _inherit = "emsp.location"

    def _take(self, connection, version, obj, text, received_at):
        before = inline_tariffs(self.payload) if self else {}
        location = super()._take(connection, version, obj, text, received_at)
        # Most messages change the status of an EVSE: what was judged before is not judged again.
        new = [tree for key, tree in inline_tariffs(text).items() if before.get(key) != tree]
        if new:
            location._take_tariffs(connection, version, new, received_at)
        return location

    def _take_tariffs(self, connection, version, trees, received_at):
        """Store tariffs as if they were pushed. A bad one is kept as a refused message: the location stands.

        :param trees: as `read_json` gives them; those that name no owner are the location owner's.
        """
        tariffs = self.env["emsp.tariff"]
        refused = []
        for tree in trees:
            raw = write_json(tree)
            try:
                if not isinstance(tree, dict) or not isinstance(tree.get("id"), str):
                    raise PayloadError("missing_field", path="id", expected="a text", got="nothing")
                owner = {"country_code": self.ocpi_country_code, "party_id": self.ocpi_party_id}
                # OCPI 2.1.1 has no owner in it.
                raw = write_json(tree if version == "2.1.1" else {**owner, **tree})
                told = {name: tree[name] for name in owner if isinstance(tree.get(name), str)}
                # So that a value that the database refuses takes only its own tariff along.
                with self.env.cr.savepoint():
                    address = {**owner, **told, "id": tree["id"]}
                    tariffs._put(connection, version, address, raw, received_at)
            except PayloadError as error:
                refused.append((raw, tree, error.path, str(error)))
            except NotFound:
                message = "Another connection has sent a tariff of this owner and id"
                refused.append((raw, tree, "id", message))
            except (UserError, psycopg2.DataError) as error:
                refused.append((raw, tree, "", str(error)))
        if refused:
            self._keep_refused_tariffs(connection, refused, received_at)

    def _keep_refused_tariffs(self, connection, refused, received_at):
        self.env["emsp.ocpi.message"]._keep(
            *(
                {
                    "connection_id": connection.id,
                    "module": "tariffs",
                    "method": "INLINE",
                    "url": f"locations/{self.ocpi_key}",
                    "ocpi_status": 2001,
                    "object_ocpi_id": str(tree.get("id", "")) if isinstance(tree, dict) else "",
                    "path": path,
                    "message": message,
                    "body": raw,
                    "received_at": received_at,
                }
                for raw, tree, path, message in refused
            )
        )


def inline_tariffs(text):
    """The tariffs inside of a location; of several with the same owner and id the first.

    :param str text: the JSON of a location that was read without complaint.
    :return: dict key -> tree as `read_json` gives it; what has no id is told apart by its content.
    """
    # Nearly all have none: that costs no parsing.
    if not text or '"tariffs"' not in text:
        return {}
    found = {}
    for evse in _list(read_json(text), "evses"):
        for connector in _list(evse, "connectors"):
            for tree in _list(connector, "tariffs"):
                is_named = isinstance(tree, dict) and isinstance(tree.get("id"), str)
                names = ("country_code", "party_id", "id")
                key = "*".join(str(tree.get(name)) for name in names).upper() if is_named else repr(tree)
                found.setdefault(key, tree)
    return found


def _list(tree, name):
    return tree[name] if isinstance(tree, dict) and isinstance(tree.get(name), list) else []
