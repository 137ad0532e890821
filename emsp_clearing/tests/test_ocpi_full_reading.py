from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import raw
from .ocpi_objects_common import payload_of
from .test_ocpi_pull import NOW, PullCommon

LATER = NOW + timedelta(hours=1)
NEXT_DAY = NOW + timedelta(days=1)


class FullReadingCommon(PullCommon):
    def list_tariffs(self, *ids):
        self.cpo_system.lists["tariffs"] = [payload_of("tariffs", id=each) for each in ids]

    def current(self):
        tariffs = self.env["emsp.tariff"].search([("is_current", "=", True)])
        return sorted(tariffs.mapped("ocpi_id"))


@tagged("post_install", "-at_install")
class TestFullReadingOfTariffs(FullReadingCommon):
    """What is missing in a whole list is no longer valid (OCPI 2.2.1, 4.1.4)."""

    def setUp(self):
        super().setUp()
        self.list_tariffs("A", "B", "C")
        self.read_list("tariffs")

    def test_tariff_that_is_gone_ends_as_if_it_were_deleted(self):
        self.list_tariffs("A", "C", "D")
        cursor = self.read_list("tariffs", as_of=NEXT_DAY)
        self.assertEqual((self.current(), cursor.ended_count), (["A", "C", "D"], 1))
        gone = self.env["emsp.tariff"].search([("ocpi_id", "=", "B")])
        self.assertEqual((gone.is_current, gone.ended_at), (False, NEXT_DAY))
        url = "emsp/2.2.1/tariffs/NL/TNM/B"
        self.assertAnswer(self.fetch(url, self.cpo_token), 404, 2000)

    def test_list_of_changes_ends_nothing(self):
        self.list_tariffs("A")
        self.read_list("tariffs", as_of=LATER)
        self.assertIn("date_from", self.cpo_system.paths("GET")[-1])
        self.assertEqual(self.current(), ["A", "B", "C"])

    def test_whole_list_of_tariffs_is_read_once_a_day(self):
        for as_of, is_full in ((LATER, False), (NEXT_DAY, True), (NEXT_DAY + timedelta(hours=1), False)):
            before = len(self.cpo_system.requests)
            self.read_list("tariffs", as_of=as_of)
            self.assertEqual("date_from" not in self.cpo_system.paths("GET")[before], is_full, as_of)

    def test_list_that_broke_off_half_way_ends_nothing(self):
        self.list_tariffs("A", "D", "E")
        self.cpo_system.script = [None, (404, b"", {})]
        cursor = self.read_list("tariffs", as_of=NEXT_DAY)
        self.assertTrue(cursor.last_error)
        self.assertEqual(self.current(), ["A", "B", "C", "D"])
        # The next run asks for changes alone.
        self.cpo_system.script = []
        self.list_tariffs("A")
        self.read_list("tariffs", as_of=NEXT_DAY + timedelta(hours=1))
        self.assertEqual(self.current(), ["A", "B", "C", "D"])

    def test_page_that_is_read_again_after_a_failure_ends_what_is_missing(self):
        self.list_tariffs("A", "D", "E")
        self.cpo_system.script = [None, (503, b"", {})]
        self.read_list("tariffs", as_of=NEXT_DAY)
        self.read_list("tariffs", as_of=NEXT_DAY + timedelta(hours=1))
        self.assertEqual(self.current(), ["A", "D", "E"])

    def test_list_that_shrank_or_is_shorter_than_told_or_leads_in_a_circle_ends_nothing(self):
        def page(link=None, total="3"):
            def answer(method, module, query):
                headers = {"X-Total-Count": total, **({"Link": f'<{link}>; rel="next"'} if link else {})}
                return self.cpo_system.ok([payload_of("tariffs", id="A")], **headers)

            return answer

        for number, script in enumerate(
            (
                [page("/tariffs?offset=1", total="3"), page(total="1")],
                [page(total="2")],
                [page("/tariffs?offset=1", total="1")] * 8,
            )
        ):
            self.cpo_system.script = list(script)
            self.read_list("tariffs", as_of=NEXT_DAY + timedelta(days=number))
            with self.subTest(number=number):
                self.assertEqual(self.current(), ["A", "B", "C"])

    def test_empty_list_ends_nothing(self):
        self.list_tariffs()
        self.read_list("tariffs", as_of=NEXT_DAY)
        self.assertEqual(self.current(), ["A", "B", "C"])

    def test_bad_object_that_is_known_by_its_id_counts_as_listed(self):
        bad = payload_of("tariffs", id="b", currency=7)
        self.cpo_system.lists["tariffs"] = [payload_of("tariffs", id="A"), bad]
        cursor = self.read_list("tariffs", as_of=NEXT_DAY)
        self.assertEqual((cursor.refused_count, self.current()), (1, ["A", "B"]))

    def test_bad_object_without_an_id_may_be_any_so_nothing_ends(self):
        nameless = payload_of("tariffs")
        del nameless["id"]
        self.cpo_system.lists["tariffs"] = [nameless, payload_of("tariffs", id="A")]
        self.read_list("tariffs", as_of=NEXT_DAY)
        self.assertEqual(self.current(), ["A", "B", "C"])

    def test_tariff_that_was_pushed_while_the_list_was_read_stays(self):
        self.list_tariffs("A", "B", "C")
        cursor = self.cursor_of("tariffs")
        cursor._job_read_page(NEXT_DAY)
        endpoint = self.cpo._as_endpoint()
        address = {"country_code": "NL", "party_id": "TNM", "id": "NEW"}
        pushed = raw(payload_of("tariffs", id="NEW"))
        endpoint.env["emsp.tariff"]._put(endpoint, "2.2.1", address, pushed, NEXT_DAY + timedelta(seconds=1))
        self.read_list("tariffs", as_of=NEXT_DAY)
        self.assertEqual(self.current(), ["A", "B", "C", "NEW"])

    def test_tariffs_of_other_connections_stay(self):
        other, token = self._connect("EMSP", "CPO", "NL", "ABC")
        url = "emsp/2.2.1/tariffs/NL/ABC/X"
        payload = payload_of("tariffs", id="X", party_id="ABC")
        self.assertAnswer(self.send("PUT", url, payload, token), 201, 1000)
        self.env["emsp.tariff"].sudo().search([("connection_id", "=", other.id)]).received_at = NOW
        self.list_tariffs("A")
        self.read_list("tariffs", as_of=NEXT_DAY)
        self.assertEqual(self.current(), ["A", "X"])


@tagged("post_install", "-at_install")
class TestFullReadingOfTokens(FullReadingCommon):
    def setUp(self):
        super().setUp()
        self.add_endpoints(self.emsp, self.emsp_system, "SENDER", "tokens")
        self.list_tokens("T-1", "T-2", "T-3")
        self.read_list("tokens", self.emsp)

    def list_tokens(self, *uids):
        self.emsp_system.lists["tokens"] = [payload_of("tokens", uid=each) for each in uids]

    def read_everything(self, as_of):
        with trap_jobs():
            self.cursor_of("tokens", self.emsp).action_read_all()
        return self.read_list("tokens", self.emsp, as_of)

    def valid(self):
        tokens = self.env["emsp.token"].search([("connection_id", "=", self.emsp.id)])
        return sorted(tokens.filtered("is_valid").mapped("ocpi_id"))

    def test_token_that_is_gone_is_not_valid_until_it_comes_again(self):
        self.list_tokens("T-1", "T-3")
        cursor = self.read_everything(LATER)
        self.assertEqual((self.valid(), cursor.ended_count), (["T-1", "T-3"], 1))
        gone = self.env["emsp.token"].search([("ocpi_id", "=", "T-2")])
        self.assertEqual(gone.unlisted_at, LATER)
        self.assertEqual(gone.last_updated.isoformat(), "2026-10-01T10:00:00")
        again = self.read_everything(LATER + timedelta(hours=1))
        self.assertEqual((again.ended_count, gone.unlisted_at), (0, LATER))
        url = "cpo/2.2.1/tokens/DE/SMO/T-2"
        self.assertAnswer(self.send("PUT", url, payload_of("tokens", uid="T-2"), self.emsp_token), 200, 1000)
        self.assertEqual((self.valid(), gone.unlisted_at), (["T-1", "T-2", "T-3"], False))

    def test_our_own_tokens_stay_valid(self):
        vals = {"ocpi_id": "CARD-1", "emaid": "FR-RVR-C00000001-X", "company_id": self.company.id}
        own = self.env["emsp.token"].create(vals)
        self.list_tokens("T-1")
        self.read_everything(LATER)
        self.assertTrue(own.is_valid)

    def test_whole_list_of_tokens_is_read_on_demand_alone(self):
        self.list_tokens("T-1")
        self.read_list("tokens", self.emsp, NEXT_DAY)
        self.assertEqual(self.valid(), ["T-1", "T-2", "T-3"])

    def test_operators_read_everything_again_and_users_do_not(self):
        user, operator = (
            new_test_user(
                self.env,
                f"full_{group}",
                f"emsp_clearing.emsp_clearing_group_{group}",
                company_id=self.company.id,
                company_ids=[(6, 0, self.company.ids)],
            )
            for group in ("user", "operator")
        )
        cursor = self.cursor_of("tokens", self.emsp)
        with self.assertRaises(AccessError):
            cursor.with_user(user).sudo(False).action_read_all()
        with trap_jobs() as trap:
            cursor.with_user(operator).sudo(False).action_read_all()
            trap.assert_jobs_count(1)
        self.assertFalse(cursor.date_from)
        self.emsp.endpoint_ids.unlink()
        with self.assertRaisesRegex(UserError, "no list"):
            cursor.with_user(operator).sudo(False).action_read_all()
