from dataclasses import dataclass, field
from datetime import UTC

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date

from ..core import vat
from ..core.calendar import period_of
from ..core.ocpi.countries import to_alpha_2, to_alpha_3
from .emsp_vat_messages import vat_reason

# Changing one of these is a decision about VAT; who made it and when is kept.
OVERRIDING = ("vat_decided_by", "vat_override_reason", "fiscal_position_id")
OWN_DECISION = "accountant"
BY_ODOO = "odoo"


@dataclass
class Verdict:
    """What holds for one supply: who decided, the core's decision, the rule's record, the fiscal position,
    and sentences about what is missing (they block) and what to know (they do not)."""

    decided_by: str
    decision: vat.Decision
    rule: object
    position: object
    obstacles: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    inputs: dict = field(default_factory=dict)


class EmspContractVat(models.Model):
    """How VAT is decided for a contract, and what is decided as things stand today."""

    _inherit = "emsp.contract"

    supply_model = fields.Selection(
        [
            ("buy_sell", "The eMSP buys and resells the electricity"),
            ("commission", "The eMSP sells in its own name for our account (commission)"),
            ("service", "A service only; the driver buys from us"),
        ],
        string="What the eMSP buys",
        required=True,
        default="buy_sell",
        tracking=True,
        help="The first two are supplies of electricity (CJEU C-282/22 and C-60/23).",
    )
    vat_decided_by = fields.Selection(
        [("rules", "The VAT rules"), (OWN_DECISION, "The accountant")],
        string="VAT decided by",
        required=True,
        default="rules",
        tracking=True,
        help="The accountant: the contract's fiscal position, or the one that Odoo finds, "
        "whatever the rules say.",
    )
    vat_override_reason = fields.Char(
        string="Reason", tracking=True, help="Why the rules do not apply, for whoever checks it later."
    )
    vat_override_by_id = fields.Many2one("res.users", string="Decided by", readonly=True, copy=False)
    vat_override_at = fields.Datetime(string="Decided on", readonly=True, copy=False)
    vat_preview = fields.Html(string="As things stand today", compute="_compute_vat_preview")

    @api.constrains("vat_decided_by", "vat_override_reason")
    def _check_vat_override(self):
        for contract in self:
            if contract.vat_decided_by == OWN_DECISION and not (contract.vat_override_reason or "").strip():
                raise ValidationError(
                    self.env._(
                        "Write why the accountant decides on the VAT of %(contract)s.",
                        contract=contract.display_name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._sign_override(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._sign_override(vals))

    @api.model
    def _sign_override(self, vals):
        if not vals.keys() & set(OVERRIDING):
            return vals
        return {**vals, "vat_override_by_id": self.env.uid, "vat_override_at": fields.Datetime.now()}

    @api.depends("partner_id", "company_id", "supply_model", "vat_decided_by", "fiscal_position_id")
    def _compute_vat_preview(self):
        today = fields.Date.context_today(self)
        for contract in self:
            if not contract.partner_id or contract.partner_role != "emsp":
                contract.vat_preview = False
                continue
            places, assumed = contract._vat_places()
            verdict = contract._vat_verdict(places, today, today)
            verdict.warnings += contract._vat_calendar_warnings(verdict, today)
            if assumed:
                verdict.warnings.append(
                    self.env._("No session waits to be billed; the chargers are taken to stand at home.")
                )
            contract.vat_preview = contract._vat_html(verdict)

    def _vat_places(self):
        """:return: (countries of the chargers with open sessions, whether they are assumed)"""
        groups = self.env["emsp.cdr"]._read_group(
            [("contract_id", "in", self.ids), ("settlement_id", "=", False), ("state", "=", "open")],
            ["location_country"],
        )
        if not groups:
            return frozenset({self._vat_seller().country_id.code or ""}), True
        return frozenset(country_of(name) for (name,) in groups), False

    def _vat_seller(self):
        return self.company_id.partner_id.commercial_partner_id

    def _vat_facts(self, places, first, last):
        """:return: core Facts of a supply from these chargers between two days."""
        self.ensure_one()
        seller, buyer = self._vat_seller(), self.partner_id.commercial_partner_id
        positions = self.env["account.fiscal.position"]
        abroad = positions.search(
            [*positions._check_company_domain(self.company_id), ("foreign_vat", "!=", False)]
        )
        return vat.Facts(
            seller_country=(self.company_id.account_fiscal_country_id or seller.country_id).code or "",
            buyer_country=buyer.country_id.code or "",
            supplied_from=first,
            supplied_until=last,
            seller_vat=seller._emsp_vat_number(),
            buyer_vat=buyer._emsp_vat_number(),
            vies=buyer._emsp_vies(),
            seller_dealer=seller._emsp_dealer(),
            buyer_dealer=buyer._emsp_dealer(),
            places=places,
            model="service" if self.supply_model == "service" else "goods",
            registrations=frozenset(abroad.country_id.mapped("code")),
        )

    def _vat_verdict(self, places, first, last):
        """Decide on a supply. The contract is read as it is now: what blocks could not be mended otherwise.

        :param places: frozenset of the chargers' countries, alpha-2.
        :param first, last: days of the supply, in the contract's time zone.
        :return: Verdict
        """
        facts = self._vat_facts(places, first, last)
        rules = self.env["emsp.vat.rule"].with_company(self.company_id)
        decision = vat.decide(facts, rules._of(self.company_id)._as_core())
        rule = rules.browse(decision.key)
        verdict = Verdict(
            decided_by="rules",
            decision=decision,
            rule=rule,
            position=self.env["account.fiscal.position"],
            inputs=self._vat_inputs(facts),
        )
        if self.vat_decided_by == OWN_DECISION or not decision.regime:
            verdict.decided_by = OWN_DECISION if self.vat_decided_by == OWN_DECISION else BY_ODOO
            verdict.position = self.fiscal_position_id or self._vat_position_by_odoo()
            if not verdict.position and not self._vat_contact().country_id:
                # Odoo would tax it as at home.
                names = self._vat_names(facts, rule)
                verdict.obstacles = [vat_reason(self.env, "buyer_country", names)]
        else:
            names = self._vat_names(facts, rule)
            verdict.obstacles = [vat_reason(self.env, code, names) for code in decision.missing]
        if verdict.decided_by == "rules" and decision.is_decided:
            verdict.position = self._vat_position(verdict)
            verdict.warnings += self._vat_warnings(facts, decision, last)
        verdict.warnings += self._vat_mention_warnings(facts, verdict, last)
        return verdict

    def _vat_position_by_odoo(self):
        positions = self.env["account.fiscal.position"].with_company(self.company_id)
        return positions._get_fiscal_position(self._vat_contact())

    def _vat_contact(self):
        """:return: the partner whose country Odoo goes by."""
        contact = self.partner_id.browse(self.partner_id.address_get(["invoice"])["invoice"])
        return contact._emsp_taxed_as()

    def _vat_position(self, verdict):
        """The contract's fiscal position, else the rule's, else Odoo's or none; it must give the category."""
        category = verdict.decision.category
        chosen = self.fiscal_position_id or verdict.rule.fiscal_position_id
        by_odoo = self._vat_position_by_odoo()
        for position in [chosen] if chosen else [by_odoo, by_odoo.browse()]:
            if self._vat_categories(position) == {category}:
                return position
        refused = chosen or by_odoo
        verdict.obstacles.append(
            self.env._(
                "Decided is category %(category)s (%(rule)s), but fiscal position %(position)s gives "
                "%(found)s: choose another one on the contract or on the VAT rule.",
                category=category,
                rule=verdict.rule.name,
                position=refused.display_name or "-",
                found=", ".join(sorted(self._vat_categories(refused))) or "-",
            )
        )
        return refused

    def _vat_categories(self, position):
        """The e-invoice categories that energy is billed with under a fiscal position."""
        product = self.env.ref("emsp_clearing.product_energy")
        taxes = product.taxes_id._filter_taxes_by_company(self.company_id)
        taxes = position.map_tax(taxes or self.company_id.account_sale_tax_id)
        edi = self.env["account.edi.common"]
        buyer = self.partner_id.commercial_partner_id
        return {edi._get_tax_category_code(buyer, self._vat_seller(), tax) for tax in taxes}

    def _vat_warnings(self, facts, decision, day):
        warnings = []
        if decision.regime in vat.REVERSE_CHARGE and not facts.vies:
            warnings.append(
                self.env._("VIES was not asked about the VAT number of the partner, or gave no answer.")
            )
        until = facts.buyer_dealer.until
        if facts.buyer_dealer.status == vat.YES and until and (until - day).days <= 60:
            warnings.append(
                self.env._(
                    "The partner's proof as a dealer expires on %(date)s.", date=format_date(self.env, until)
                )
            )
        return warnings

    def _vat_mention_warnings(self, facts, verdict, day):
        """Mentions that the law wants on the invoice and that somebody has archived."""
        case = {
            "seller": facts.seller_country,
            "buyer": facts.buyer_country,
            "regime": verdict.decision.regime if verdict.decided_by == "rules" else "",
            "document": "out_invoice",
            "has_discount": self.payment_term_id.early_discount,
            "date": day,
        }
        missing = self.env["emsp.legal.mention"]._of(self.company_id)._missing_for(case)
        return [
            self.env._(
                "Mention “%(mention)s”, which the law wants on the invoice, is archived.",
                mention=mention.name,
            )
            for mention in missing
        ]

    def _vat_calendar_warnings(self, verdict, day):
        """Whether the rhythm of the contract dates its invoices after the 15th."""
        if not verdict.decision.by_15th:
            return []
        period = period_of(fields.Datetime.now().replace(tzinfo=UTC), self._terms())
        limit = vat.invoice_limit(period.first_day)
        if period.invoice_date <= limit:
            return []
        return [
            self.env._(
                "Sessions of %(month)s are invoiced on %(date)s, after the 15th of the next month "
                "(Directive 2006/112/EC, article 222): bill monthly, with fewer days of grace and control.",
                month=format_date(self.env, period.first_day, date_format="MMMM y"),
                date=format_date(self.env, period.invoice_date),
            )
        ]

    def _vat_names(self, facts, rule):
        return {
            "seller": self._vat_seller().name,
            "buyer": self.partner_id.commercial_partner_id.name,
            "seller_country": facts.seller_country,
            "buyer_country": facts.buyer_country,
            "countries": ", ".join(sorted(facts.places)),
            "day": format_date(self.env, facts.supplied_until),
            "rule": rule.name or "-",
        }

    def _vat_inputs(self, facts):
        """The facts as they are stored with a decision."""
        partner = self.partner_id.commercial_partner_id
        return {
            "seller_country": facts.seller_country,
            "seller_vat": facts.seller_vat,
            "seller_dealer": facts.seller_dealer.status,
            "buyer_country": facts.buyer_country,
            "buyer_vat": facts.buyer_vat,
            "buyer_dealer": facts.buyer_dealer.status,
            "dealer_proof": partner.emsp_dealer_proof or "",
            "dealer_until": partner.emsp_dealer_until and partner.emsp_dealer_until.isoformat(),
            "dealer_document": partner.emsp_dealer_filename or "",
            "vies": facts.vies,
            "vies_at": partner.emsp_vies_at and partner.emsp_vies_at.isoformat(),
            "chargers": sorted(facts.places),
            "supply_model": self.supply_model,
            "supplied_from": facts.supplied_from.isoformat(),
            "supplied_until": facts.supplied_until.isoformat(),
        }

    def _vat_html(self, verdict):
        """The verdict as a person reads it."""
        lines = [Markup("<p><strong>%s</strong></p>") % self._vat_headline(verdict)]
        if verdict.rule.legal_basis and verdict.decided_by == "rules" and not verdict.obstacles:
            lines.append(Markup("<p>%s</p>") % verdict.rule.legal_basis)
        for texts, style in ((verdict.obstacles, "danger"), (verdict.warnings, "warning")):
            lines += [Markup('<p class="text-%s">%s</p>') % (style, text) for text in texts]
        return Markup("").join(lines)

    def _vat_headline(self, verdict):
        if verdict.decided_by == OWN_DECISION:
            return self.env._(
                "Decided by the accountant: fiscal position %(position)s.",
                position=verdict.position.display_name or "-",
            )
        if verdict.decided_by == BY_ODOO:
            return self.env._(
                "Not decided by rules, as none speaks about the seller's country; fiscal position by Odoo: "
                "%(position)s.",
                position=verdict.position.display_name or "-",
            )
        if verdict.obstacles:
            return self.env._("Cannot be decided; nothing is invoiced before this is mended:")
        return self.env._(
            "%(rule)s (category %(category)s, place of supply %(place)s); fiscal position: %(position)s.",
            rule=verdict.rule.name,
            category=verdict.decision.category,
            place=verdict.decision.place,
            position=verdict.position.display_name or "-",
        )


def country_of(name):
    """A place's country as stored (OCPI: three letters; peers mix them up) in two letters, "" if unknown."""
    code = to_alpha_2(name or "").upper()
    return code if to_alpha_3(code) != code else ""
