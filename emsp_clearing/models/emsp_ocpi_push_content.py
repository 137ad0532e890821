from collections import defaultdict

from odoo import models

from ..core.errors import CoreError
from ..core.ocpi.json_text import write_json
from ..core.ocpi.normalise import tariff_payload

# What partners are shown; as the reader of their lists has it.
SHOWN_STATES = ("open", "disputed", "locked", "invoiced")
# 2.1.1 has no word for a credit: it would be billed a second time.
NO_CREDITS = "2.1.1"
# What goes to the party whose token was used.
BY_TOKEN = ("cdrs", "sessions")
RECORD_FIELDS = {
    "emsp.cdr": (
        "payload",
        "state",
        "is_credit",
        "credited_cdr_id",
        "connection_id",
        "ocpi_version",
        "ocpi_country_code",
        "ocpi_party_id",
        "token_country_code",
        "token_party_id",
        "location_connector_id",
    ),
    "emsp.session": (
        "payload",
        "ocpi_version",
        "ocpi_country_code",
        "ocpi_party_id",
        "token_country_code",
        "token_party_id",
        "location_connector_id",
    ),
    "emsp.location": ("payload", "ocpi_version", "ocpi_country_code", "ocpi_party_id"),
}


class Unsendable(Exception):
    """A row that is not sent; the text is for people, `state` is what becomes of it."""

    def __init__(self, state, message=""):
        super().__init__(message)
        self.state = state


class NotYet(Exception):
    """A row whose turn comes later: at `until` (naive UTC)."""

    def __init__(self, until):
        super().__init__()
        self.until = until


class EmspOcpiPushContent(models.Model):
    """What the partner is told: the object as it is now, in the partner's version."""

    _inherit = "emsp.ocpi.push"

    def _load_records(self, connection):
        """Read the rows' records together, with their payloads."""
        ids = defaultdict(list)
        for push in self:
            ids[push.model].append(push.res_id)
        for model, field_names in RECORD_FIELDS.items():
            records = self.env[model].browse(ids[model]).exists()
            records.fetch(field_names)
            if "location_connector_id" in field_names:
                records.location_connector_id._read_places(connection.version)

    def _message(self, as_of):
        """:return: (URL, body as bytes or None).

        :raise Unsendable: it is not for the partner, or cannot be said to it.
        :raise NotYet: something else has to be sent first.
        """
        self.ensure_one()
        if not self.connection_id._is_told(self.module):
            raise Unsendable("dropped", self.env._("Sending is switched off on the connection."))
        url = self.connection_id._push_url(self.module)
        if not url:
            raise Unsendable(
                "failed",
                self.env._("The partner has no address for the module %(module)s.", module=self.module),
            )
        body = None
        if self.method != "DELETE":
            record = self.env[self.model].browse(self.res_id).exists()
            if not record:
                raise Unsendable("dropped", self.env._("It was deleted."))
            try:
                body = self._body(record, as_of)
            except CoreError as error:
                raise Unsendable("failed", str(error)) from error
        if not self.path:
            return url, body
        # "?type=" belongs behind the path, whatever the address has.
        return f"{url.rstrip('/')}/{self.path}", body

    def _body(self, record, as_of):
        if self.module == "tariffs":
            return self._tariff_body(as_of)
        if self.module in BY_TOKEN and self._to_party() not in self.connection_id._parties():
            raise Unsendable("dropped", self.env._("Its party is no longer one of this connection's."))
        if self.module == "cdrs":
            self._check_cdr(record)
        return record._payload_in(self.connection_id.version).encode()

    def _to_party(self):
        """Which of the partner's parties is meant: whose token it was; None for the connection's own."""
        if self.module not in BY_TOKEN:
            return None
        record = self.env[self.model].browse(self.res_id)
        return record.token_country_code, record.token_party_id

    def _tariff_body(self, as_of):
        for tariff in self.env["emsp.tariff"]._offered_to(self.connection_id, as_of):
            if tariff_key(tariff) == self.key:
                return write_json(tariff_payload(tariff, self.connection_id.version))
        raise Unsendable("dropped", self.env._("The price grid no longer holds for the partner."))

    def _check_cdr(self, cdr):
        """:raise Unsendable, NotYet: as `_message`."""
        if cdr.is_credit and self.connection_id.version == NO_CREDITS:
            raise Unsendable(
                "failed",
                self.env._("OCPI 2.1.1 has no credit CDRs. Tell the partner of this one in another way."),
            )
        if cdr.state in SHOWN_STATES:
            return
        original = self._push_of_original(cdr)
        if original.state == "pending":
            raise NotYet(original.next_try_at)
        # Neutralised here; a partner that has the original, or may have it, needs the credit too.
        if original.state != "sent" and not original.attempts:
            raise Unsendable("dropped", self.env._("The CDR is not shown to the partner any more."))

    def _push_of_original(self, cdr):
        """The row of the CDR that a neutralised credit credits; may be empty."""
        is_neutralising = cdr.is_credit and cdr.state == "void" and cdr.credited_cdr_id
        domain = [
            ("connection_id", "=", self.connection_id.id),
            ("module", "=", "cdrs"),
            ("res_id", "=", cdr.credited_cdr_id.id),
        ]
        return self.search(domain, order="id desc", limit=1) if is_neutralising else self.browse()


def tariff_key(tariff):
    """:param tariff: core Tariff."""
    return f"{tariff.country_code}*{tariff.party_id}*{tariff.id}".upper()
