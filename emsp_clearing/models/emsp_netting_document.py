from odoo import models
from odoo.tools import format_date, formatLang

NETTING_REPORT = "emsp_clearing.action_report_netting"


class EmspNettingDocument(models.Model):
    """What the printed statement says, as plain texts, and how it reaches the partner."""

    _inherit = "emsp.netting"

    def _get_netting_document(self):
        """:return: dict of texts, lists and dicts of texts, in the partner's language."""
        self.ensure_one()
        lang = self.partner_id.lang or self.company_id.partner_id.lang or "en_US"
        netting = self.with_context(lang=lang)
        # sudo: as for invoices, an accountant prints without rights on layouts
        layout_sudo = netting.env["emsp.invoice.layout"].sudo()._get_default(self.company_id)
        bank = netting._get_own_bank()
        return {
            "lang": lang,
            "style": layout_sudo._get_style(),
            "issuer": layout_sudo._get_issuer(),
            "title": netting._get_title(),
            "number": self.name,
            "customer": netting._get_document_customer(),
            "facts": netting._get_document_facts(),
            "sides": netting._get_document_sides(),
            "totals": netting._get_document_totals(),
            "has_shared_due": bool(netting.amount_balance),
            "balance": netting._get_balance_words(),
            "payment": netting._get_document_payment(bank),
            "bank": {"iban": bank.acc_number, "bic": bank.bank_bic or ""} if bank else {},
            "notes": netting._get_document_notes(),
        }

    def _get_title(self):
        if self.state == "cancelled":
            return self.env._("Cancelled netting statement")
        return (
            self.env._("Proposed netting statement")
            if self.state == "draft"
            else self.env._("Netting statement")
        )

    def _get_document_customer(self):
        partner = self.partner_id
        return {
            "name": partner.name or "",
            "address": partner._get_document_address(),
            **partner._get_document_vat(),
        }

    def _get_document_facts(self):
        facts = [
            (self.env._("Statement"), self.name),
            (
                self.env._("Documents dated or due"),
                self.env._(
                    "%(first)s to %(last)s", first=self._day(self.date_first), last=self._day(self.date_last)
                ),
            ),
            (self.env._("Currency"), self.currency_id.name),
        ]
        if self.settled_on:
            facts.append((self.env._("Set off on"), self._day(self.settled_on)))
        for contract_sudo in self._get_contracts_sudo().sorted("reference"):
            facts.append(
                (self.env._("Contract %s", contract_sudo.reference), contract_sudo.netting_reference)
            )
        return facts

    def _get_document_sides(self):
        """:return: one dict per side: heading, rows, sums."""
        titles = {
            "ours": self.env._("Documents of %s", self.company_id.name),
            "theirs": self.env._("Documents of %s", self.partner_id.name),
        }
        sides = []
        for side, title in titles.items():
            lines = self.line_ids.filtered(lambda line, s=side: line.side == s).sorted(
                lambda line: (line.date_due, line.id)
            )
            sides.append(
                {
                    "title": title,
                    "rows": [self._get_document_row(line) for line in lines],
                    **{
                        name: self._money(sum(line._amount(f"amount_{name}") for line in lines))
                        for name in ("open", "cleared", "left")
                    },
                }
            )
        return sides

    def _get_document_row(self, line):
        return {
            "document": line.document,
            "detail": self.env._("Credit note") if line.is_credit else "",
            "date": self._day(line.date),
            "due": self._day(line.date_due),
            **{name: self._money(line[f"amount_{name}"]) for name in ("total", "open", "cleared", "left")},
        }

    def _get_document_totals(self):
        us, them = self.company_id.name, self.partner_id.name
        return [
            (
                self.env._("%(debtor)s owes %(creditor)s", debtor=them, creditor=us),
                self._money(self.amount_ours),
            ),
            (
                self.env._("%(debtor)s owes %(creditor)s", debtor=us, creditor=them),
                self._money(self.amount_theirs),
            ),
            (self.env._("Set off on each side"), self._money(self.amount_cleared)),
        ]

    def _get_balance_words(self):
        """:return: (label, amount) of what is transferred."""
        names = {
            "receive": (self.partner_id.name, self.company_id.name),
            "pay": (self.company_id.name, self.partner_id.name),
        }
        if self.direction == "none":
            return self.env._("Nothing to transfer"), self._money(0)
        payer, payee = names[self.direction]
        label = self.env._("%(payer)s transfers to %(payee)s", payer=payer, payee=payee)
        return label, self._money(self.amount_balance)

    def _get_own_bank(self):
        """The account that the balance is transferred to: that of the invoices left open, else our first."""
        # sudo: it is printed, whoever reads the statement
        netting_sudo = self.sudo()
        left_sudo = netting_sudo.line_ids.filtered(lambda line: line.side == "ours" and line.amount_left)
        banks_sudo = left_sudo.move_line_id.move_id.partner_bank_id
        return (banks_sudo or netting_sudo.company_id.partner_id.bank_ids)[:1]

    def _get_document_payment(self, bank):
        """:return: [(label, text)] of the transfer, where the partner makes it."""
        if self.direction != "receive" or not bank:
            return []
        return [
            (self.env._("Amount"), self._money(self.amount_balance)),
            (self.env._("Pay by"), self._day(self.date_due)),
            (self.env._("Pay to"), bank.acc_holder_name or self.company_id.name),
            ("IBAN", bank.acc_number),
            *([("BIC", bank.bank_bic)] if bank.bank_bic else []),
            (self.env._("Reference"), self.payment_reference),
        ]

    def _get_document_notes(self):
        notes = [
            self.env._(
                "This statement is no invoice. The documents above stay as they were issued, with their VAT; "
                "it only sets off what is open on them."
            )
        ]
        if self.direction == "pay":
            notes.append(
                self.env._("We transfer the balance to your account with the reference %s.", self.name)
            )
        for who, moment in self._get_acceptances():
            notes.append(
                self.env._("Accepted by %(who)s on %(date)s.", who=who, date=self._day(moment.date()))
            )
        if self.state == "sent":
            notes.append(self.env._("It takes effect when both sides have accepted it."))
        return notes

    def _get_acceptances(self):
        """:return: list of (who, naive UTC instant), for us first."""
        # sudo: names on the document, also for a user of the portal, who reads no other user
        netting_sudo = self.sudo()
        pairs = [
            (netting_sudo.our_acceptance_id.name, self.company_id.name, self.our_acceptance_at),
            (netting_sudo.their_acceptance_id.name, self.partner_id.name, self.their_acceptance_at),
        ]
        return [
            (name if name == party else f"{name}, {party}", moment) for name, party, moment in pairs if moment
        ]

    def _day(self, day):
        return format_date(self.env, day, date_format="medium") if day else ""

    def _money(self, amount):
        return formatLang(self.env, float(amount), currency_obj=self.currency_id)

    def _render_statement(self):
        """:return: bytes of the PDF."""
        self.ensure_one()
        reports = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        return reports._render_qweb_pdf(NETTING_REPORT, self.ids)[0]

    def _statement_name(self):
        return f"{self.name.replace('/', '-')}.pdf"

    def _mail_statement(self):
        self.env.ref("emsp_clearing.mail_template_netting").send_mail(self.id)

    def _keep_statement(self):
        """As it was settled."""
        self.message_post(
            body=self.env._("Settled: the documents are cleared."),
            attachments=[(self._statement_name(), self._render_statement())],
            subtype_xmlid="mail.mt_note",
        )
