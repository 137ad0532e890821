from unittest.mock import patch

from odoo import Command, fields, http
from odoo.tests import HttpCase, new_test_user

from ..models.emsp_dispute_opening import Complaint
from .dispute_common import IN_WINDOW, DisputeCommon
from .settlement_common import priced


class PortalDisputeCommon(DisputeCommon, HttpCase):
    """Two eMSPs, each with a user of the portal and a settlement in its window; the clock stands in it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # HttpCase has an opener of its own.
        cls.frieda = cls.opener
        cls.user = cls._create_portal_user("frieda", cls.frieda)
        cls.partner_b = cls.env["res.partner"].create({"name": "Other eMSP", "is_company": True})
        cls.contract_b = cls._create_contract(cls.partner_b, "DE", "OTH")
        cls.opener_b = cls.env["res.partner"].create(
            {"name": "Otto", "parent_id": cls.partner_b.id, "email": "otto@oth.example"}
        )
        cls.user_b = cls._create_portal_user("otto", cls.opener_b)

    @classmethod
    def _create_portal_user(cls, login, partner):
        return new_test_user(
            cls.env,
            login=login,
            password=login * 2,
            groups="base.group_portal",
            partner_id=partner.id,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def setUp(self):
        super().setUp()
        token = {
            "country_code": "DE",
            "party_id": "OTH",
            "uid": "B1",
            "type": "RFID",
            "contract_id": "DE-OTH-1",
        }
        theirs = [priced(number, 6.4, cdr_token={**token, "uid": f"B{number}"}) for number in (11, 12)]
        self.settlement, cdrs = self._in_control(priced(1, 6.4), priced(2, 10.3, energy=20.0), *theirs)
        self.first, self.second, *self.cdrs_b = cdrs
        self.settlement_b = self.cdrs_b[0].settlement_id
        self._set_clock(IN_WINDOW)

    def _set_clock(self, at):
        """Let the server's clock stand. :param datetime at: naive UTC."""
        self.startPatcher(patch.object(fields.Datetime, "now", lambda: at))

    def _dispute(self, cdr, reason="energy", at=IN_WINDOW, speaker=None, **complaint):
        complaints = {cdr: Complaint(reason, **complaint)}
        return self.env["emsp.dispute"]._open(complaints, "portal", speaker or self.frieda, at)

    def _dispute_b(self):
        dispute = self._dispute(self.cdrs_b[0], speaker=self.opener_b, explanation="Secret of B")
        self.assertEqual(dispute.partner_id, self.partner_b)
        return dispute

    def log_in(self, user=None):
        login = (user or self.user).login
        self.authenticate(login, login * 2)

    def post(self, url, files=None, **form):
        """A form of the portal, with its token. :return: the response, no redirect followed."""
        data = {"csrf_token": http.Request.csrf_token(self), **form}
        return self.url_open(url, data=data, files=files, allow_redirects=False)
