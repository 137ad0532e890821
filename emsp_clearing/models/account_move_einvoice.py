from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, formatLang, html2plaintext

from ..core.money import from_float
from ..report.emsp_einvoice import (
    CREDIT_TRANSFER,
    SEPA_CREDIT_TRANSFER,
    Address,
    Discount,
    Facts,
    Note,
    Party,
    Payment,
    PrecedingInvoice,
    SupportingDocument,
    check_xsd,
)

MEGABYTE = 1_000_000


class AccountMoveEinvoice(models.Model):
    """What the e-invoice of a clearing document says; Odoo's builders ask here.

    The three references have the names that Odoo's own builder of Factur-X looks for.
    """

    _inherit = "account.move"

    buyer_reference = fields.Char(copy=False, help="By which the customer routes the invoice (BT-10).")
    purchase_order_reference = fields.Char(copy=False, help="The customer's purchase order (BT-13).")
    contract_reference = fields.Char(copy=False, help="The contract that is billed (BT-12).")

    def _get_einvoice_format(self):
        """:return: the contract's format; False where the partner's counts."""
        return self._get_settlement_sudo().einvoice_format

    def _check_einvoice(self):
        """:raise UserError: when the e-invoice would lack what its rules ask for."""
        self.ensure_one()
        errors = self._get_einvoice_errors()
        if errors:
            raise UserError(
                self.env._(
                    "The e-invoice of %(invoice)s is not valid: %(reasons)s",
                    invoice=self.name or self.display_name,
                    reasons=" ".join(errors),
                )
            )

    def _get_einvoice_errors(self, built=None):
        """
        :param dict built: XML by model name of its builder, of those e-invoices that are made already.
        :return: what is wrong with each e-invoice that leaves with the document, as sentences.
        """
        builders = self._get_einvoice_builders()
        errors = [*self._get_discount_errors(), *self._get_outside_errors()] if builders else []
        for builder in builders if not errors else ():
            made = (built or {}).get(builder._name)
            xml, found = (made, ()) if made else builder._export_invoice(self)
            errors += sorted(map(str, found)) or check_xsd(xml)
        if any(builder._name != "account.edi.xml.cii" for builder in builders):
            errors += self._get_address_errors()
        return list(dict.fromkeys(errors))

    def _get_einvoice_builders(self):
        edi_format = self._get_einvoice_format()
        if edi_format == "none":
            return []
        default = self.env["account.move.send"]._get_default_invoice_edi_format(self)
        # A Factur-X is embedded whatever the format, as account_edi_ubl_cii does.
        formats = ["facturx"] + ([default] if default and default != "facturx" else [])
        builders = (self.commercial_partner_id._get_edi_builder(name) for name in formats)
        return [builder for builder in builders if builder is not None]

    def _get_discount_errors(self):
        """Odoo's Factur-X leaves out the lines by which such a term lessens the VAT (BR-CO-15)."""
        if not any(line.display_type == "epd" for line in self.line_ids):
            return []
        return [
            self.env._(
                "Payment term %(term)s reduces the tax when the invoice is made; an e-invoice needs a cash "
                "discount that reduces it on early payment, or never.",
                term=self.invoice_payment_term_id.name,
            )
        ]

    def _get_outside_errors(self):
        """What is not subject to VAT stands alone (BR-O-11), and names no VAT number: another one must tell
        the seller (BR-CO-26)."""
        categories = self._get_einvoice_categories()
        if "O" not in categories:
            return []
        errors = []
        if len(categories) > 1:
            errors.append(
                self.env._("An e-invoice that is not subject to VAT (category O) has no other taxed lines.")
            )
        seller = self.company_id.partner_id.commercial_partner_id
        if not seller._get_legal_registration():
            errors.append(
                self.env._(
                    "%(company)s needs its company registry number: an e-invoice that is not subject to VAT "
                    "(category O) has no VAT number.",
                    company=seller.display_name,
                )
            )
        return errors

    def _get_einvoice_categories(self):
        """:return: set of the categories of its lines (EN 16931, BT-151)."""
        edi = self.env["account.edi.common"]
        customer, supplier = self.commercial_partner_id, self.company_id.partner_id.commercial_partner_id
        taxes = self.invoice_line_ids.tax_ids
        return {edi._get_tax_category_code(customer, supplier, tax) for tax in taxes}

    def _get_address_errors(self):
        """PEPPOL-EN16931-R010 and R020: both parties have an electronic address."""
        return [
            self.env._(
                "%(partner)s has no electronic address (Peppol) and no e-mail address.",
                partner=partner.display_name,
            )
            for partner in (self.commercial_partner_id, self.company_id.partner_id)
            if not partner._get_electronic_address()
        ]

    def _get_einvoice_facts(self):
        """:return: Facts, in the language of the context."""
        self.ensure_one()
        return Facts(
            seller=self._get_einvoice_party(
                self.company_id.partner_id, self.company_id.partner_id.commercial_partner_id
            ),
            buyer=self._get_einvoice_party(self._get_document_recipient(), self.commercial_partner_id),
            period=self._get_einvoice_period(),
            delivered=self.delivery_date or self._get_einvoice_period()[1],
            buyer_reference=self._get_einvoice_buyer_reference(),
            purchase_order=self.purchase_order_reference or "",
            contract=self.contract_reference or "",
            notes=tuple(self._get_einvoice_notes()),
            preceding=tuple(self._get_preceding_invoices()),
            documents=tuple(self._get_supporting_documents()),
            payment=self._get_einvoice_payment(),
            accounting_tax=self._get_accounting_tax(),
            line_attributes=tuple(
                tuple(line._get_einvoice_attributes())
                for line in self.invoice_line_ids
                if line.display_type == "product"
            ),
            is_outside="O" in self._get_einvoice_categories(),
            process=self._get_einvoice_process(),
        )

    def _get_einvoice_period(self):
        """:return: (first day, last day) of what is billed."""
        settlements = self._get_settlements_sudo()
        return min(settlements.mapped("date_first")), max(settlements.mapped("date_last"))

    def _get_einvoice_process(self):
        """BT-23; between French parties what is invoiced (BR-FR-08): B1 goods, S1 services."""
        if not self._is_between_french():
            return ""
        inputs = self._get_settlement_sudo().vat_inputs or {}
        return "S1" if inputs.get("supply_model") == "service" else "B1"

    def _get_einvoice_buyer_reference(self):
        """Peppol wants one on each invoice; the contract's own is known to both sides."""
        return self.buyer_reference or self.commercial_partner_id.ref or self.contract_reference or self.name

    def _get_einvoice_party(self, partner, company):
        """:param partner: whose postal address counts; its country is that of `company` where it has none."""
        return Party(
            name=company.name,
            address=Address(
                street=partner.street or "",
                street2=partner.street2 or "",
                zip=partner.zip or "",
                city=partner.city or "",
                country=partner.country_code or company.country_code or "",
            ),
            registration=company._get_legal_registration(),
            electronic_address=company._get_electronic_address(),
        )

    def _get_einvoice_notes(self):
        """:return: [Note], those of the law with their subject."""
        legal = [Note(note["text"], note["code"]) for note in self._get_legal_notes()]
        known = {note.text for note in legal}
        notes = [*legal, *(Note(text) for text in self._get_tax_mentions() if text not in known)]
        notes.append(Note(html2plaintext(self.narration or "").strip()))
        if "O" in self._get_einvoice_categories() and self.company_id.vat:
            # The law wants it (Directive 2006/112/EC, article 226 (3)), where EN 16931 has no place for it.
            number = self.company_id.vat
            notes.append(Note(self.env._("VAT number of the seller: %(number)s", number=number), "REG"))
        if self.emsp_annex_id and not self._is_annex_inside():
            name = self.emsp_annex_id.name
            text = self.env._("The session annex %(file)s is sent beside this e-invoice.", file=name)
            notes.append(Note(text))
        return [note for note in notes if note.text]

    def _get_preceding_invoices(self):
        """The invoice that this document reverses, and those whose sessions its credit CDRs take back."""
        credits = self._get_sessions_sudo().search([("move_id", "=", self.id), ("is_credit", "=", True)])
        moves = (self.reversed_entry_id | credits.credited_cdr_id.move_id) - self
        return [
            PrecedingInvoice(move.name, move.invoice_date)
            for move in moves.sorted(lambda move: (move.invoice_date, move.name))
        ]

    def _get_supporting_documents(self):
        """The session annex; too large a one is named only, and goes beside the e-invoice."""
        annex = self.emsp_annex_id
        if not annex:
            return []
        content = annex.raw if self._is_annex_inside() else None
        return [SupportingDocument(annex.name, self._get_annex_description(), annex.mimetype, content)]

    def _is_annex_inside(self):
        limit = min(self._get_settlements_sudo().contract_id.mapped("einvoice_annex_limit_mb"))
        return self.emsp_annex_id.file_size <= limit * MEGABYTE

    def _get_annex_description(self):
        """BT-123; between French parties one of the words that the reform admits (BR-FR-17)."""
        if self._is_between_french():
            return "DOCUMENT_ANNEXE"
        return self.env._("Session annex: every session that this document bills")

    def _get_einvoice_payment(self):
        bank = self.partner_bank_id
        means = None
        if bank:
            is_sepa = bank.acc_type == "iban" and self.currency_id.name == "EUR"
            means = SEPA_CREDIT_TRANSFER if is_sepa else CREDIT_TRANSFER
        return Payment(
            means=means,
            terms=self._get_einvoice_terms(),
            due=self.invoice_date_due or self.invoice_date,
            account_name=(bank.acc_holder_name or bank.partner_id.name or "") if bank else "",
            bic=(bank.bank_bic or "") if bank else "",
            discount=self._get_einvoice_discount(),
        )

    def _get_einvoice_discount(self):
        term = self.invoice_payment_term_id
        if not self.line_ids.filtered("discount_date"):
            return None
        of_net = term.early_pay_discount_computation == "excluded"
        base = from_float(self.amount_untaxed, self.currency_id.decimal_places) if of_net else None
        return Discount(term.discount_days, from_float(term.discount_percentage, 2), base)

    def _get_einvoice_terms(self):
        """The payment term's words, or the due date, and what an early payment saves (BT-20)."""
        term = self.invoice_payment_term_id
        text = html2plaintext(term.note or "").strip() or term.name
        text = text or self.env._("Due on %(date)s", date=format_date(self.env, self.invoice_date_due))
        line = self.line_ids.filtered("discount_date")[:1]
        if not line:
            return text
        early = self.env._(
            "%(percentage)s %% discount if paid by %(date)s: %(amount)s",
            percentage=formatLang(self.env, term.discount_percentage, digits=2),
            date=format_date(self.env, line.discount_date),
            amount=formatLang(self.env, abs(line.discount_amount_currency), currency_obj=self.currency_id),
        )
        return f"{text}. {early}"

    def _get_accounting_tax(self):
        """:return: (currency, VAT in it) where the books are kept in another currency than the invoice."""
        books = self.company_id.currency_id
        if books == self.currency_id:
            return None
        amount = -sum(self.line_ids.filtered("tax_line_id").mapped("balance")) * (
            -1 if self.move_type == "out_refund" else 1
        )
        return books.name, from_float(amount, books.decimal_places)


class AccountMoveLineEinvoice(models.Model):
    _inherit = "account.move.line"

    def _get_einvoice_attributes(self):
        """:return: [(name, value)] of what the line bills (BT-160, BT-161); numbers with a decimal point."""
        self.ensure_one()
        if not self.emsp_session_count:
            return []
        attributes = [(self.env._("Sessions"), str(self.emsp_session_count))]
        if self.emsp_unit:
            unit = dict(self._fields["emsp_unit"]._description_selection(self.env))[self.emsp_unit]
            currency = self.currency_id.name
            attributes += [
                (self.env._("Billed quantity (%(unit)s)", unit=unit), _plain(self.emsp_quantity, 4)),
                (
                    self.env._("Unit price (%(currency)s)", currency=currency),
                    _plain(self.emsp_unit_price, 6),
                ),
            ]
        return attributes


def _plain(number, digits):
    """ "1639.996": no thousands separators, no zeros at the end."""
    return f"{from_float(number, digits).normalize():f}"
