from typing import NamedTuple

import psycopg2
from werkzeug.exceptions import NotFound

from odoo import models
from odoo.exceptions import ConcurrencyError, UserError

from odoo.addons.queue_job.exception import RetryableJobError

from ..core.errors import PayloadError
from ..core.ocpi.countries import to_alpha_2
from ..core.ocpi.decode import show
from ..core.ocpi.json_text import write_json
from ..core.ocpi.remarks import find_tolerated
from .emsp_ocpi_client import url_without_secrets
from .emsp_ocpi_message import deviation_lines
from .emsp_ocpi_traffic import BUSY_RETRY_S

MODELS = {
    "locations": "emsp.location",
    "sessions": "emsp.session",
    "tariffs": "emsp.tariff",
    "tokens": "emsp.token",
}


class Refused(NamedTuple):
    """An object of a page that could not be taken; `path` and `message` in the words of OCPI."""

    index: int
    raw: bytes
    ocpi_id: str
    path: str
    message: str


class Tally(NamedTuple):
    new: int
    known: int
    refused: int


class EmspOcpiPull(models.Model):
    """What becomes of the objects of a page: the same as if the partner had pushed them."""

    _inherit = "emsp.ocpi.cursor"

    def _take_page(self, objects, as_of):
        """Store the objects of a page. A bad one stops no other: it is kept as a refused message.

        :param objects: `data` of the answer, as `read_json` gives it.
        :param datetime as_of: naive UTC.
        :return: Tally.
        :raise RetryableJobError: another transaction stores one of them now.
        """
        if not isinstance(objects, list):
            objects = [objects]
        endpoint = self.connection_id._as_endpoint()
        take = self._take_cdrs if self.module == "cdrs" else self._take_objects
        try:
            new, refused = take(endpoint, objects, as_of)
        except ConcurrencyError as error:
            raise RetryableJobError(str(error), seconds=BUSY_RETRY_S, ignore_retry=True) from error
        self._keep_refused(refused, as_of)
        return Tally(new, len(objects) - new - len(refused), len(refused))

    def _take_cdrs(self, endpoint, objects, as_of):
        """:return: (number of new ones, list of Refused)."""
        raws = [write_json(each) for each in objects]
        receipts = endpoint.env["emsp.cdr"]._receive(endpoint, raws, as_of, None, endpoint.version)
        refused = [
            Refused(index, raws[index], _id_of(objects[index]), receipt.path, receipt.message)
            for index, receipt in enumerate(receipts)
            if receipt.is_refusal
        ]
        return sum(receipt.outcome == "created" for receipt in receipts), refused

    def _take_objects(self, endpoint, objects, as_of):
        """:return: as `_take_cdrs`."""
        new, taken, refused = 0, [], []
        for index, tree in enumerate(objects):
            raw = write_json(tree)
            try:
                record, is_new = self._take_object(endpoint, tree, raw, as_of)
                taken.append(record.id)
                new += is_new
                self._keep_deviations(endpoint, index, tree, as_of)
            except PayloadError as error:
                refused.append(Refused(index, raw, _id_of(tree), error.path or "", str(error)))
            except NotFound:
                message = "Another connection has sent an object of this owner and id"
                refused.append(Refused(index, raw, _id_of(tree), "id", message))
            except (UserError, psycopg2.DataError) as error:
                refused.append(Refused(index, raw, _id_of(tree), "", str(error)))
        self._note_listed(endpoint.env[MODELS[self.module]].browse(taken), refused)
        return new, refused

    def _take_object(self, endpoint, tree, raw, as_of):
        """:return: (record, whether it is new)."""
        records = endpoint.env[MODELS[self.module]]
        address = self._address_of(endpoint, tree)
        # So that a value that the database refuses takes only its own object along.
        with self.env.cr.savepoint():
            return records._put(endpoint, endpoint.version, address, raw, as_of)

    def _note_listed(self, taken, refused):
        """Extension point: what a page held.

        :param taken: the records of its objects. :param refused: list of Refused.
        """

    def _address_of(self, endpoint, tree):
        """What the URL of a push would say of an object; OCPI 2.1.1 names no owner: it is the platform.

        :raise PayloadError: no object, or without an id.
        """
        if not isinstance(tree, dict):
            raise PayloadError("invalid_field", path="", expected="an object", got=show(tree))
        id_name = "uid" if self.module == "tokens" else "id"
        if not isinstance(tree.get(id_name), str) or not tree[id_name]:
            raise PayloadError("missing_field", path=id_name, expected="a text", got="nothing")
        address = {
            "country_code": to_alpha_2(_text(tree, "country_code") or endpoint.country_code),
            "party_id": _text(tree, "party_id") or endpoint.ocpi_party_id,
            id_name: tree[id_name],
        }
        if self.module == "tokens":
            return endpoint.env["emsp.token"]._address(address, _text(tree, "type"))
        return address

    def _keep_deviations(self, endpoint, index, tree, as_of):
        """Keep what an object that was taken needed a tolerance for, once: a list is read again and again."""
        kind = endpoint.env[MODELS[self.module]]._ocpi_kind
        deviations = find_tolerated(tree, kind, endpoint.version)
        if not deviations:
            return
        vals = {**self._prepare_message(index, as_of), "object_ocpi_id": _id_of(tree), "ocpi_status": 1000}
        messages = self.env["emsp.ocpi.message"]
        same = ("connection_id", "module", "method", "object_ocpi_id")
        domain = [(name, "=", vals[name]) for name in same]
        domain.append(("deviations", "=", deviation_lines(deviations)))
        if not messages.search_count(domain, limit=1):
            messages._keep({**vals, "deviations": deviations})

    def _prepare_message(self, index, as_of):
        """Field values of the message of one object of the page."""
        return {
            "connection_id": self.connection_id.id,
            "module": self.module,
            "method": "PULL",
            "direction": "in",
            "url": url_without_secrets(self.page_url),
            "place": str(index),
            "correlation_uid": self.correlation_uid,
            "received_at": as_of,
        }

    def _keep_refused(self, refused, as_of):
        """Keep what was refused, each once: a run reads a little of what the one before has read."""
        messages = self.env["emsp.ocpi.message"]
        common = {"connection_id": self.connection_id.id, "module": self.module, "method": "PULL"}
        domain = [(name, "=", value) for name, value in common.items()]
        domain.append(("object_ocpi_id", "in", [each.ocpi_id for each in refused]))
        known = set(messages.search_fetch(domain, ["body"]).mapped("body")) if refused else set()
        messages._keep(
            *(
                {
                    **self._prepare_message(each.index, as_of),
                    "ocpi_status": 2001,
                    "object_ocpi_id": each.ocpi_id,
                    "path": each.path,
                    "message": each.message,
                    "body": each.raw,
                }
                for each in refused
                if each.raw.decode() not in known
            )
        )


def _text(tree, name):
    return tree[name] if isinstance(tree.get(name), str) else None


def _id_of(tree):
    if not isinstance(tree, dict):
        return ""
    return _text(tree, "id") or _text(tree, "uid") or ""
