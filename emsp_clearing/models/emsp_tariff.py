from dataclasses import replace

import pytz
from markupsafe import Markup

from odoo import api, fields, models

from ..core.ocpi.normalise import parse_tariff, tariff_payload
from ..core.pricing.lint import lint_tariff
from .emsp_ocpi_object import naive
from .lint_messages import lint_text


class EmspTariff(models.Model):
    """A tariff that a CPO sent us, in one of its versions: a session is priced by the one of its start."""

    _name = "emsp.tariff"
    _description = "OCPI tariff"
    _inherit = ["emsp.ocpi.object"]
    _order = "received_at desc, id desc"
    _ocpi_kind = "tariff"
    _holding = (("is_current", "=", True),)
    _parse_object = staticmethod(parse_tariff)
    _write_object = staticmethod(tariff_payload)

    ocpi_id = fields.Char(string="Tariff id")
    is_current = fields.Boolean(string="Current", readonly=True, default=True, index=True)
    ended_at = fields.Datetime(
        string="Replaced at", readonly=True, help="When the next version came, or its end was told."
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    tariff_type = fields.Char(string="Type", readonly=True)
    valid_from = fields.Datetime(string="From", readonly=True)
    valid_to = fields.Datetime(string="Until", readonly=True)
    version_count = fields.Integer(string="Versions", compute="_compute_version_count")
    oddities = fields.Html(
        compute="_compute_oddities", help="What makes sessions unpriceable, or was probably not meant so."
    )

    _ocpi_key_unique = models.UniqueIndex("(company_id, ocpi_key) WHERE is_current")
    _ocpi_key_versions = models.Index("(company_id, ocpi_key, received_at)")

    @api.depends("ocpi_key", "company_id")
    def _compute_version_count(self):
        counted = self._read_group(
            [("ocpi_key", "in", self.mapped("ocpi_key"))], ["company_id", "ocpi_key"], ["__count"]
        )
        counts = {(company, key): count for company, key, count in counted}
        for tariff in self:
            tariff.version_count = counts.get((tariff.company_id, tariff.ocpi_key), 0)

    @api.depends("payload")
    @api.depends_context("lang")
    def _compute_oddities(self):
        for tariff in self:
            texts = dict.fromkeys(lint_text(self.env, lint) for lint in lint_tariff(tariff._to_core()))
            items = Markup("").join(Markup("<li>%s</li>") % text for text in texts)
            tariff.oddities = Markup('<ul class="mb-0">%s</ul>') % items if items else False

    def action_view_versions(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_tariff_action")
        domain = [("company_id", "=", self.company_id.id), ("ocpi_key", "=", self.ocpi_key)]
        return {**action, "domain": domain, "context": {}}

    def _is_newer_than(self, obj):
        """What came last holds: a price that is billed must not hang on the sender's clock."""
        return False

    def _take(self, connection, version, obj, text, received_at):
        """Keep the version that held, and let the new one hold."""
        vals = self._prepare_received_vals(connection, version, obj, text, received_at)
        self._end(received_at)
        tariff = self._create_received(vals)
        without = [("code", "=", "no_tariff"), ("superseded_at", "=", False)]
        domain = [
            ("state", "=", "quarantine"),
            ("ocpi_country_code", "=ilike", tariff.ocpi_country_code),
            ("ocpi_party_id", "=ilike", tariff.ocpi_party_id),
            ("finding_ids", "any", without),
        ]
        self.env["emsp.cdr"]._enqueue_recheck(tariff, domain)
        return tariff

    def _end(self, ended_at):
        """Let the versions hold no more; they stay for the sessions that began before.

        :param datetime ended_at: naive UTC.
        """
        self.write({"is_current": False, "ended_at": ended_at})
        # The next version is inserted at once, and of each tariff only one may hold.
        self.flush_recordset(["is_current"])

    @api.model
    def _vals_from_object(self, obj, connection):
        currencies = self.env["res.currency"].with_context(active_test=False)
        return {
            "currency_id": currencies.search([("name", "=", obj.currency.upper())], limit=1).id,
            "tariff_type": obj.type,
            "valid_from": obj.start_date_time and naive(obj.start_date_time),
            "valid_to": obj.end_date_time and naive(obj.end_date_time),
        }

    @api.model
    def _offered_to(self, connection, as_of):
        """What a partner pays at our chargers: the price grids of its contracts, each group's by itself.

        :param datetime as_of: naive UTC.
        :return: list of core Tariffs in the order in which the grids were made; empty as long as no
            connection says which party we are.
        """
        own = self._publishing_party(connection)
        if not own:
            return []
        grids = self.env["emsp.price.grid"]
        for contract in connection._contracts():
            if contract.partner_role == "emsp" and contract._covers(as_of):
                grids |= contract._grid_at(as_of)
        tariffs = (
            replace(grid._to_tariff(*own, *groups), last_updated=last_change(grid))
            for grid in grids.sorted("id")
            for groups in grid._variants()
        )
        # Without elements: the grid has prices for other groups only.
        return [tariff for tariff in tariffs if tariff.elements]

    @api.model
    def _publishing_party(self, connection):
        """:return: (country code, party id) of the company's own chargers towards a partner, or None."""
        own_chargers = self.env["emsp.ocpi.connection"].search(
            [("company_id", "=", connection.company_id.id), ("peer_role", "=", "OWN")], order="id", limit=1
        )
        return connection._own_party() or (own_chargers and own_chargers._own_party()) or None


def last_change(grid):
    """Aware UTC: when a price grid was last written, or one of its lines."""
    return pytz.utc.localize(max([grid.write_date, *grid.line_ids.mapped("write_date")]))
