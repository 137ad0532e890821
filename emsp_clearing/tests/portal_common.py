from datetime import datetime

from lxml import html

from odoo.tests import HttpCase, new_test_user

from .settlement_common import SettlementCommon

RECEIVED_AT = datetime(2026, 10, 26, 6, 0)


class PortalCommon(SettlementCommon, HttpCase):
    """Two eMSPs that are billed by us, and a portal login of each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls._create_login("clerk", cls.partner)
        cls.stranger_partner = cls.env["res.partner"].create(
            {"name": "Hexagone Mobilité SAS", "is_company": True, "country_id": cls.env.ref("base.fr").id}
        )
        cls._create_contract(cls.stranger_partner, "FR", "HXM")
        cls.stranger = cls._create_login("stranger", cls.stranger_partner)

    @classmethod
    def _create_login(cls, login, partner):
        user = new_test_user(cls.env, login=login, groups="base.group_portal", tz="Europe/Berlin")
        user.partner_id.parent_id = partner
        return user

    @classmethod
    def _receive(cls, *payloads, received_at=RECEIVED_AT, rate=True):
        """As in the base class, after all sessions of these tests are over."""
        return super()._receive(*payloads, received_at=received_at, rate=rate)

    def _open(self, url, login="clerk"):
        """:return: the response to a login of a partner."""
        self.authenticate(login, login)
        return self.url_open(url)

    def _page(self, url, login="clerk"):
        """:return: the page's lxml tree."""
        response = self._open(url, login)
        self.assertEqual(response.status_code, 200, response.text[-2000:])
        return html.fromstring(response.text)

    def _listed(self, query="", login="clerk"):
        """:return: ids of the CDRs on the page, in its order."""
        page = self._page(f"/my/cdrs{query}", login)
        return page.xpath("//tr[contains(@class, 'emsp_cdr_row')]/th/a/text()")

    def _figures(self, page):
        """:return: what the page's first block of figures says."""
        values = page.xpath("(//dl[contains(@class, 'o_emsp_figures')])[1]//dd")
        return [" ".join(value.text_content().split()) for value in values]
