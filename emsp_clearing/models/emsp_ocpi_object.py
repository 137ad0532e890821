from psycopg2.errors import UniqueViolation
from werkzeug.exceptions import NotFound

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from ..core.errors import PayloadError
from ..core.ocpi.json_text import canonical, read_json, write_json
from ..core.ocpi.modules import merge_patch
from ..core.ocpi.tolerances import LAX

# What taking and giving back an object needs; read in one query.
SEARCHED_FIELDS = (
    "connection_id",
    "ocpi_version",
    "ocpi_country_code",
    "ocpi_party_id",
    "last_updated",
    "payload",
)


class EmspOcpiObject(models.AbstractModel):
    """What OCPI parties keep each other informed of: one object per owner and id, pushed by one connection.

    An `address` is what a URL says of an object: a dict of its identifying fields in OCPI's names and
    order, for example {"country_code": "FR", "party_id": "RVR", "id": "S-1"}.
    """

    _name = "emsp.ocpi.object"
    _description = "OCPI object"
    _check_company_auto = True
    _order = "last_updated desc, id desc"
    _rec_name = "ocpi_id"
    # Of each kind: its name for `merge_patch`, its reader and its writer of core.ocpi.modules.
    _ocpi_kind = None
    _parse_object = None
    _write_object = None
    _ocpi_id_name = "id"
    # Of the records of a key, which one holds: a domain.
    _holding = ()

    connection_id = fields.Many2one(
        "emsp.ocpi.connection",
        readonly=True,
        check_company=True,
        ondelete="restrict",
        index="btree_not_null",
        help="The connection that pushed it; empty for what is our own.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    ocpi_key = fields.Char(
        string="OCPI key",
        required=True,
        help="Country code, party id and id of the owner, upper-case: compared without case.",
    )
    ocpi_country_code = fields.Char(string="Country code", size=2, required=True)
    ocpi_party_id = fields.Char(string="Party id", size=3, required=True)
    ocpi_id = fields.Char(string="Id", required=True)
    ocpi_version = fields.Char(string="OCPI version", readonly=True)
    payload = fields.Text(readonly=True, prefetch=False, help="As received; changes are merged into it.")
    last_updated = fields.Datetime(readonly=True, index=True, help="By the owner's clock.")
    received_at = fields.Datetime(readonly=True)

    @api.model
    def _key_of(self, obj):
        """:return: `ocpi_key` of an object of core."""
        return obj.key

    @api.model
    def _key_at(self, address):
        """:return: `ocpi_key` of what is at an address."""
        return "*".join(address.values()).upper()

    @api.model
    def _vals_from_object(self, obj, connection):
        """:return: field values beyond those that all kinds have."""
        return {}

    # -- receiver interface

    @api.model
    def _find(self, connection, address):
        """The connection's own object.

        :raise NotFound: unknown, or another connection's.
        """
        record = self._search_key(connection, self._key_at(address))
        if not record or record.connection_id != connection:
            raise NotFound
        return record

    @api.model
    def _put(self, connection, version, address, raw, received_at):
        """Take an object as its owner pushes it, whole.

        One that is older than what is stored came out of order and changes nothing.

        :param bytes raw: the body; kept as it is.
        :param datetime received_at: naive UTC.
        :return: (record, whether it is new).
        :raise PayloadError: unreadable, at another address or of another party.
        :raise NotFound: another connection's object.
        """
        obj = self._read(connection, version, address, raw)
        record = self._search_key(connection, self._key_of(obj))
        if record and not record._may_be_pushed_by(connection):
            raise NotFound
        if record and (record._is_newer_than(obj) or record._has_content(raw, version, connection)):
            return record, False
        return record._take(connection, version, obj, raw.decode(), received_at), not record

    @api.model
    def _patch(self, connection, version, address, raw, received_at):
        """Take a change of an object; one older than what is stored changes nothing.

        :return: the record.
        :raise PayloadError: as `_put`, or without `last_updated`.
        :raise NotFound: as `_find`.
        """
        record = self._find(connection, address)
        stored = read_json(record._payload_in(version))
        merged = merge_patch(stored, read_json(raw), self._ocpi_kind)
        if merged is not stored:
            text = write_json(merged)
            obj = self._read(connection, version, address, text)
            record = record._take(connection, version, obj, text.decode(), received_at)
        return record

    @api.model
    def _search_key(self, connection, key):
        """The object of the connection's company that holds, whoever pushed it; may be empty."""
        return self.search_fetch(
            [("company_id", "=", connection.company_id.id), ("ocpi_key", "=", key), *self._holding],
            SEARCHED_FIELDS,
            limit=1,
        )

    @api.model
    def _read(self, connection, version, address, raw):
        """The object of core, after it was compared with its address and its owner with the connection."""
        owner = (address["country_code"], address["party_id"])
        obj = self._parse_object(raw, version, tolerances=connection._tolerances(), owner=owner)
        for path, expected in address.items():
            check_same(path, expected, getattr(obj, path))
        connection._check_owner(obj)
        return obj

    def _may_be_pushed_by(self, connection):
        """Whether it is the connection's, or was one's that is archived: another one follows it."""
        self.ensure_one()
        return self.connection_id == connection or (self.connection_id and not self.connection_id.active)

    def _is_newer_than(self, obj):
        self.ensure_one()
        return bool(obj.last_updated and self.last_updated and naive(obj.last_updated) < self.last_updated)

    def _has_content(self, raw, version, connection):
        """Whether `raw` says nothing new."""
        self.ensure_one()
        if self.connection_id != connection or self.ocpi_version != version:
            return False
        return canonical(self.payload) == canonical(raw)

    def _take(self, connection, version, obj, text, received_at):
        """Store what came, in this record or in a new one.

        :param obj: the object of core that `text` holds.
        :return: the record.
        :raise ConcurrencyError: another transaction stores it now; the caller is replayed.
        """
        vals = self._prepare_received_vals(connection, version, obj, text, received_at)
        if self:
            self.write(vals)
            return self
        return self._create_received(vals)

    @api.model
    def _create_received(self, vals):
        try:
            with self.env.cr.savepoint():
                return self.create(vals)
        except UniqueViolation as error:
            # The other row is not in our snapshot (REPEATABLE READ): only a replay can see it.
            raise ConcurrencyError(self.env._("The object is being stored by another request.")) from error

    @api.model
    def _prepare_received_vals(self, connection, version, obj, text, received_at):
        return {
            "connection_id": connection.id,
            "company_id": connection.company_id.id,
            "ocpi_key": self._key_of(obj),
            "ocpi_country_code": obj.country_code,
            "ocpi_party_id": obj.party_id,
            "ocpi_id": getattr(obj, self._ocpi_id_name),
            "ocpi_version": version,
            "payload": text,
            "last_updated": naive(obj.last_updated) if obj.last_updated else received_at,
            "received_at": received_at,
            **self._vals_from_object(obj, connection),
        }

    # -- reading it back

    def _to_core(self):
        """The object of core that is stored."""
        self.ensure_one()
        owner = (self.ocpi_country_code, self.ocpi_party_id)
        return self._parse_object(self.payload.encode(), self.ocpi_version, tolerances=LAX, owner=owner)

    def _payload_in(self, version):
        """JSON text: as received where it came in this version, else said in its words."""
        self.ensure_one()
        if self.ocpi_version == version:
            # A byte order mark is no part of the JSON it stands before (RFC 8259, 8.1).
            return self.payload.removeprefix("\ufeff")
        return write_json(self._written_in(version)).decode()

    def _written_in(self, version):
        """The stored object in the words of another version than it came in."""
        return self._write_object(self._to_core(), version)


def check_same(path, expected, received):
    """:raise PayloadError: the body says other than the URL; ids compare without case."""
    if (received or "").upper() != expected.upper():
        raise PayloadError("not_as_in_url", path=path, expected=f"{expected} as in the URL", got=received)


def naive(instant):
    """An aware instant as Odoo stores it: naive UTC, whole seconds."""
    return instant.replace(tzinfo=None, microsecond=0)
