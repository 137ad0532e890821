from odoo.exceptions import UserError
from odoo.tests import tagged

from .bank_common import OWN_IBAN, BankCommon

CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M-{name}</MsgId><CreDtTm>2026-11-30T22:00:00+01:00</CreDtTm></GrpHdr>
<Stmt><Id>{name}</Id><CreDtTm>2026-11-30T22:00:00+01:00</CreDtTm>
<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{opening:.2f}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-16</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{closing:.2f}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-30</Dt></Dt></Bal>{entries}</Stmt>
</BkToCstmrStmt></Document>"""
ENTRY = """<Ntry><Amt Ccy="EUR">{amount:.2f}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{value}</Dt></ValDt>{reference}
<NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>
<RltdPties><Dbtr><Pty><Nm>Beta</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>{iban}</IBAN></Id></DbtrAcct></RltdPties>
<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"""
DAY, NEXT = "2026-11-16", "2026-11-17"


def entry(amount, day=DAY, **vals):
    """Text of an entry; `reference` is the bank's own."""
    reference = vals.pop("reference", "")
    facts = {
        "value": day,
        "text": "Ladestrom",
        "end_to_end": "NOTPROVIDED",
        "iban": "DE89370400440532013000",
        "reference": f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else "",
        **vals,
    }
    return amount, ENTRY.format(amount=amount, day=day, **facts)


@tagged("post_install", "-at_install")
class TestStatementTwins(BankCommon):
    """The same bookings from a day's and from a month's statement, of a bank without references."""

    def _load(self, name, opening, *entries):
        """:return: (the amounts booked, the notifications)."""
        content = CAMT.format(
            name=name,
            iban=OWN_IBAN,
            opening=opening,
            closing=opening + sum(amount for amount, __ in entries),
            entries="".join(text for __, text in entries),
        )
        wizard = self.env["account.statement.import"].create(
            {"statement_file": self._encoded(content.encode()), "statement_filename": f"{name}.xml"}
        )
        result = wizard._import_file()
        lines = self.env["account.bank.statement"].browse(result["statement_ids"]).line_ids
        return sorted(lines.mapped("amount")), result["notifications"]

    def _total(self):
        lines = self.env["account.bank.statement.line"].search([("journal_id", "=", self.journal.id)])
        return sum(lines.mapped("amount"))

    def test_month_books_only_what_its_days_lacked_and_tells_it(self):
        self._load("day-1", 1000, entry(25), entry(30, text="Miete"))
        self._load("day-2", 1055, entry(40, NEXT))
        booked, notifications = self._load(
            "month", 1000, entry(25), entry(30, text="Miete"), entry(40, NEXT), entry(50, "2026-11-18")
        )
        self.assertEqual(booked, [50.0])
        self.assertEqual(
            notifications,
            ["3 entries were not booked: other statements of the same days have brought them already."],
        )
        # It begins where the days ended: 1000 + 25 + 30 + 40.
        self.assertFalse(self._exceptions("statement_gap"))
        self.assertEqual(self._total(), 145.0)

    def test_month_that_its_days_hold_whole_is_refused_with_the_count(self):
        self._load("day-1", 1000, entry(25))
        self._load("day-2", 1025, entry(40, NEXT))
        with self.assertRaisesRegex(UserError, "2 entries were not booked"):
            self._load("month", 1000, entry(25), entry(40, NEXT))
        self.assertEqual(self._total(), 65.0)

    def test_days_after_their_month_are_not_booked_again(self):
        self._load("month", 1000, entry(25), entry(40, NEXT))
        with self.assertRaisesRegex(UserError, "1 entry was not booked"):
            self._load("day-1", 1000, entry(25))
        booked, __ = self._load("day-2", 1025, entry(40, NEXT), entry(7, NEXT))
        self.assertEqual(booked, [7.0])

    def test_equal_payments_of_one_file_are_all_booked_and_cover_as_many(self):
        self.assertEqual(self._load("day", 1000, entry(25), entry(25))[0], [25.0, 25.0])
        booked, notifications = self._load("month", 1000, entry(25), entry(25), entry(25))
        self.assertEqual(booked, [25.0])
        self.assertIn("2 entries were not booked", notifications[0])
        # Again: each entry is known, by its id or by what it says.
        with self.assertRaises(UserError):
            self._load("month", 1000, entry(25), entry(25), entry(25))
        self.assertEqual(self._total(), 75.0)

    def test_entry_that_differs_in_one_of_its_facts_is_another_booking(self):
        same = {"text": "Ladestrom", "end_to_end": "E-1"}
        self._load("day", 1000, entry(25, **same))
        others = [
            entry(25, **{**same, "text": "Ladestrom 2"}),
            entry(25, **{**same, "end_to_end": "E-2"}),
            entry(25, **{**same, "iban": "DE02100700009876543210"}),
            entry(25, **{**same, "value": NEXT}),
            entry(25, day=NEXT, **same),
            entry(25.01, **same),
        ]
        booked, notifications = self._load("month", 1000, entry(25, **same), *others)
        self.assertEqual(booked, [25.0] * 5 + [25.01])
        self.assertIn("1 entry was not booked", notifications[0])

    def test_second_statement_of_a_day_brings_payments_of_its_own(self):
        self._load("morning", 1000, entry(25))
        self._load("noon", 1025, entry(3, text="Zins"))
        # It begins where the one at noon ended: an equal payment is one more.
        self.assertEqual(self._load("evening", 1028, entry(25)), ([25.0], []))
        self.assertEqual(self._total(), 53.0)
        # The evening in another file is the evening again.
        with self.assertRaises(UserError):
            self._load("evening-again", 1028, entry(25))

    def test_statements_of_a_day_that_come_in_the_wrong_order_are_all_booked(self):
        self._load("evening", 1025, entry(25))
        self.assertEqual(self._load("morning", 1000, entry(25))[0], [25.0])

    def test_references_of_the_bank_tell_bookings_apart(self):
        self._load("day", 1000, entry(25, reference="BK-1"))
        # A month without them is the same booking; one with another is not.
        with self.assertRaises(UserError):
            self._load("month", 1000, entry(25))
        self.assertEqual(self._load("other", 1000, entry(25, reference="BK-2"))[0], [25.0])

    def test_journals_do_not_cover_each_other(self):
        self._load("day", 1000, entry(25))
        other = self.journal.copy({"name": "Other", "code": "OTH"})
        self.journal.bank_account_id.journal_id = other
        self.journal.bank_account_id = False
        other.bank_account_id = self.env["res.partner.bank"].search([("acc_number", "=", OWN_IBAN)])
        self.assertEqual(self._load("month", 1000, entry(25))[0], [25.0])
