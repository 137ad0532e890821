from odoo.exceptions import UserError
from odoo.tests import tagged

from ..core.chain import link
from .common import EmspCommon, cdr_payload


@tagged("post_install", "-at_install")
class TestChain(EmspCommon):
    def setUp(self):
        super().setUp()
        self.cdrs = self._receive(*(cdr_payload(number) for number in range(1, 5)), rate=False)
        self.connection._seal_chain()

    def _tamper(self, statement, *params):
        self.env.flush_all()
        self.env.cr.execute(statement, params)
        self.env.invalidate_all()

    def test_each_link_binds_the_one_before(self):
        first, second, *__ = self.cdrs.sorted("chain_index")
        self.assertEqual(first.chain_hash, link(None, first.payload_sha256))
        self.assertEqual(second.chain_hash, link(first.chain_hash, second.payload_sha256))
        self.assertEqual(self.cdrs.mapped("chain_index"), [1, 2, 3, 4])
        self.assertEqual(
            (self.connection.chain_length, self.connection.chain_head), (4, self.cdrs[3].chain_hash)
        )

    def test_sealing_again_appends_what_came_since(self):
        before = self.cdrs.mapped("chain_hash")
        later = self._receive(cdr_payload(5), rate=False)
        self.connection._seal_chain()
        self.assertEqual(self.cdrs.mapped("chain_hash"), before)
        self.assertEqual((later.chain_index, self.connection.chain_length), (5, 5))

    def test_untouched_chain_holds(self):
        self.assertIsNone(self.connection._find_broken_link())
        notice = self.connection.action_verify_chain()["params"]
        self.assertEqual((notice["type"], notice["message"]), ("success", "All 4 links of the chain hold."))

    def test_changed_payload_breaks_the_chain_at_its_place(self):
        changed = self.cdrs[2].payload.replace('"total_energy": 10.0', '"total_energy": 99.0')
        self.assertNotEqual(changed, self.cdrs[2].payload)
        self._tamper("UPDATE emsp_cdr SET payload = %s WHERE id = %s", changed, self.cdrs[2].id)
        self.assertEqual(self.connection._find_broken_link(), 3)
        self.assertEqual(self.connection.action_verify_chain()["params"]["type"], "danger")

    def test_removed_cdr_breaks_the_chain(self):
        self._tamper("DELETE FROM emsp_cdr WHERE id = %s", self.cdrs[1].id)
        self.assertEqual(self.connection._find_broken_link(), 2)

    def test_removed_last_cdr_is_missed(self):
        self._tamper("DELETE FROM emsp_cdr WHERE id = %s", self.cdrs[3].id)
        self.assertEqual(self.connection._find_broken_link(), 4)

    def test_swapped_cdrs_break_the_chain(self):
        self._tamper("UPDATE emsp_cdr SET chain_index = -1 WHERE id = %s", self.cdrs[0].id)
        self._tamper("UPDATE emsp_cdr SET chain_index = 1 WHERE id = %s", self.cdrs[1].id)
        self._tamper("UPDATE emsp_cdr SET chain_index = 2 WHERE id = %s", self.cdrs[0].id)
        self.assertEqual(self.connection._find_broken_link(), 1)

    def test_head_is_not_written_by_hand(self):
        with self.assertRaises(UserError):
            self.connection.write({"chain_length": 3})
