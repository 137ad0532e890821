from markupsafe import Markup

from odoo import models
from odoo.tools import format_amount, format_date

from ..core.money import to_float


class AccountBankStatementLineSentences(models.Model):
    """The reasons of the core as sentences, in the language of the company: they are stored."""

    _inherit = "account.bank.statement.line"

    def _in_company_language(self):
        return self.env["emsp.exception"]._in_language_of(self.company_id).env

    def _reason_sentence(self, reason, documents):
        """:param reason: Reason of the core. :return: a sentence."""
        env = self._in_company_language()
        __, currency = self._paid_amount()
        amount = format_amount(env, to_float(reason.amount), currency)
        if reason.code == "named":
            return self._named_sentence(env, reason)
        if reason.code == "currency":
            item = documents[reason.key].item
            return env._("%(name)s is in %(currency)s.", name=item.references[0], currency=item.currency)
        texts = self._evidence_texts(env, reason, amount) | self._doubt_texts(env, reason, amount)
        return texts[reason.code]

    def _named_sentence(self, env, reason):
        texts = {
            "creditor_reference": env._("The creditor reference of the payment is %s.", reason.reference),
            "end_to_end_id": env._("The end-to-end id of the payment is %s.", reason.reference),
            "advice": env._("The remittance advice names %s.", reason.reference),
            "reference": env._("The reference of the payment is %s.", reason.reference),
            "label": env._("The label of the payment contains %s.", reason.reference),
        }
        return texts[reason.source]

    def _evidence_texts(self, env, reason, amount):
        reference = reason.reference
        return {
            "named_broken": env._("The payment contains %s, run into other text.", reference),
            "named_zeros": env._("The payment contains %s without its zeros.", reference),
            "named_bare": env._("The payment contains the digits of %s.", reference),
            "named_cut": env._("The payment ends with the beginning of %s.", reference),
            "named_tail": env._("The payment contains the end of %s.", reference),
            "payer": env._("The payer's bank account is the partner's.")
            if self.amount > 0
            else env._("The payee's bank account is the partner's."),
            "amount_exact": env._("The amount is what is open."),
            "amount_sum": env._("What is open adds up to the amount."),
            "partial": env._("%s is still open.", amount),
            "discount": env._("%s is the discount for early payment.", amount),
            "charge": env._("%s is written off as a bank charge.", amount),
            "deducted": env._("Credit notes of %s are deducted.", amount),
            "credit": env._("%s too much stays as a credit of the partner.", amount),
            "advised": env._("The remittance advice lists what is paid."),
        }

    def _doubt_texts(self, env, reason, amount):
        label = self.payment_ref or "/"
        return {
            "advice_unknown": env._("The remittance advice lists what is not open: %s.", reason.reference),
            "advice_differs": env._("The remittance advice adds up to %s.", amount),
            "advice_above_open": env._("The remittance advice pays %s on a document: too much.", amount),
            "other_payer": env._("The bank account is another partner's."),
            "contradicted": env._("Its amount fits one document, and its text another."),
            "ambiguous": env._("Its text can be read as naming several documents."),
            "sum_short": env._("It names several documents, and is %s short of their sum.", amount),
            "against_differs": env._(
                "It also names what is owed the other way, as a credit note, and is not the %s left.",
                amount,
            ),
            "names_another": env._("It names a document that is not open."),
            "several_ways": env._("Several documents, or sets of documents, have this amount."),
            "named_and_others": env._("Its amount is not that of the document it names, and others fit."),
            "over": env._("It is %s more than is open on what it names.", amount),
            "no_amount_fits": env._("No open document of the payer has this amount."),
            "named_in_part": env._("It shows only a part of a reference."),
            "amount_only": env._("Only the amount fits."),
            "nothing_fits": env._("It names no open document (label: %s).", label),
        }

    def _reason_text(self, reasons, documents):
        return " ".join(self._reason_sentence(reason, documents) for reason in reasons)

    def _candidates_html(self, rivals, documents):
        """What a payment may be for, each with its reasons; documents as links."""
        return Markup("<ul>%s</ul>") % Markup().join(
            Markup("<li>%s<br/><span class='text-muted'>%s</span></li>")
            % (
                Markup(" + ").join(self._document_html(documents[key]) for key in rival.keys),
                self._reason_text(rival.reasons, documents),
            )
            for rival in rivals
        )

    def _document_html(self, document):
        env = self._in_company_language()
        item = document.item
        currency = self.env["res.currency"].search([("name", "=", item.currency)], limit=1)
        line = self.env["account.move.line"].browse(document.line_ids[:1])
        name = item.references[0] if item.references else line.move_id.display_name
        told = env._(
            "%(partner)s, %(open)s open, due on %(due)s",
            partner=line.partner_id.display_name or "",
            open=format_amount(env, to_float(item.amount), currency),
            due=format_date(env, item.due),
        )
        link = Markup("<b>%s</b>") % name
        if isinstance(item.key, int):
            link = Markup("<a href='/odoo/account.move/%s'><b>%s</b></a>") % (item.key, name)
        return link + Markup(" (%s)") % told
