from datetime import date, datetime, timedelta

from odoo import Command

from .bank_common import BankCommon

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


class NettingCommon(BankCommon):
    """A German partner that is eMSP and CPO to us, with a contract each way, both with a netting clause."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clause = {
            "is_netting_agreed": True,
            "netting_date": date(2026, 1, 1),
            "netting_reference": "Agreement, 7.3",
        }
        cls.contract.write({**cls.clause, "state": "active"})
        cls.payable_contract = cls.contract.copy(
            {"name": "Roaming Beta, their chargers", "partner_role": "cpo", **cls.clause, "state": "active"}
        )
        # sudo: settlements are made by the calendar run alone
        cls.settlement_sudo = (
            cls.env["emsp.settlement"]
            .sudo()
            .create(
                {
                    "name": "CLR/OCT",
                    "contract_id": cls.contract.id,
                    "period_start": datetime(2026, 9, 1),
                    "period_end": datetime(2026, 10, 1),
                    "date_first": date(2026, 9, 1),
                    "date_last": date(2026, 9, 30),
                    "cut_off_at": datetime(2026, 10, 3),
                    "lock_at": datetime(2026, 10, 10),
                    "invoice_date": date(2026, 10, 10),
                    "time_zone": "Europe/Paris",
                }
            )
        )

    @classmethod
    def _agree_further(cls, **vals):
        """A contract each way beside the first ones. :return: a settlement of the one by which we bill."""
        vals = {"name": "Further", **cls.clause, "state": "active", **vals}
        contract = cls.contract.copy({**vals})
        cls.payable_contract.copy({**vals})
        return cls.settlement_sudo.copy({"name": "CLR/FURTHER", "contract_id": contract.id})

    @classmethod
    def _document(cls, kind, number, amount, day=10, due=30, settlement_sudo=None, **vals):
        """A posted document of October without tax.

        :param number: of its issuer. :param day: of October. :param due: days later.
        """
        issued = date(2026, 10, day)
        move = cls.env["account.move"].create(
            {
                "move_type": kind,
                "partner_id": cls.partner.id,
                "invoice_date": issued,
                "date": issued,
                "invoice_date_due": issued + timedelta(days=due),
                "invoice_payment_term_id": False,
                **({"name": number} if kind.startswith("out") else {"ref": number}),
                "invoice_line_ids": [
                    Command.create({"name": "Charging", "price_unit": amount, "tax_ids": [Command.clear()]})
                ],
                **vals,
            }
        )
        move.action_post()
        if kind.startswith("out"):
            # Once posted: there are no sessions that it must amount to. sudo: the system links them.
            move.sudo().emsp_settlement_ids = settlement_sudo or cls.settlement_sudo
        return move

    @classmethod
    def _netting(cls, **vals):
        return cls.env["emsp.netting"].create(
            {
                "partner_id": cls.partner.id,
                "company_id": cls.company.id,
                "currency_id": cls.env.ref("base.EUR").id,
                "date_first": OCTOBER[0],
                "date_last": OCTOBER[1],
                **vals,
            }
        )

    @classmethod
    def _accepted(cls, **vals):
        netting = cls._netting(**vals)
        netting.action_send()
        netting.action_accept()
        netting._accept_for_partner(cls.partner, "Call of 12 November")
        return netting

    @classmethod
    def _settled(cls, **vals):
        netting = cls._accepted(**vals)
        netting.action_settle()
        return netting
