"""Settlements worked out by hand, and found again in all that leaves: see golden_common.

The grid: 1.00 per session + 0.39 per kWh + 0.05 per minute. So the two sessions that come up throughout are
    CDR-1, 10 kWh in 30 min: 1.00 + 3.90 + 1.50 = 6.40
    CDR-2, 15 kWh in 30 min: 1.00 + 5.85 + 1.50 = 8.35
"""

from datetime import datetime

from odoo.tests import tagged

from .common import cdr_payload
from .golden_common import NOVEMBER, Golden, GoldenCommon
from .settlement_common import MID_MONTH, credit_of, priced


@tagged("post_install", "-at_install")
class TestGolden(GoldenCommon):
    def test_french_partner_is_taxed_at_20_percent(self):
        # Fees 2 x 1.00 = 2.00, energy 25 x 0.39 = 9.75, time 60 x 0.05 = 3.00; net 14.75
        # 20 % of 14.75 = 2.95; gross 17.70. Of the rows: 20 % of 6.40 = 1.28 and of 8.35 = 1.67.
        settlement = self._settle(cdr_payload(1), cdr_payload(2, energy=15.0))
        self.assertEqual((settlement.vat_decided_by, settlement.vat_regime), ("rules", "domestic"))
        self._assert_golden(
            settlement.move_id,
            Golden(
                lines="2.00 9.75 3.00",
                taxes=(("20", "14.75", "2.95"),),
                net="14.75",
                tax="2.95",
                total="17.70",
                rows=(("CDR-1", "6.40", "1.28"), ("CDR-2", "8.35", "1.67")),
            ),
        )

    def test_german_dealer_owes_the_vat_itself(self):
        # The same 14.75 without VAT: place of supply is Germany (articles 38 and 195 of the Directive).
        self._move_to_germany()
        settlement = self._settle(cdr_payload(1), cdr_payload(2, energy=15.0))
        self.assertEqual((settlement.vat_decided_by, settlement.vat_regime), ("rules", "eu_reverse"))
        issued = self._assert_golden(
            settlement.move_id,
            Golden(
                lines="2.00 9.75 3.00",
                taxes=(("0", "14.75", "0.00"),),
                net="14.75",
                tax="0.00",
                total="14.75",
                rows=(("CDR-1", "6.40", "0.00"), ("CDR-2", "8.35", "0.00")),
                category="AE",
            ),
        )
        for words in (
            "Reverse charge / Autoliquidation / Steuerschuldnerschaft des Leistungsempfängers",
            "Articles 38 and 195 of Directive 2006/112/EC",
            "FR23334175221",
            "DE136695976",
        ):
            self.assertIn(words, issued.text)
        self.assertEqual(issued.ubl.findtext(".//{*}TaxExemptionReasonCode"), "VATEX-EU-AE")
        self.assertEqual(issued.cii.findtext(".//{*}ExemptionReasonCode"), "VATEX-EU-AE")
        numbers = [node.text for node in issued.ubl.findall(".//{*}PartyTaxScheme/{*}CompanyID")]
        self.assertEqual(numbers, ["FR23334175221", "DE136695976"])
        numbers = [node.text for node in issued.cii.findall(".//{*}SpecifiedTaxRegistration/{*}ID")]
        self.assertEqual(numbers, ["FR23334175221", "DE136695976"])

    def test_francs_have_their_vat_in_euro_too(self):
        # At 0.80 francs for a euro: 20 % of CHF 14.75 = CHF 2.95 = EUR 3.6875, so EUR 3.69.
        contract = self._create_francs_contract()
        self._run_due(MID_MONTH)
        vals = {"currency": "CHF", "cdr_token": self._token_of_other()}
        self._settle(cdr_payload(1, **vals), cdr_payload(2, energy=15.0, **vals))
        move = contract.settlement_ids.move_id
        issued = self._assert_golden(
            move,
            Golden(
                lines="2.00 9.75 3.00",
                taxes=(("20", "14.75", "2.95"),),
                net="14.75",
                tax="2.95",
                total="17.70",
                rows=(("CDR-1", "6.40", "1.28"), ("CDR-2", "8.35", "1.67")),
                currency="CHF",
            ),
        )
        self.assertEqual(sum(-line.balance for line in move.line_ids.filtered("tax_line_id")), 3.69)
        self.assertIn(
            "VAT in EUR: 3.69 €, at the exchange rate of November 10, 2026 (1 EUR = 0.8 CHF).", issued.text
        )
        self.assertEqual(issued.ubl.findtext("{*}TaxCurrencyCode"), "EUR")
        self.assertEqual(
            [node.text for node in issued.ubl.findall("{*}TaxTotal/{*}TaxAmount")], ["2.95", "3.69"]
        )
        self.assertEqual(issued.cii.findtext(".//{*}TaxCurrencyCode"), "EUR")
        found = {node.get("currencyID"): node.text for node in issued.cii.findall(".//{*}TaxTotalAmount")}
        self.assertEqual(found, {"CHF": "2.95", "EUR": "3.69"})

    def test_energy_at_5_5_and_the_rest_at_20_percent(self):
        # Energy 9.75: 5.5 % = 0.53625, so 0.54. Fees and time 2.00 + 3.00 = 5.00: 20 % = 1.00.
        # Net 14.75, VAT 1.54, gross 16.29.
        # Of the rows: CDR-1 has 3.90/9.75 of 0.54 = 0.216, so 0.22, and half of 1.00: 0.72. CDR-2 has the
        # rest: 0.82.
        product = self.env.ref("emsp_clearing.product_energy")
        product.with_company(self.company).taxes_id = self._tax("tva_reduite")
        move = self._settle(cdr_payload(1), cdr_payload(2, energy=15.0)).move_id
        self._assert_golden(
            move,
            Golden(
                lines="2.00 9.75 3.00",
                taxes=(("20", "5.00", "1.00"), ("5.5", "9.75", "0.54")),
                net="14.75",
                tax="1.54",
                total="16.29",
                rows=(("CDR-1", "6.40", "0.72"), ("CDR-2", "8.35", "0.82")),
            ),
        )

    def test_four_decimals_of_a_session_and_a_cent_of_rounding(self):
        # CDR-1: 10.011 kWh in 30 min 3 s: 1.00 + 3.90429 + 30.05 x 0.05 = 6.40679, so 6.4068
        # CDR-2: 6.4000. Sum 12.8068, invoiced as 12.81.
        # Fees 2.00, energy 3.9043 + 3.90 = 7.8043, time 1.5025 + 1.50 = 3.0025: each line rounded by itself
        # would give 12.80, so the one that is cut most, energy, is 7.81.
        # 20 % of 12.81 = 2.562, so 2.56; gross 15.37. Of each row about half: 1.28.
        self.contract.price_precision = "4"
        move = self._settle(cdr_payload(1, minutes=30.05, energy=10.011), cdr_payload(2)).move_id
        self._assert_golden(
            move,
            Golden(
                lines="2.00 7.81 3.00",
                taxes=(("20", "12.81", "2.56"),),
                net="12.81",
                tax="2.56",
                total="15.37",
                rows=(("CDR-1", "6.4068", "1.2800"), ("CDR-2", "6.4000", "1.2800")),
            ),
        )

    def test_credit_is_a_negative_line_of_the_next_invoice(self):
        # October: 6.40. November: CDR-1 credited, CDR-2 of 8.35 new; 8.35 - 6.40 = 1.95.
        # 20 % of 1.95 = 0.39; gross 2.34. Of the rows: 20 % of -6.40 = -1.28, of 8.35 = 1.67.
        payload = priced(1, 6.40)
        invoice = self._settle(payload).move_id
        move = self._november(credit_of(payload), cdr_payload(2, start=NOVEMBER, energy=15.0)).move_id
        issued = self._assert_golden(
            move,
            Golden(
                lines="1.00 5.85 1.50 -1.00 -3.90 -1.50",
                taxes=(("20", "1.95", "0.39"),),
                net="1.95",
                tax="0.39",
                total="2.34",
                rows=(("CDR-C", "-6.40", "-1.28"), ("CDR-2", "8.35", "1.67")),
                period="2026-11-01 2026-11-30",
                corrects=invoice.name,
            ),
        )
        self.assertRegex(issued.text, "Sessions of November 2026 .*Sessions of October 2026")
        # The credit of a session that was invoiced has not come too late.
        self.assertNotIn("received too late", issued.text)
        self.assertEqual((move.emsp_credited_move_ids, invoice.emsp_credit_move_ids), (invoice, move))

    def test_credit_is_a_credit_note_of_its_own(self):
        # October: 6.40 + 8.35 = 14.75 and 2.95: 17.70. November: CDR-3 of 6.40 has its invoice; CDR-1 is
        # credited: 6.40 + 20 % 1.28 = 7.68, set off against October, of which 17.70 - 7.68 = 10.02 stay due.
        self.contract.credit_scope = "own"
        payload = priced(1, 6.40)
        invoice = self._settle(payload, cdr_payload(2, energy=15.0)).move_id
        moves = self._november(credit_of(payload), cdr_payload(3, start=NOVEMBER)).move_ids
        note = moves.filtered(lambda move: move.move_type == "out_refund")
        plain = {
            "lines": "1.00 3.90 1.50",
            "taxes": (("20", "6.40", "1.28"),),
            "net": "6.40",
            "tax": "1.28",
            "total": "7.68",
            "period": "2026-11-01 2026-11-30",
        }
        self._assert_golden(
            note,
            Golden(**plain, rows=(("CDR-C", "-6.40", "-1.28"),), kind="381", corrects=invoice.name),
        )
        self._assert_golden(moves - note, Golden(**plain, rows=(("CDR-3", "6.40", "1.28"),)))
        self.assertEqual((invoice.amount_residual, note.amount_residual), (10.02, 0.0))
        self.assertEqual((note.emsp_credited_move_ids, invoice.emsp_credit_move_ids), (invoice, note))
        credit = note.emsp_settlement_id.cdr_ids.filtered("is_credit")
        self.assertEqual((credit.move_id, credit.credited_cdr_id.move_id), (note, invoice))

    def test_small_october_is_billed_with_november(self):
        # Below 10.00 October's 6.40 waits; with November's 8.35 it is 14.75, 20 % of it 2.95.
        self.contract.minimum_amount = 10
        october = self._settle(cdr_payload(1))
        self.assertEqual((october.state, october.carried_forward), ("locked", True))
        november = self._november(cdr_payload(2, start=NOVEMBER, energy=15.0))
        issued = self._assert_golden(
            november.move_id,
            Golden(
                lines="1.00 5.85 1.50 1.00 3.90 1.50",
                taxes=(("20", "14.75", "2.95"),),
                net="14.75",
                tax="2.95",
                total="17.70",
                rows=(("CDR-1", "6.40", "1.28"), ("CDR-2", "8.35", "1.67")),
                period="2026-10-01 2026-11-30",
            ),
        )
        self.assertRegex(issued.text, "Sessions of November 2026 .*Sessions of October 2026")
        self.assertIn("1 session 1.0000", issued.text)
        self.assertEqual(october.move_id, november.move_id)
        self.assertEqual(
            self._annex_settlements(issued.annex),
            {october.name: ("1 / 1", 6.4), november.name: ("1 / 1", 8.35)},
        )

    def test_half_a_year_is_one_invoice(self):
        # A session of July and one of December: 6.40 + 8.35 = 14.75, 20 % of it 2.95.
        contract = self._add_contract(name="Half-yearly", frequency="half_yearly")
        self._run_due(datetime(2026, 7, 10))
        token = self._token_of_other()
        self._receive(
            cdr_payload(1, start=datetime(2026, 7, 5, 8), cdr_token=token), received_at=datetime(2026, 7, 6)
        )
        self._receive(
            cdr_payload(2, start=datetime(2026, 12, 20, 8), energy=15.0, cdr_token=token),
            received_at=datetime(2026, 12, 21),
        )
        self._run_due(datetime(2027, 1, 9, 23, 0))
        self._assert_golden(
            contract.settlement_ids.move_id,
            Golden(
                lines="2.00 9.75 3.00",
                taxes=(("20", "14.75", "2.95"),),
                net="14.75",
                tax="2.95",
                total="17.70",
                rows=(("CDR-1", "6.40", "1.28"), ("CDR-2", "8.35", "1.67")),
                period="2026-07-01 2026-12-31",
            ),
        )

    def test_two_contracts_stand_on_one_invoice(self):
        # One contract 6.40, the other 8.35; 14.75 in all, 20 % of it 2.95.
        other = self._add_contract(name="Second brand")
        (self.contract | other).shares_invoice = True
        self._run_due(MID_MONTH)
        first = self._settle(cdr_payload(1), cdr_payload(2, energy=15.0, cdr_token=self._token_of_other()))
        second = other.settlement_ids.filtered("cdr_count")
        issued = self._assert_golden(
            first.move_id,
            Golden(
                lines="1.00 3.90 1.50 1.00 5.85 1.50",
                taxes=(("20", "14.75", "2.95"),),
                net="14.75",
                tax="2.95",
                total="17.70",
                rows=(("CDR-1", "6.40", "1.28"), ("CDR-2", "8.35", "1.67")),
            ),
        )
        self.assertIn(self.contract.display_name, issued.text)
        self.assertIn(other.display_name, issued.text)
        self.assertEqual(
            self._annex_settlements(issued.annex), {first.name: ("1 / 1", 6.4), second.name: ("1 / 1", 8.35)}
        )

    def test_each_session_has_its_invoice(self):
        # 20 % of 6.40 = 1.28. CDR-2, 7.5 kWh: 1.00 + 2.925 + 1.50 = 5.425, so 5.43, which leaves 2.93 for the
        # energy; 20 % = 1.086, so 1.09.
        self.contract.invoice_scope = "cdr"
        settlement = self._settle(cdr_payload(1), cdr_payload(2, energy=7.5))
        for cdr, (lines, net, tax, total) in zip(
            settlement.cdr_ids.sorted("ocpi_id"),
            (
                ("1.00 3.90 1.50", "6.40", "1.28", "7.68"),
                ("1.00 2.93 1.50", "5.43", "1.09", "6.52"),
            ),
            strict=True,
        ):
            with self.subTest(cdr=cdr.ocpi_id):
                self._assert_golden(
                    cdr.move_id,
                    Golden(
                        lines=lines,
                        taxes=(("20", net, tax),),
                        net=net,
                        tax=tax,
                        total=total,
                        rows=((cdr.ocpi_id, net, tax),),
                    ),
                )
