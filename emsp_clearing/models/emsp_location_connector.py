from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core.checks.ocmf import OcmfError, read_key
from ..core.money import to_float
from .emsp_ocpi_object import SEARCHED_FIELDS

# Sessions and CDRs hold the location as a whole.
WHOLE_PLACES = "2.1.1"

# What rules and prices of CDRs go by.
JUDGED_BY = {"capacity_kw", "evse_id", "tariff_codes"}


class EmspLocationConnector(models.Model):
    """A connector of a known location: what it is called, and what it can deliver."""

    _name = "emsp.location.connector"
    _description = "Connector of an OCPI location"
    _check_company_auto = True
    _order = "location_id, evse_uid, connector_id, id"

    location_id = fields.Many2one(
        "emsp.location", required=True, readonly=True, check_company=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="location_id.company_id", store=True, index=True)
    active = fields.Boolean(
        default=True, readonly=True, help="Not any more when the location comes without the connector."
    )
    evse_uid = fields.Char(string="EVSE uid", required=True, readonly=True)
    evse_id = fields.Char(string="EVSE", readonly=True, help="Its id by eMI3, as drivers and CDRs name it.")
    evse_id_key = fields.Char(readonly=True, index="btree_not_null", help="The EVSE's id in upper case.")
    evse_status = fields.Char(string="Status", readonly=True)
    connector_id = fields.Char(required=True, readonly=True)
    standard = fields.Char(readonly=True)
    connector_format = fields.Char(string="Format", readonly=True)
    power_type = fields.Char(string="Power", readonly=True)
    capacity_kw = fields.Float(
        string="Capacity (kW)", digits=(16, 3), readonly=True, help="0 where the CPO does not tell."
    )
    meter_public_key = fields.Text(
        string="Meter's public key",
        help="Of the meter behind it: hexadecimal, Base64 or PEM. Signed meter values are verified with it.",
    )
    tariff_codes = fields.Char(string="Tariff ids", readonly=True)

    _place_unique = models.UniqueIndex("(location_id, evse_uid, connector_id)")

    @api.depends("evse_id", "evse_uid", "connector_id")
    def _compute_display_name(self):
        for connector in self:
            connector.display_name = f"{connector.evse_id or connector.evse_uid} / {connector.connector_id}"

    @api.constrains("meter_public_key")
    def _check_meter_public_key(self):
        for connector in self.filtered("meter_public_key"):
            try:
                read_key(connector.meter_public_key)
            except OcmfError as error:
                raise ValidationError(
                    self.env._(
                        "The key of the meter at %(connector)s cannot be read. Expected: the public key of "
                        "an elliptic curve (DER), as hexadecimal, Base64 or PEM.",
                        connector=connector.display_name,
                    )
                ) from error

    def write(self, vals):
        result = super().write(vals)
        if "meter_public_key" in vals:
            for connector in self:
                domain = [("location_connector_id", "=", connector.id)]
                self.env["emsp.cdr"]._enqueue_recheck(connector, domain)
        return result

    def _place_for(self, version):
        """The location as a core object, for what is written in a version; None if that needs none."""
        return self.location_id._to_core() if self and version == WHOLE_PLACES else None

    def _read_places(self, version):
        """Read together what `_place_for` needs of each of the connectors."""
        if version == WHOLE_PLACES:
            self.location_id.fetch(SEARCHED_FIELDS)

    @api.model
    def _follow(self, location, obj):
        """Make the connectors of a location those of `obj`; those it has lost are archived.

        :param obj: core Location.
        :return: whether CDRs may be judged otherwise now.
        """
        stored = self.with_context(active_test=False).search_fetch([("location_id", "=", location.id)])
        known = {(row.evse_uid.upper(), row.connector_id.upper()): row for row in stored}
        wanted = {
            (evse.uid.upper(), connector.id.upper()): self._prepare_vals(evse, connector)
            for evse in obj.evses
            for connector in evse.connectors
        }
        changes = set()
        for place in wanted.keys() & known.keys():
            changes |= known[place]._write_changes(wanted[place])
        new = [vals for place, vals in wanted.items() if place not in known]
        lost = [row.id for place, row in known.items() if place not in wanted and row.active]
        self.create([{"location_id": location.id, **vals} for vals in new])
        self.browse(lost).write({"active": False})
        return bool(new or changes & JUDGED_BY)

    @api.model
    def _prepare_vals(self, evse, connector):
        return {
            "active": True,
            "evse_uid": evse.uid,
            "evse_id": evse.evse_id,
            "evse_id_key": evse.evse_id and evse.evse_id.upper(),
            "evse_status": evse.status,
            "connector_id": connector.id,
            "standard": connector.standard,
            "connector_format": connector.format,
            "power_type": connector.power_type,
            "capacity_kw": to_float(connector.capacity_kw) if connector.capacity_kw else 0.0,
            "tariff_codes": ", ".join(connector.tariff_ids) or False,
        }

    def _write_changes(self, vals):
        """Most messages change the status of one EVSE: the other rows need no update.

        :return: names of the fields that changed.
        """
        changes = {name: value for name, value in vals.items() if self[name] != (value or False)}
        if changes:
            self.write(changes)
        return changes.keys()
