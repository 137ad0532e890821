from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core import vat
from ..core.mentions import NAMES, unknown_placeholders
from .emsp_vat_rule import AREAS

KINDS = [
    ("reverse_charge", "Reverse charge"),
    ("legal_basis", "Legal basis of the VAT"),
    ("not_taxable", "Not taxable"),
    ("supply_time", "Time of supply"),
    ("nature", "Nature of the supply"),
    ("late_interest", "Late-payment interest"),
    ("indemnity", "Fixed sum for recovery costs"),
    ("discount", "Discount for early payment"),
    ("other", "Other"),
]


class EmspLegalMention(models.Model):
    """Words that the law wants on a clearing document: when they are printed, and what they say.

    A posted document keeps the words it was posted with.
    """

    _name = "emsp.legal.mention"
    _description = "Legal mention"
    _inherit = ["mail.thread"]
    _check_company_auto = True
    _order = "sequence, id"

    name = fields.Char(
        string="Title", required=True, translate=True, help="For the list of mentions; not printed."
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one("res.company", index=True, help="Empty: for all companies.")
    kind = fields.Selection(KINDS, required=True, default="other", tracking=True)
    text = fields.Text(
        required=True, translate=True, help="Printed in the language of the partner; see the placeholders."
    )
    interest_rate = fields.Float(
        digits=(6, 2), tracking=True, help="What %(interest_rate)s stands for: points, or percent a year."
    )
    seller_country_id = fields.Many2one(
        "res.country", string="Seller in", tracking=True, help="Empty: any country."
    )
    buyer_area = fields.Selection(AREAS, string="Buyer is", required=True, default="any", tracking=True)
    buyer_country_id = fields.Many2one(
        "res.country", string="Buyer in", tracking=True, help="Empty: any country."
    )
    regime = fields.Selection(
        [
            ("any", "Any"),
            ("taxed", "Taxed"),
            ("reverse", "Reverse charge"),
            ("eu_reverse", "Reverse charge to another EU country"),
            ("domestic_reverse", "Domestic reverse charge"),
            ("outside", "Outside the EU, not taxable"),
        ],
        string="VAT regime",
        required=True,
        default="any",
        tracking=True,
    )
    document = fields.Selection(
        [("any", "Invoices and credit notes"), ("out_invoice", "Invoices"), ("out_refund", "Credit notes")],
        string="Printed on",
        required=True,
        default="any",
        tracking=True,
    )
    discount = fields.Selection(
        [
            ("any", "Whatever the payment term"),
            ("yes", "The payment term has a discount"),
            ("no", "The payment term has no discount"),
        ],
        string="Early payment",
        required=True,
        default="any",
        tracking=True,
    )
    is_mandatory = fields.Boolean(
        string="Wanted by law",
        tracking=True,
        help="Where it is archived and no other mention of its kind takes its place, settlements warn.",
    )
    note_code = fields.Char(
        string="E-invoice note code",
        size=3,
        tracking=True,
        help="Subject of the note in the e-invoice (UNTDID 4451, BT-21): PMD penalties, PMT recovery costs, "
        "AAB discount, REG regulatory.",
    )
    valid_from = fields.Date(
        string="From", tracking=True, help="First invoice date. Empty: without beginning."
    )
    valid_to = fields.Date(string="Until", tracking=True, help="Last invoice date. Empty: without end.")

    @api.constrains("text")
    def _check_text(self):
        for mention in self:
            self._check_placeholders(mention.text)

    def _check_placeholders(self, text):
        unknown = unknown_placeholders(text or "")
        if unknown:
            raise ValidationError(
                self.env._(
                    "Nothing stands for %(unknown)s. A mention may use %(known)s.",
                    unknown=", ".join(f"%({name})s" if name != "%(" else name for name in unknown),
                    known=", ".join(f"%({name})s" for name in sorted(NAMES)),
                )
            )

    def update_field_translations(self, field_name, translations, source_lang=""):
        # EXTENDS base: the dialog of translations goes past the constraints
        if field_name == "text":
            for text in translations.values():
                self._check_placeholders(text)
        return super().update_field_translations(field_name, translations, source_lang=source_lang)

    @api.model
    def _of(self, company):
        """All mentions of a company, also archived ones, in their order."""
        mentions = self.with_context(active_test=False)
        return mentions.search([("company_id", "in", (False, company.id))])

    def _apply_to(self, case):
        """Those that a document calls for.

        :param case: dict with `seller`, `buyer` (alpha-2), `regime` (of core.vat), `document` (move type),
            `has_discount`, `date`.
        """
        return self.filtered(lambda mention: mention._is_called_for(case))

    def _is_called_for(self, case):
        self.ensure_one()
        area = vat.area(case["seller"], case["buyer"]) if case["buyer"] else ""
        return all(
            (
                self.seller_country_id.code in (False, case["seller"]),
                self.buyer_area in ("any", area),
                self.buyer_country_id.code in (False, case["buyer"]),
                self.regime in ("any", *regimes_of(case["regime"])),
                self.document in ("any", case["document"]),
                self.discount in ("any", "yes" if case["has_discount"] else "no"),
                not self.valid_from or self.valid_from <= case["date"],
                not self.valid_to or case["date"] <= self.valid_to,
            )
        )

    def _missing_for(self, case):
        """Mandatory ones that are archived and that no active one of the same kind replaces."""
        called = self._apply_to(case)
        kinds = set(called.filtered("active").mapped("kind"))
        return called.filtered(lambda m: m.is_mandatory and not m.active and m.kind not in kinds)


def regimes_of(regime):
    """What a mention may call a regime of the decision."""
    if regime in vat.REVERSE_CHARGE:
        return (regime, "reverse")
    return ("taxed",) if regime in ("domestic", "local") else (regime,)
