import msgspec
from markupsafe import Markup

from odoo import api, fields, models

from ..core.errors import PricingError
from ..core.ocpi.normalise import tariff_payload, write_json
from ..core.pricing.grid import compile_grid, first_member
from ..core.pricing.lint import lint_tariff
from ..core.pricing.tariff import compile_tariff
from .emsp_price_grid_line import PRICING_FIELDS, group_key
from .lint_messages import lint_text

# Shown in the tariff's text as long as the company has no connection that names it.
NO_PARTY = ("XX", "XXX")
# What `find_conflicts` tells of the lines themselves.
TOLD_BY_LINES = frozenset({"unreachable_element", "unreachable_component", "duplicate_component"})
LINE_FIELDS = tuple(f"line_ids.{name}" for name in PRICING_FIELDS)


class EmspPriceGridTariff(models.Model):
    """The OCPI tariffs that a grid compiles into, and what is odd about them."""

    _inherit = "emsp.price.grid"

    warnings = fields.Html(
        compute="_compute_warnings", help="Lines that overlap or never apply; told while they are edited."
    )
    tariff_json = fields.Text(
        string="OCPI tariff",
        compute="_compute_tariff_json",
        help="What a partner is given (OCPI 2.2.1, 11.3.1). Times are priced by the hour there.",
    )

    @api.depends(*LINE_FIELDS)
    @api.depends_context("lang")
    def _compute_warnings(self):
        for grid in self:
            texts = [*grid._ordered_lines()._conflict_texts(), *grid._oddity_texts()]
            items = Markup("").join(Markup("<li>%s</li>") % text for text in texts)
            grid.warnings = Markup('<ul class="mb-0">%s</ul>') % items if items else False

    def _oddity_texts(self):
        """Sentences on prices and hours that were probably not meant so; each once."""
        self.ensure_one()
        lines = self.line_ids.filtered("component")
        if not lines or any(line._problems() for line in lines):
            return []
        # A pair of groups without a price is no free tariff: its sessions are held.
        tariffs = [self._to_tariff(*NO_PARTY, *groups) for groups in self._variants()]
        lints = [
            lint
            for tariff in tariffs
            for lint in (lint_tariff(tariff) if tariff.elements else ())
            if lint.code not in TOLD_BY_LINES and (lint.severity != "info" or lint.code == "free_tariff")
        ]
        return list(dict.fromkeys(lint_text(self.env, lint) for lint in lints))

    @api.depends("code", "version", "currency_id", "company_id", *LINE_FIELDS)
    @api.depends_context("lang")
    def _compute_tariff_json(self):
        for grid in self:
            party = grid._own_party()
            texts = [grid._variant_text(*groups, party=party) for groups in grid._variants()]
            grid.tariff_json = "\n\n".join(texts)

    def _variants(self):
        """The (location group, customer group) pairs that may be priced apart, that of none first.

        :return: list of pairs of records.
        """
        locations = [self.env["emsp.location.group"], *self.line_ids.location_group_id]
        customers = [self.env["emsp.customer.group"], *self.line_ids.customer_group_id]
        return [(location, customer) for location in locations for customer in customers]

    def _own_party(self):
        """The country code and party id under which the company's prices are published."""
        connection = self.env["emsp.ocpi.connection"].search(
            [("company_id", "=", self.company_id.id), ("our_role", "=", "CPO")], limit=1
        )
        return (connection.country_code, connection.ocpi_party_id) if connection else NO_PARTY

    def _variant_text(self, location_group, customer_group, party):
        """A variant as it is sent, but over several lines; a comment says whose it is."""
        sent = write_json(tariff_payload(self._to_tariff(*party, location_group, customer_group)))
        text = msgspec.json.format(sent, indent=2).decode()
        if len(self._variants()) == 1:
            return text
        comment = self.env._(
            "Chargers: %(chargers)s. Customers: %(customers)s.",
            chargers=location_group.name or self.env._("all others"),
            customers=customer_group.name or self.env._("all others"),
        )
        return f"// {comment}\n{text}"

    def _tariff_code(self):
        return self.code or "" if self.version == 1 else f"{self.code}-{self.version}"

    def _to_tariff(self, country_code, party_id, location_group=None, customer_group=None):
        """The grid as an OCPI tariff of the given party (OCPI 2.2.1, 11.3.1).

        It carries no validity: which version rules is decided in the contract's own time zone.

        :param location_group: emsp.location.group; none is for chargers in no group.
        :param customer_group: emsp.customer.group; none is for customers in no group.
        """
        self.ensure_one()
        return compile_grid(
            code=self._tariff_code(),
            country_code=country_code,
            party_id=party_id,
            currency=self.currency_id.name,
            lines=[line._to_core() for line in self._ordered_lines() if line.component],
            location_group=group_key(location_group),
            customer_group=group_key(customer_group),
        )

    def _tariff_for(self, cdr, cache):
        """The variant for the CDR's charger and customer.

        :param dict cache: shared by a batch of CDRs: groups are read and tariffs compiled once.
        :return: CompiledTariff.
        :raise PricingError: no_tariff, when the grid has prices for other groups only.
        """
        self.ensure_one()
        location_group, customer_group = self._groups_of(cdr, cache)
        party = (cdr.ocpi_country_code, cdr.ocpi_party_id)
        key = (self.id, *party, location_group, customer_group)
        if key not in cache:
            cache[key] = compile_tariff(self._to_tariff(*party, location_group, customer_group))
        if not cache[key].tariff.elements:
            raise PricingError(
                "no_tariff", "cdr_location", expected="a price for this charger and customer", got="none"
            )
        return cache[key]

    def _groups_of(self, cdr, cache):
        """:return: the first location group and the first customer group that the CDR is in; may be empty."""
        key = (self.id, "groups")
        if key not in cache:
            cache[key] = self._memberships()
        locations, customers = cache[key]
        # Only a group that names location ids is worth reading the payload.
        by_id = any(membership.ids for __, membership in locations)
        location_id = cdr._received_cdr().cdr_location.id if by_id else None
        return (
            first_member(locations, location_id, cdr.evse_id),
            first_member(customers, cdr.token_uid, cdr.emaid),
        )

    def _memberships(self):
        """The groups of the lines in their order, each with its membership: locations, customers."""
        return tuple(
            [
                (group, group._membership())
                for group in groups.sorted(lambda group: (group.sequence, group.id))
            ]
            for groups in (self.line_ids.location_group_id, self.line_ids.customer_group_id)
        )
