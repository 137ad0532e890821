from datetime import datetime, timedelta
from html import unescape

from odoo import SUPERUSER_ID
from odoo.tests import new_test_user, tagged

from odoo.addons.mail.tests.common import MockEmail
from odoo.addons.queue_job.tests.common import trap_jobs

from .common import EmspCommon, cdr_payload, raw

OLD = datetime(2026, 5, 1)
# 6:00 in UTC, 8:00 in Paris.
RECEIVED = datetime(2026, 10, 6, 6, 0)


@tagged("post_install", "-at_install")
class TestNotice(EmspCommon, MockEmail):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.responsible = new_test_user(
            cls.env, "responsible", "emsp_clearing.emsp_clearing_group_operator", email="anna@rvr.test"
        )
        cls.contract.user_id = cls.responsible
        cls.connection.notice_email = "charging@rvr.test, night@rvr.test"

    def hold(self, number, at=RECEIVED):
        cdr = self._receive(cdr_payload(number, start=OLD), received_at=at)
        self.assertEqual(cdr.state, "quarantine")
        return cdr

    def notice(self, at):
        """One job at a moment. :return: (the mails it queues by address, the etas of further jobs)."""
        before = self.env["mail.mail"].search([])
        with trap_jobs() as trap:
            self.connection.with_user(SUPERUSER_ID)._job_notice(at)
            etas = [call.properties["eta"] for call in trap.calls if call.method.__name__ == "_job_notice"]
        self.env.invalidate_all()
        mails = self.env["mail.mail"].search([]) - before
        self.assertEqual(set(mails.mapped("state")), {"outgoing"} if mails else set())
        return {mail.email_to: mail for mail in mails}, etas

    def told(self, at):
        return self.notice(at)[0]

    def test_held_cdr_is_told_at_once_to_its_sender_and_to_our_responsible(self):
        with trap_jobs() as trap:
            cdr = self.hold(1)
            [job] = [call for call in trap.calls if call.method.__name__ == "_job_notice"]
        self.assertEqual(job.method.__self__, self.connection)
        mails = self.told(RECEIVED)
        self.assertEqual(set(mails), {"charging@rvr.test, night@rvr.test", "anna@rvr.test"})
        finding = cdr.finding_ids.filtered(lambda each: each.severity == "hold")[0]
        for mail in mails.values():
            self.assertIn("held: 1", mail.subject)
            for text in ("CDR-1", finding.message, finding.found, finding.expected):
                self.assertIn(text, unescape(mail.body_html))
        link = f"/odoo/emsp-cdrs/{cdr.id}"
        self.assertIn(link, mails["anna@rvr.test"].body_html)
        self.assertNotIn(link, mails["charging@rvr.test, night@rvr.test"].body_html)
        self.assertEqual(finding.notice_state, "told")

    def test_job_starts_within_a_minute(self):
        with trap_jobs() as trap:
            self.hold(1)
            [job] = [call for call in trap.calls if call.method.__name__ == "_job_notice"]
        wait = job.properties["eta"] - datetime.now()
        self.assertLess(wait, timedelta(minutes=1))

    def test_what_comes_within_a_quarter_of_an_hour_waits_for_one_mail(self):
        self.hold(1)
        self.told(RECEIVED)
        self.hold(2)
        self.hold(3)
        mails, etas = self.notice(RECEIVED + timedelta(minutes=5))
        self.assertFalse(mails)
        self.assertEqual(len(etas), 1)
        mails = self.told(RECEIVED + timedelta(minutes=15))
        self.assertEqual(len(mails), 2)
        body = mails["anna@rvr.test"].body_html
        self.assertIn("CDR-2", body)
        self.assertIn("CDR-3", body)
        self.assertNotIn("CDR-1<", body)
        self.assertFalse(self.told(RECEIVED + timedelta(hours=1)))

    def test_job_that_comes_too_early_comes_again_when_the_pause_is_over(self):
        soon = datetime.now().replace(microsecond=0) + timedelta(hours=1)
        self.hold(1)
        self.told(soon)
        self.hold(2)
        __, etas = self.notice(soon + timedelta(minutes=1))
        self.assertEqual(etas, [soon + timedelta(minutes=15)])

    def test_released_cdr_is_not_told_any_more(self):
        cdr = self.hold(1)
        cdr._decide("release", "Checked")
        self.assertFalse(self.told(RECEIVED))
        holds = cdr.finding_ids.filtered(lambda each: each.severity == "hold")
        self.assertEqual(holds.mapped("notice_state"), ["dropped"])
        self.assertFalse(self.connection.noticed_at)

    def test_holds_wait_for_the_morning_of_the_connection_where_that_is_wanted(self):
        self.connection.notice_holds = "daily"
        # 8:00 in Paris on the 6th: told on the 7th from 7:00 on, which is 5:00 UTC.
        with trap_jobs() as trap:
            self.hold(1)
            self.assertFalse([call for call in trap.calls if call.method.__name__ == "_job_notice"])
        self.assertFalse(self.told(datetime(2026, 10, 7, 4, 59)))
        for at, count in ((datetime(2026, 10, 7, 4, 59), 0), (datetime(2026, 10, 7, 5, 0), 1)):
            with trap_jobs() as trap:
                self.env["emsp.ocpi.connection"]._cron_notice(at)
                self.assertEqual(len(trap.calls), count)
        self.assertEqual(len(self.told(datetime(2026, 10, 7, 5, 0))), 2)
        self.assertFalse(self.told(datetime(2026, 10, 8, 5, 0)))

    def test_notes_are_told_in_the_morning_and_by_default_not_at_all(self):
        noted = cdr_payload(1, total_cost={"excl_vat": 7.0})
        self._receive(noted, received_at=RECEIVED)
        self.assertFalse(self.told(RECEIVED + timedelta(days=2)))
        self.connection.notice_notes = "daily"
        cdr = self._receive(cdr_payload(2, total_cost={"excl_vat": 7.0}), received_at=RECEIVED)
        self.assertEqual(cdr.state, "open")
        self.assertFalse(self.told(RECEIVED))
        mails = self.told(datetime(2026, 10, 7, 5, 0))
        self.assertIn("held: 0", mails["anna@rvr.test"].subject)
        self.assertIn("CDR-2", mails["anna@rvr.test"].body_html)
        self.assertNotIn("CDR-1<", mails["anna@rvr.test"].body_html)

    def test_nobody_is_told_where_it_is_switched_off(self):
        self.connection.notice_holds = "none"
        cdr = self.hold(1)
        self.assertEqual(set(cdr.finding_ids.mapped("notice_state")), {False})
        self.connection.notice_holds = "at_once"
        self.hold(2)
        self.connection.notice_holds = "none"
        self.assertFalse(self.told(RECEIVED))

    def test_mail_goes_to_the_partner_of_the_platform_in_its_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref("emsp_clearing.mail_template_notice")
        template.with_context(
            lang="fr_FR"
        ).subject = "Contrôle : {{ ctx.get('notice', {}).get('held_count') }} retenu"
        operator = self.env["res.partner"].create(
            {"name": "Exploitant", "email": "exploitant@rvr.test", "lang": "fr_FR"}
        )
        self.connection.write({"notice_email": False, "partner_id": operator.id})
        self.hold(1)
        mails = self.told(RECEIVED)
        self.assertEqual(mails["exploitant@rvr.test"].subject, "Contrôle : 1 retenu")
        self.assertIn("held: 1", mails["anna@rvr.test"].subject)

    def test_responsible_is_told_of_its_own_contracts_and_can_be_left_out(self):
        other = self.env["res.partner"].create({"name": "Other"})
        colleague = new_test_user(
            self.env, "colleague", "emsp_clearing.emsp_clearing_group_operator", email="carl@rvr.test"
        )
        self._create_contract(other, "NL", "OTH", user_id=colleague.id)
        token = {**cdr_payload()["cdr_token"], "country_code": "NL", "party_id": "OTH", "uid": "X"}
        self.hold(1)
        self._receive(cdr_payload(2, start=OLD, cdr_token=token))
        mails = self.told(RECEIVED)
        self.assertIn("CDR-1", mails["anna@rvr.test"].body_html)
        self.assertNotIn("CDR-2", mails["anna@rvr.test"].body_html)
        self.assertIn("CDR-2", mails["carl@rvr.test"].body_html)
        self.connection.notice_responsible = False
        self.hold(3)
        self.assertEqual(set(self.told(RECEIVED + timedelta(hours=1))), {"charging@rvr.test, night@rvr.test"})

    def test_long_list_is_cut_and_counted(self):
        self._receive(*(cdr_payload(number, start=OLD) for number in range(2, 130)), received_at=RECEIVED)
        mail = self.told(RECEIVED)["anna@rvr.test"]
        self.assertIn("held: 128", mail.subject)
        self.assertEqual(mail.body_html.count("/odoo/emsp-cdrs/"), 100)
        self.assertIn("Further findings", mail.body_html)

    def test_cpo_whose_claim_is_held_is_told(self):
        partner = self.env["res.partner"].create({"name": "TNM", "email": "cdr@tnm.test"})
        self._create_contract(partner, "NL", "TNM", partner_role="cpo")
        cpo = self.env["emsp.ocpi.connection"].create(
            {
                "name": "TNM",
                "company_id": self.company.id,
                "our_role": "EMSP",
                "country_code": "NL",
                "ocpi_party_id": "TNM",
                "partner_id": partner.id,
                "notice_responsible": False,
            }
        )
        endpoint = cpo._as_endpoint()
        payload = cdr_payload(start=OLD, country_code="NL", party_id="TNM")
        [receipt] = endpoint.env["emsp.cdr"]._receive(endpoint, [raw(payload)], RECEIVED)
        receipt.record._rate(RECEIVED)
        self.connection = cpo
        self.assertEqual(set(self.told(RECEIVED)), {"cdr@tnm.test"})
