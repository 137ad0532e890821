from typing import NamedTuple

import pytz
from werkzeug.exceptions import NotFound

from odoo import api, fields, models
from odoo.fields import Domain

from ..core.ocpi.json_text import read_json, write_json
from ..core.ocpi.modules import (
    location_payload,
    merge_patch,
    parse_connector,
    parse_evse,
    parse_location,
)
from ..core.ocpi.tolerances import LAX
from .emsp_location_tree import find_part, with_part
from .emsp_ocpi_object import SEARCHED_FIELDS, check_same

# By how many ids a URL has behind the location: reader, kind for `merge_patch`, name of the last id.
PARTS = {1: (parse_evse, "evse", "uid"), 2: (parse_connector, "connector", "id")}


class KnownPlaces(NamedTuple):
    """Locations and connectors that CDRs or sessions may name, read in one go.

    `locations` by key, `by_uid` by location and by ids within it, `by_evse` by eMI3 id of the EVSE.
    """

    locations: dict
    by_uid: dict
    by_evse: dict
    none: models.Model

    def find_time_zone(self, country_code, party_id, place):
        """:return: IANA name of the stored location, or None."""
        location = self.locations.get(location_key(country_code, party_id, place))
        return location.time_zone or None if location else None

    def is_known(self, country_code, party_id, place):
        """Whether the location is stored."""
        return location_key(country_code, party_id, place) in self.locations

    def find_connector(self, country_code, party_id, place):
        """:param place: core CdrLocation. :return: emsp.location.connector, may be empty."""
        location = self.locations.get(location_key(country_code, party_id, place))
        if location:
            found = self.by_uid.get((location.id, upper(place.evse_uid), upper(place.connector_id)))
            if found:
                return found
        return self.by_evse.get((upper(place.evse_id), upper(place.connector_id)), self.none)


class EmspLocation(models.Model):
    """A place with chargers as its CPO, or our own charge point system, describes it.

    The payload holds the EVSEs and connectors too; a change of one of them is merged into it.
    """

    _name = "emsp.location"
    _description = "OCPI location"
    _inherit = ["emsp.ocpi.object"]
    _order = "name, ocpi_id, id"
    _ocpi_kind = "location"
    _parse_object = staticmethod(parse_location)
    _write_object = staticmethod(location_payload)
    _pushed_module = "locations"

    ocpi_id = fields.Char(string="Location id")
    name = fields.Char(readonly=True)
    address = fields.Char(readonly=True)
    city = fields.Char(readonly=True)
    postal_code = fields.Char(readonly=True)
    country = fields.Char(readonly=True, help="ISO 3166-1, three letters.")
    time_zone = fields.Char(readonly=True, help="IANA name; of CDRs that do not tell theirs.")
    operator = fields.Char(readonly=True)
    connector_ids = fields.One2many("emsp.location.connector", "location_id", readonly=True)
    connector_count = fields.Integer(string="Connectors", compute="_compute_connector_count")

    _ocpi_key_unique = models.UniqueIndex("(company_id, ocpi_key)")

    @api.depends("name", "ocpi_id")
    def _compute_display_name(self):
        for location in self:
            location.display_name = location.name or location.ocpi_id

    @api.depends("connector_ids")
    def _compute_connector_count(self):
        counts = dict(
            self.env["emsp.location.connector"]._read_group(
                [("location_id", "in", self.ids)], ["location_id"], ["__count"]
            )
        )
        for location in self:
            location.connector_count = counts.get(location, 0)

    @api.model
    def _vals_from_object(self, obj, connection):
        return {
            "name": obj.name,
            "address": obj.address,
            "city": obj.city,
            "postal_code": obj.postal_code,
            "country": obj.country,
            "time_zone": obj.time_zone if obj.time_zone in pytz.all_timezones_set else False,
            "operator": obj.operator and obj.operator.name,
        }

    def _take(self, connection, version, obj, text, received_at):
        location = super()._take(connection, version, obj, text, received_at)
        if self.env["emsp.location.connector"]._follow(location, obj):
            self.env["emsp.cdr"]._enqueue_recheck(location, location._cdr_domain())
        return location

    def _cdr_domain(self):
        """CDRs that name the location or one of its EVSEs, and those that named an unknown one."""
        owner = Domain(
            [
                ("ocpi_country_code", "=ilike", self.ocpi_country_code),
                ("ocpi_party_id", "=ilike", self.ocpi_party_id),
            ]
        )
        evse_ids = [evse_id for evse_id in self.connector_ids.mapped("evse_id") if evse_id]
        unknown = [("rule", "in", ("unknown_location", "unknown_evse")), ("superseded_at", "=", False)]
        return owner & (Domain("evse_id", "in", evse_ids) | Domain("finding_ids", "any", unknown))

    @api.model
    def _put_part(self, connection, version, address, ids, raw, received_at):
        """Take an EVSE, or a connector, whole; one that is older than the stored one changes nothing.

        :param ids: the EVSE's uid; with it, the connector's id.
        :return: (the location, whether the part is new).
        :raise PayloadError: unreadable, or with another id than the URL.
        :raise NotFound: what is to hold it is unknown, or another connection's.
        """
        location, tree = self._find_tree(connection, version, address)
        part = self._find_part(tree, ids, is_new_allowed=True)
        parse, __, id_name = PARTS[len(ids)]
        changed = parse(raw, version, tolerances=connection._tolerances())
        check_same(id_name, ids[-1], getattr(changed, id_name))
        if part is None or not self._is_part_newer(part, changed, parse, version):
            tree = with_part(tree, ids, read_json(raw))
            location._take_tree(connection, version, address, tree, received_at)
        return location, part is None

    @api.model
    def _patch_part(self, connection, version, address, ids, raw, received_at):
        """Take a change of an EVSE or of a connector.

        :return: the location.
        :raise PayloadError: as `_put_part`, or without `last_updated`.
        :raise NotFound: unknown, or another connection's.
        """
        location, tree = self._find_tree(connection, version, address)
        part = self._find_part(tree, ids)
        parse, kind, id_name = PARTS[len(ids)]
        merged = merge_patch(part, read_json(raw), kind)
        if merged is not part:
            changed = parse(write_json(merged), version, tolerances=connection._tolerances())
            check_same(id_name, ids[-1], getattr(changed, id_name))
            tree = with_part(tree, ids, merged)
            location._take_tree(connection, version, address, tree, received_at)
        return location

    def _text_in(self, version, ids):
        """:param ids: of an EVSE and a connector, as `_put_part`; none is the location itself.
        :return: JSON text.
        :raise NotFound: it has no such part.
        """
        text = self._payload_in(version)
        return write_json(self._find_part(read_json(text), ids)).decode() if ids else text

    @api.model
    def _find_own(self, company, ocpi_id):
        """The location of our own chargers with this id.

        :raise NotFound: there is none.
        """
        own = self.env["emsp.ocpi.connection"].with_context(active_test=False)
        own = own.search([("company_id", "=", company.id), ("peer_role", "=", "OWN")])
        keys = [f"{'*'.join(pair)}*{ocpi_id}".upper() for pair in own._by_party()]
        location = self.search_fetch(
            [("company_id", "=", company.id), ("connection_id", "in", own.ids), ("ocpi_key", "in", keys)],
            SEARCHED_FIELDS,
            limit=1,
        )
        if not location:
            raise NotFound
        return location

    @api.model
    def _find_tree(self, connection, version, address):
        location = self._find(connection, address)
        return location, read_json(location._payload_in(version))

    @api.model
    def _find_part(self, tree, ids, is_new_allowed=False):
        part = find_part(tree, ids)
        is_place_known = not ids[:-1] or find_part(tree, ids[:-1]) is not None
        if part is None and not (is_new_allowed and is_place_known):
            raise NotFound
        return part

    @api.model
    def _is_part_newer(self, part, changed, parse, version):
        stored = parse(part, version, tolerances=LAX).last_updated
        return bool(stored and changed.last_updated and changed.last_updated < stored)

    def _take_tree(self, connection, version, address, tree, received_at):
        text = write_json(tree)
        obj = self._read(connection, version, address, text)
        return self._take(connection, version, obj, text.decode(), received_at)

    @api.model
    def _known(self, company, places):
        """The locations and connectors that CDRs or sessions may name: two queries, however many.

        :param places: tuples (country code, party id, core CdrLocation).
        :return: KnownPlaces.
        """
        keys = {location_key(*place) for place in places}
        locations = self.search_fetch(
            [("company_id", "=", company.id), ("ocpi_key", "in", keys)], ["ocpi_key", "time_zone"]
        )
        connectors = self.env["emsp.location.connector"].with_context(active_test=False)
        evse_ids = {upper(place.evse_id) for __, __, place in places if place.evse_id}
        found = connectors.search_fetch(
            [
                ("company_id", "=", company.id),
                "|",
                ("location_id", "in", locations.ids),
                ("evse_id_key", "in", evse_ids),
            ],
            ["location_id", "evse_uid", "evse_id_key", "connector_id"],
        )
        return KnownPlaces(
            {location.ocpi_key: location for location in locations},
            {(c.location_id.id, upper(c.evse_uid), upper(c.connector_id)): c for c in found},
            {(c.evse_id_key, upper(c.connector_id)): c for c in found if c.evse_id_key},
            connectors.browse(),
        )


def location_key(country_code, party_id, place):
    return f"{country_code}*{party_id}*{place.id or ''}".upper()


def upper(text):
    return (text or "").upper()
