import hashlib

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import EmspCommon, cdr_payload


@tagged("post_install", "-at_install")
class TestOcpiConnection(EmspCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connections = cls.env["emsp.ocpi.connection"]
        rights = {"manager": "manager", "operator": "operator", "reader": "user"}
        for login, group in rights.items():
            user = new_test_user(
                cls.env,
                f"emsp_{login}",
                f"emsp_clearing.emsp_clearing_group_{group}",
                company_id=cls.company.id,
                company_ids=[(6, 0, cls.company.ids)],
            )
            setattr(cls, login, user)

    def test_token_has_32_random_bytes_and_only_its_hash_is_stored(self):
        token = self.connection._generate_token()
        # 32 bytes in Base64 without padding: 43 characters; OCPI allows 64 (2.2.1, 7.3.1).
        self.assertRegex(token, r"^[A-Za-z0-9_-]{43}$")
        connection_sudo = self.connection.sudo()
        self.assertEqual(connection_sudo.token_hash, hashlib.sha256(token.encode()).hexdigest())
        self.assertEqual(connection_sudo.token_hint, token[-4:])
        stored = str(connection_sudo.read()) + str(connection_sudo.message_ids.mapped("body"))
        self.assertNotIn(token, stored)

    def test_token_is_found_until_it_is_replaced_or_the_connection_archived(self):
        first = self.connection._generate_token()
        self.assertEqual(self.connections.sudo()._find_by_token(first), self.connection)
        second = self.connection._generate_token()
        self.assertFalse(self.connections.sudo()._find_by_token(first))
        self.assertEqual(self.connections.sudo()._find_by_token(second), self.connection)
        self.connection.action_archive()
        self.assertFalse(self.connections.sudo()._find_by_token(second))
        self.connection.action_unarchive()
        self.assertEqual(self.connections.sudo()._find_by_token(second), self.connection)

    def test_connection_without_token_is_found_by_none(self):
        for token in ("", "False", "None"):
            self.assertFalse(self.connections.sudo()._find_by_token(token))

    def test_copy_of_a_connection_has_no_token(self):
        self.connection._generate_token()
        copied = self.connection.copy({"ocpi_party_id": "CPY"})
        self.assertFalse(copied.sudo().token_hash or copied.token_hint)

    def test_manager_makes_a_token_and_sees_it_once(self):
        connection = self.connection.with_user(self.manager)
        action = connection.action_new_token()
        token = action["context"]["default_token"]
        self.assertEqual(self.connections.sudo()._find_by_token(token), self.connection)
        dialog = self.env[action["res_model"]].with_user(self.manager).with_context(**action["context"])
        self.assertTrue(dialog._abstract, "a table would keep the token in clear")
        self.assertEqual(Form(dialog).token, token)

    def test_operator_makes_no_token(self):
        with self.assertRaises(AccessError):
            self.connection.with_user(self.operator).action_new_token()
        self.assertFalse(self.connection.token_hint)

    def test_nobody_reads_or_writes_the_hash(self):
        self.connection._generate_token()
        connection = self.connection.with_user(self.manager)
        with self.assertRaises(AccessError):
            connection.read(["token_hash"])
        with self.assertRaises(AccessError):
            connection.write({"token_hash": "0" * 64})
        with self.assertRaises(AccessError):
            self.connections.with_user(self.manager).search([("token_hash", "like", "0%")])
        self.assertNotIn("token_hash", connection.read()[0])

    def test_party_is_kept_in_one_spelling(self):
        connection = self.connections.create(
            {"name": "Lower", "country_code": "de", "ocpi_party_id": " abc "}
        )
        self.assertEqual((connection.country_code, connection.ocpi_party_id), ("DE", "ABC"))

    def test_party_that_is_none_is_refused(self):
        for country_code, party_id in (("F1", "ABC"), ("FR", "AB"), ("FR", "A-C")):
            with self.assertRaisesRegex(ValidationError, "is not an OCPI party"):
                self.connection.write({"country_code": country_code, "ocpi_party_id": party_id})

    @mute_logger("odoo.sql_db")
    def test_second_active_connection_of_a_party_is_refused(self):
        with self.assertRaises(UniqueViolation), self.cr.savepoint():
            self.connection.copy({"ocpi_party_id": "RVR"})
        self.connection.action_archive()
        self.connection.flush_recordset()
        self.assertTrue(self.connection.copy({"active": True, "ocpi_party_id": "RVR"}))

    def test_endpoint_acts_for_companies_with_a_connection_only(self):
        endpoint = self.env.ref("emsp_clearing.user_ocpi")
        with_connection, without = self.env["res.company"].create([{"name": "With"}, {"name": "Without"}])
        self.connections.create(
            {
                "name": "Platform",
                "company_id": with_connection.id,
                "country_code": "FR",
                "ocpi_party_id": "ABC",
            }
        )
        self.assertIn(with_connection, endpoint.company_ids)
        self.assertNotIn(without, endpoint.company_ids)

    def test_connection_of_another_company_is_out_of_sight(self):
        other = self.env["res.company"].create({"name": "Other"})
        foreign = self.connection.copy({"company_id": other.id})
        self.assertNotIn(foreign, self.connections.with_user(self.reader).search([]))

    def test_counts_are_of_the_connection(self):
        other = self.connection.copy({"ocpi_party_id": "OTH"})
        self._receive(cdr_payload(1), cdr_payload(2), rate=False)
        common = {"connection_id": self.connection.id, "module": "cdrs"}
        self.env["emsp.ocpi.message"]._keep(
            {**common, "received_at": "2026-10-06 06:00:00", "ocpi_status": 2001},
            {**common, "received_at": "2026-10-06 07:00:00", "ocpi_status": 1000},
        )
        self.assertEqual((self.connection | other).mapped("cdr_count"), [2, 0])
        self.assertEqual((self.connection | other).mapped("refused_count"), [1, 0])
        self.assertEqual(str(self.connection.last_message_at), "2026-10-06 07:00:00")
        self.assertFalse(other.last_message_at)

    def test_message_body_keeps_what_no_text_can_hold(self):
        message = self.env["emsp.ocpi.message"]._keep(
            {
                "connection_id": self.connection.id,
                "received_at": "2026-10-06 06:00:00",
                "ocpi_status": 2001,
                "body": b"\xff\x00\\",
            }
        )
        self.assertEqual(message.body, "\\xff\\x00\\")

    def test_nobody_writes_or_deletes_messages(self):
        vals = {
            "connection_id": self.connection.id,
            "company_id": self.company.id,
            "received_at": "2026-10-06 06:00:00",
            "ocpi_status": 2001,
        }
        message = self.env["emsp.ocpi.message"]._keep(vals)
        for user in (self.reader, self.operator, self.manager):
            as_user = message.with_user(user)
            self.assertEqual(as_user.connection_id, self.connection)
            for method, args in (("write", ({"message": "x"},)), ("unlink", ())):
                with self.assertRaises(AccessError):
                    getattr(as_user, method)(*args)
            with self.assertRaises(AccessError):
                as_user.create(vals)
