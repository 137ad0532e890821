from lxml import etree

from odoo import api, models
from odoo.exceptions import UserError

from ..core.iso20022.rules import check
from ..core.iso20022.text import NAME_LENGTH, is_sepa_id, sepa_id, sepa_text

SEPA_METHODS = ("sepa_credit_transfer", "sepa_direct_debit")
# Made by us, so that they may be respelled, and those that others know as they are.
OWN_IDENTIFIERS = (
    "Message Identification",
    "Payment Information Identification",
    "Instruction Identification",
    "End to End Identification",
)
FOREIGN_IDENTIFIERS = ("Creditor Structured Reference", "Unique Mandate Reference")
# The rule book has no list of its own for these: they joined the scheme after the OCA's list was made.
LATER_SEPA_PREFIXES = ("AL", "MD", "ME", "MK", "RS")


class AccountPaymentOrderSepa(models.Model):
    """The texts of payment files in the character set of SEPA, and the file judged by its rules."""

    _inherit = "account.payment.order"

    @api.model
    def _sepa_iban_prefix_list(self):
        # EXTENDS account_payment_sepa_base
        return sorted({*super()._sepa_iban_prefix_list(), *LATER_SEPA_PREFIXES})

    @api.model
    def _prepare_field(self, field_name, value, max_size, gen_args, raise_if_oversized=False):
        """EXTENDS account_payment_sepa_base, whose texts may be empty, and whose ids begin with a slash.

        :raise UserError: nothing of the text can be written, or an id of others would have to be changed.
        """
        if value and isinstance(value, str) and (gen_args or {}).get("convert_to_ascii"):
            value = self._in_sepa_set(field_name, value, max_size)
        return super()._prepare_field(
            field_name, value, max_size, gen_args, raise_if_oversized=raise_if_oversized
        )

    @api.model
    def _in_sepa_set(self, field_name, value, max_size):
        if field_name in FOREIGN_IDENTIFIERS:
            plain = value.strip()
            if not is_sepa_id(plain):
                plain = ""
        elif field_name in OWN_IDENTIFIERS:
            plain = sepa_id(value)
        else:
            plain = sepa_text(value, max_size)
        if not plain:
            raise UserError(
                self.env._(
                    "%(field)s “%(value)s” cannot be written in a payment file: banks take Latin letters, "
                    "digits, spaces and / - ? : ( ) . , ' + only. Correct it on the partner, its account or "
                    "its mandate.",
                    field=field_name,
                    value=value,
                )
            )
        return plain

    @api.model
    def _validate_xml(self, xml_bytes, gen_args):
        """EXTENDS account_payment_sepa_base: valid against the schema, and by the rules of the EPC.

        :raise UserError: which rule is broken, and where.
        """
        result = super()._validate_xml(xml_bytes, gen_args)
        problems = check(etree.fromstring(xml_bytes))
        if problems:
            texts = self._rule_texts()
            lines = [
                f"{texts[problem.rule]} ({problem.path}: {problem.value or '-'})" for problem in problems
            ]
            raise UserError(
                self.env._(
                    "The payment file was not made, because the bank would refuse it:\n%(problems)s",
                    problems="\n".join(lines),
                )
            )
        return result

    @api.model
    def _rule_texts(self):
        return {
            "account": self.env._("The IBAN is not valid."),
            "address": self.env._("An address needs its town and country in fields of their own."),
            "agent": self.env._("The BIC is not valid."),
            "amount": self.env._("The amount is not between 0.01 and 999,999,999.99 with two decimals."),
            "charset": self.env._("A text has characters that banks do not take."),
            "count": self.env._("The number of payments is wrong."),
            "currency": self.env._("SEPA payments are in euro."),
            "date": self.env._("Banks do not settle on this day."),
            "identifier": self.env._("An identifier is empty, too long, doubled or begins with a slash."),
            "length": self.env._("A text is empty or too long."),
            "mandate": self.env._("The creditor identifier or a part of the mandate is missing."),
            "remittance": self.env._("A payment has one remittance information."),
            "scheme": self.env._("The batch is not of a SEPA scheme."),
            "sum": self.env._("The control sum is wrong."),
        }

    def _generate_initiating_party_block(self, parent_node, gen_args):
        """EXTENDS account_payment_sepa_base: the scheme gives names 70 characters, in each version."""
        own_args = {**gen_args, "name_maxsize": min(NAME_LENGTH, gen_args["name_maxsize"])}
        return super()._generate_initiating_party_block(parent_node, own_args)
