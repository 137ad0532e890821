from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..core import vat

REGIMES = [
    ("domestic", "Taxed in the seller's country"),
    ("domestic_reverse", "Domestic reverse charge"),
    ("eu_reverse", "Reverse charge to another EU country"),
    ("outside", "Outside the EU, not taxable"),
    ("local", "Taxed where the chargers stand"),
    ("undecided", "Undecided"),
]
AREAS = [
    ("any", "Anywhere"),
    ("same", "In the seller's country"),
    ("eu", "In another EU country"),
    ("outside", "Outside the EU"),
]
CATEGORIES = [
    ("S", "S: taxed"),
    ("AE", "AE: reverse charge"),
    ("Z", "Z: zero rated"),
    ("E", "E: exempt"),
    ("G", "G: export"),
    ("O", "O: not subject to VAT"),
]
REPLACED_RATE = 0.0


class EmspVatRule(models.Model):
    """One line of the table from which VAT is decided; the first that holds in the table's order wins.

    What was decided keeps its own copy of the result, so a change here touches later settlements only.
    """

    _name = "emsp.vat.rule"
    _description = "VAT rule"
    _inherit = ["mail.thread"]
    _check_company_auto = True
    _order = "sequence, id"

    name = fields.Char(string="Rule", required=True, translate=True)
    sequence = fields.Integer(default=10, help="The first rule that holds decides.")
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one("res.company", index=True, help="Empty: for all companies.")
    seller_country_id = fields.Many2one(
        "res.country", string="Seller in", tracking=True, help="Empty: any country of the European Union."
    )
    buyer_area = fields.Selection(AREAS, string="Buyer is", required=True, default="any", tracking=True)
    buyer_country_id = fields.Many2one(
        "res.country", string="Buyer in", tracking=True, help="Empty: every country of that area."
    )
    supply_model = fields.Selection(
        [("any", "Any"), ("goods", "Electricity"), ("service", "A service")],
        string="What is sold",
        required=True,
        default="goods",
        tracking=True,
    )
    buyer_dealer = fields.Selection(
        "_selection_answer", string="Buyer is a dealer", required=True, default="any", tracking=True
    )
    seller_dealer = fields.Selection(
        "_selection_answer", string="Seller is a dealer", required=True, default="any", tracking=True
    )
    charger = fields.Selection(
        [
            ("any", "Anywhere"),
            ("seller", "In the seller's country"),
            ("buyer", "In the buyer's country"),
            ("other", "In a third country"),
        ],
        string="Chargers stand",
        required=True,
        default="any",
        tracking=True,
    )
    buyer_registered = fields.Boolean(
        string="Only with a VAT number",
        tracking=True,
        help="The rule is passed over unless the buyer has a VAT number of its own country.",
    )
    valid_from = fields.Date(
        string="From", tracking=True, help="First day of supply. Empty: without beginning."
    )
    valid_to = fields.Date(string="Until", tracking=True, help="Last day of supply. Empty: without end.")
    regime = fields.Selection(
        REGIMES,
        required=True,
        tracking=True,
        help="Undecided: settlements wait until an accountant decides.",
    )
    category = fields.Selection(
        CATEGORIES, string="E-invoice category", tracking=True, help="EN 16931, BT-118."
    )
    exemption_code = fields.Char(
        string="Exemption code", tracking=True, help="EN 16931, BT-121; VATEX-EU-AE for reverse charge."
    )
    place = fields.Selection(
        [
            ("seller", "The seller's country"),
            ("buyer", "The buyer's country"),
            ("charger", "Where the chargers stand"),
        ],
        string="Place of supply",
        required=True,
        default="seller",
        tracking=True,
    )
    is_due_by_15th = fields.Boolean(
        string="Invoice by the 15th",
        tracking=True,
        help="Of the month after the supply (Directive 2006/112/EC, article 222). "
        "What is invoiced later is listed for the tax adviser.",
    )
    legal_basis = fields.Char(translate=True, help="Printed on the invoice, in the language of the partner.")
    note = fields.Text(translate=True, help="Why the rule is so, and what to check. Not printed.")
    fiscal_position_id = fields.Many2one(
        "account.fiscal.position",
        company_dependent=True,
        check_company=True,
        help="Of the company that is switched on. Empty: the one that Odoo finds for the partner, "
        "if its taxes have the category above.",
    )

    _dates_in_order = models.Constraint(
        "CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to)",
        "A rule ends after it begins.",
    )

    @api.model
    def _selection_answer(self):
        return [("any", self.env._("Any")), ("yes", self.env._("Yes")), ("no", self.env._("No"))]

    @api.constrains("regime", "category")
    def _check_category(self):
        for rule in self:
            if rule.regime != vat.UNDECIDED and not rule.category:
                raise ValidationError(
                    self.env._("Rule %(rule)s needs the category of the e-invoice.", rule=rule.name)
                )
            if rule.regime in vat.REVERSE_CHARGE and rule.category != "AE":
                raise ValidationError(
                    self.env._("Rule %(rule)s: a reverse charge has category AE.", rule=rule.name)
                )

    @api.model
    def _of(self, company):
        """The table of a company, in its order."""
        return self.search([("company_id", "in", (False, company.id))])

    def _as_core(self):
        """:return: [core Rule]"""
        return [
            vat.Rule(
                key=rule.id,
                seller=rule.seller_country_id.code or "EU",
                buyer_area=rule.buyer_area,
                buyer=rule.buyer_country_id.code or "",
                model=rule.supply_model,
                buyer_dealer=rule.buyer_dealer,
                seller_dealer=rule.seller_dealer,
                charger=rule.charger,
                buyer_registered=rule.buyer_registered,
                regime=rule.regime,
                category=rule.category or "",
                vatex=rule.exemption_code or "",
                place=rule.place,
                by_15th=rule.is_due_by_15th,
                valid_from=rule.valid_from or None,
                valid_to=rule.valid_to or None,
            )
            for rule in self
        ]

    def action_make_fiscal_position(self):
        """Make tax and fiscal position of the category for the current company, for who has none."""
        self.ensure_one()
        if self.category in (False, "S") or self.fiscal_position_id:
            raise UserError(
                self.env._(
                    "A tax of 0 % is made for a rule whose category is not S and that has no fiscal position."
                )
            )
        company = self.env.company
        replaced = self.env["account.tax"].search(
            [
                *self.env["account.tax"]._check_company_domain(company),
                ("type_tax_use", "=", "sale"),
                ("amount", ">", 0),
            ]
        )
        home = company.account_fiscal_country_id
        replaced = replaced.filtered(lambda tax: tax.country_id == home) or replaced
        if not replaced:
            raise UserError(self.env._("%(company)s has no sales tax to be replaced.", company=company.name))
        position = self.env["account.fiscal.position"].create({"name": self.name, "company_id": company.id})
        self.env["account.tax"].create(self._prepare_tax_vals(company, position, replaced))
        self.fiscal_position_id = position
        return position.get_formview_action()

    def _prepare_tax_vals(self, company, position, replaced):
        return {
            "name": self.env._("0%% %(category)s (%(rule)s)", category=self.category, rule=self.id),
            "description": self.name,
            "company_id": company.id,
            "country_id": replaced[0].country_id.id,
            "type_tax_use": "sale",
            "amount_type": "percent",
            "amount": REPLACED_RATE,
            "invoice_label": dict(CATEGORIES)[self.category],
            "tax_group_id": replaced[0].tax_group_id.id,
            "ubl_cii_tax_category_code": self.category,
            "ubl_cii_tax_exemption_reason_code": self.exemption_code,
            "fiscal_position_ids": position.ids,
            "original_tax_ids": replaced.ids,
        }
