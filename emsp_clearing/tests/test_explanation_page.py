from odoo.tests import tagged

from .common import cdr_payload
from .webhook_common import OLD, WebhookCommon


@tagged("post_install", "-at_install")
class TestExplanationPage(WebhookCommon):
    def open(self, cdr, audience="shown", accept="application/json", **changes):
        url = cdr._explanation_url(audience).partition("/emsp/")[2]
        for old, new in changes.items():
            url = url.replace(old, new)
        return self.url_open(f"/emsp/{url}", headers={"Accept": accept})

    def test_link_gives_the_stored_explanation_to_programs_and_a_page_to_people(self):
        cdr = self._receive(cdr_payload())
        response = self.open(cdr)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json()["explanation"], cdr.explanation)
        self.assertEqual(response.json()["price"]["amount_excl_vat"], "6.40")
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        page = self.open(cdr, accept="text/html,application/xhtml+xml,*/*;q=0.8")
        self.assertIn("text/html", page.headers["Content-Type"])
        for text in ("CDR-1", "6.40", "Parking Bellecour", cdr.payload_sha256, "Net amount, rounded once"):
            self.assertIn(text, page.text)

    def test_every_other_token_and_cdr_is_unknown(self):
        cdr, other = self._receive(cdr_payload(1), cdr_payload(2))
        token = cdr._explanation_token("shown")
        for url in (
            f"/emsp/cdr/{cdr.id}/explanation",
            f"/emsp/cdr/{cdr.id}/explanation?access_token={token[:-1]}",
            f"/emsp/cdr/{cdr.id}/explanation?access_token=%C3%A9",
            f"/emsp/cdr/{other.id}/explanation?access_token={token}",
            f"/emsp/cdr/{10**30}/explanation?access_token={token}",
        ):
            with self.subTest(url=url):
                self.assertEqual(self.url_open(url).status_code, 404)

    def test_held_cdr_opens_for_its_sender_alone_and_a_void_one_for_nobody(self):
        cdr = self._receive(cdr_payload(1, start=OLD))
        self.assertEqual(self.open(cdr, "held").status_code, 200)
        self.assertEqual(self.open(cdr, "shown").status_code, 404)
        cdr._void("Wrong")
        self.assertEqual(self.open(cdr, "held").status_code, 404)
