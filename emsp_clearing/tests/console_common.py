from odoo import Command
from odoo.tests import new_test_user

from .common import raw
from .dispute_common import IN_WINDOW, DisputeCommon
from .settlement_common import priced


class ConsoleCommon(DisputeCommon):
    """What people do in the console, as they do it: by buttons and dialogs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague, cls.reader = (
            new_test_user(
                cls.env,
                login=login,
                groups=f"emsp_clearing.emsp_clearing_group_{group}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for login, group in (("otto", "operator"), ("ursula", "user"))
        )

    def _of(self, records, user=None):
        """The records as somebody sees them, the operator by default."""
        return records.with_user(user or self.operator).sudo(False)

    def _decide(self, disputes, action, words="As the meter says.", user=None, **vals):
        """Press a button, fill the dialog in, press it. :return: the client's action."""
        own = self._of(disputes, user)
        opened = own.with_context(emsp_action=action).action_decide()
        dialog = own.env["emsp.dispute.decide"].browse(opened["res_id"])
        dialog.write({"words": words, **vals})
        return dialog.action_decide()

    def _open_dialog(self, cdrs, user=None, **vals):
        own = self._of(cdrs, user)
        dialog = own.env["emsp.dispute.open"].browse(own.action_dispute()["res_id"])
        dialog.write({"reason": "energy", **vals})
        return dialog

    def _mails_since(self, before):
        return self.env["mail.mail"].search([], order="id") - before

    def _receive_from_cpo(self, *payloads):
        """Sessions of our drivers at the chargers of TNM, which claims the money. :return: the CDRs."""
        connection = self.connection.copy(
            {"name": "TNM", "our_role": "EMSP", "country_code": "NL", "ocpi_party_id": "TNM"}
        )
        cpo = self.env["res.partner"].create(
            {"name": "TNM", "is_company": True, "email": "office@tnm.test", "lang": "en_US"}
        )
        self.cpo_contract = self._create_contract(cpo, "NL", "TNM", partner_role="cpo")
        endpoint = connection._as_endpoint()
        party = {"country_code": "NL", "party_id": "TNM"}
        messages = [raw({**payload, **party}) for payload in payloads]
        receipts = endpoint.env["emsp.cdr"]._receive(endpoint, messages, IN_WINDOW)
        cdrs = self.env["emsp.cdr"].browse([receipt.record.id for receipt in receipts])
        cdrs._rate(IN_WINDOW)
        self.assertEqual(set(cdrs.mapped("state")), {"open"})
        return cdrs

    def _raise(self, *payloads, **vals):
        """Sessions of a CPO, disputed by the operator. :return: the disputes."""
        cdrs = self._receive_from_cpo(*(payloads or (priced(1, 6.4),)))
        self._open_dialog(cdrs, **vals).action_open()
        return cdrs.dispute_ids.sorted("id")
