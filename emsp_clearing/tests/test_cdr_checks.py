from odoo.tests import tagged

from ..models.emsp_cdr_facts import Subject
from .common import EmspCommon, cdr_payload


@tagged("post_install", "-at_install")
class TestQueries(EmspCommon):
    def _queries_to_judge(self, records):
        cdrs = [record._received_cdr() for record in records]
        subjects = [
            Subject(cdr, record.received_at, record.contract_id, record)
            for record, cdr in zip(records, cdrs, strict=True)
        ]
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        context = self.env["emsp.cdr"]._find_context(self.company, cdrs)
        judgements = self.env["emsp.cdr"]._judge(self.company, subjects, context)
        self.assertEqual(len(judgements), len(records))
        return self.env.cr.sql_log_count - before

    def test_judging_1000_cdrs_needs_the_queries_of_10(self):
        cdrs = self._receive(*[cdr_payload(number) for number in range(1, 1001)], rate=False)
        self._queries_to_judge(cdrs[:1])  # fills the caches of the registry
        few, many = self._queries_to_judge(cdrs[:10]), self._queries_to_judge(cdrs)
        self.assertEqual(many, few)
        self.assertLess(many, 30)
