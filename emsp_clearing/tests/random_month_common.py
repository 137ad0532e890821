from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from unittest.mock import patch
from zoneinfo import ZoneInfo

from odoo import Command

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .bank_common import OWN_IBAN, BankCommon
from .common import EmspCommon, cdr_payload
from .random_month_model import ZERO, Model, Session, Week, cents

PARIS = ZoneInfo("Europe/Paris")
# A Monday. Two weeks are billed when the month begins.
FIRST_WEEK = date(2026, 9, 7)
WEEKS = 9
BEGIN = datetime(2026, 10, 1, 6)
# Net per kWh. Sessions take 0.05 kWh or a multiple, so that each has an exact amount in cents.
PRICE = Decimal("0.40")
GRACE_DAYS, CONTROL_DAYS, DUE_DAYS = 1, 5, 15
CHARGE = Decimal("0.50")
RETURN_CHARGE = Decimal("3.50")
IBANS = {
    "Spree": "DE89370400440532013000",
    "Rhône": "FR1420041010050500013M02606",
    "Beta": "NL91ABNA0417164300",
    "Seine": "FR7612548029980000000150086",
    "Mini": "DE75512108001245126199",
}
RATES = {"Spree": ZERO, "Rhône": Decimal("0.2"), "Beta": ZERO, "Seine": Decimal("0.2"), "Mini": ZERO}
# contract -> partner; the OCPI party is called as the contract.
PARTNER_OF = {"SPR": "Spree", "RHA": "Rhône", "RHB": "Rhône", "BET": "Beta", "SEI": "Seine", "MIN": "Mini"}
SESSIONS_A_WEEK = {"SPR": 45, "RHA": 30, "RHB": 30, "BET": 40, "SEI": 35, "MIN": 4}


def instant(day):
    """Midnight in Paris, as naive UTC."""
    return datetime.combine(day, datetime.min.time(), PARIS).astimezone(UTC).replace(tzinfo=None)


class RandomMonthCommon(EmspCommon):
    """A French CPO and five partners that are billed each week, in euro.

    Spree: German, tax free. Rhône: two contracts on one invoice, 20 % VAT. Beta: bills us too, is netted, and
    gets credit notes of their own. Seine: collected from. Mini: an invoice for each session.
    """

    @classmethod
    @AccountTestInvoicingCommon.setup_country("fr")
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(
            patch.object(type(cls.env["emsp.settlement"]), "_send", lambda settlement: None)
        )
        cls.env.user.group_ids += cls.env.ref("account_payment_batch_oca.group_account_payment")
        cls.env.user.group_ids += cls.env.ref("account.group_validate_bank_account")
        cls.env.user.tz = "Europe/Paris"
        cls.journal = cls.company_data["default_journal_bank"]
        own = cls.company.partner_id.bank_ids.filtered(lambda bank: bank.sanitized_acc_number == OWN_IBAN)
        cls.journal.bank_account_id = own
        expense = cls.company_data["default_account_expense"]
        cls.company.write(
            {
                "emsp_charge_account_id": expense.id,
                "emsp_charge_limit": float(CHARGE),
                "emsp_return_account_id": expense.id,
                "emsp_payment_ahead_days": 30,
                "sepa_creditor_identifier": "FR72ZZZ123456",
                "tax_calculation_rounding_method": "round_globally",
            }
        )
        cls.energy_grid = cls._create_grid(
            "MONTH", line_ids=[Command.create({"component": "ENERGY", "price": float(PRICE)})]
        )
        cls.partners = {name: cls._create_partner(name) for name in RATES}
        cls.accounts = {
            name: BankCommon._create_account.__func__(cls, iban, cls.partners[name])
            for name, iban in IBANS.items()
        }
        cls.contracts = {party: cls._create_weekly_contract(party) for party in PARTNER_OF}
        cls._agree_on_netting()
        cls._agree_on_collecting()

    @classmethod
    def _create_partner(cls, name):
        country = IBANS[name][:2].lower() if RATES[name] else "de"
        return cls.env["res.partner"].create(
            {
                "name": f"{name} Mobilité",
                "is_company": True,
                "country_id": cls.env.ref(f"base.{country}").id,
                "street": "1 place Kléber",
                "zip": "67000",
                "city": "Strasbourg",
                "vat": "FR40303265045" if country == "fr" else "DE136695976",
                "email": f"ap@{name[:3].lower()}.test",
            }
        )

    @classmethod
    def _create_weekly_contract(cls, party):
        return cls._create_contract(
            cls.partners[PARTNER_OF[party]],
            "DE",
            party,
            name=f"Weekly {party}",
            grid=cls.energy_grid,
            date_start=FIRST_WEEK,
            frequency="weekly",
            grace_days=GRACE_DAYS,
            control_days=CONTROL_DAYS,
            payment_term_id=cls.env.ref("account.account_payment_term_15days").id,
            refund_way="keep",
            shares_invoice=party in ("RHA", "RHB"),
            credit_scope="own" if party == "BET" else "next",
            invoice_scope="cdr" if party == "MIN" else "period",
        )

    @classmethod
    def _agree_on_netting(cls):
        clause = {"is_netting_agreed": True, "netting_date": date(2026, 1, 1), "netting_reference": "7.3"}
        cls.contracts["BET"].write(clause)
        cls.contracts["BET"].copy({"partner_role": "cpo", "bill_way": "hand", "state": "active", **clause})

    @classmethod
    def _agree_on_collecting(cls):
        cls.env["account.banking.mandate"].create(
            {
                "partner_id": cls.partners["Seine"].id,
                "partner_bank_id": cls.accounts["Seine"].id,
                "company_id": cls.company.id,
                "format": "sepa_b2b",
                "type": "recurrent",
                "signature_date": date(2026, 1, 5),
                "unique_mandate_reference": "MANDATE-7",
                "state": "valid",
            }
        )
        cls.contracts["SEI"].write({"payment_way": "debit", "collection_days": 1})


class Month:
    """The month in the product and in the model at once: each event is told to both.

    The product is told by what people, banks and partners do; the model by what it must come to.
    """

    def __init__(self, case):
        self.case, self.env = case, case.env
        self.model = Model(RATES)
        self.model.owed = dict.fromkeys(RATES, ZERO)
        self.model.payable = {"Beta": ZERO}
        # Records of the product by what they are in the model.
        self.records = {}
        self.payloads = {}
        self.disputes = {}
        self.collections = []
        # What each partner owed when the month began.
        self.openings = {}
        self.outcomes = Counter()
        self.numbers = {"cdr": 1, "statement": 0, "entry": 0, "bill": 0}
        self.now = instant(FIRST_WEEK) + timedelta(hours=6)
        for number in range(WEEKS):
            first = FIRST_WEEK + timedelta(days=7 * number)
            end = first + timedelta(days=7)
            cut_off = end + timedelta(days=GRACE_DAYS)
            lock = cut_off + timedelta(days=CONTROL_DAYS)
            self.model.weeks += [
                Week(party, instant(end), instant(cut_off), instant(lock)) for party in PARTNER_OF
            ]

    @property
    def today(self):
        return self.now.replace(tzinfo=UTC).astimezone(PARIS).date()

    def next_number(self, kind):
        self.numbers[kind] += 1
        return self.numbers[kind]

    def count(self, kind, times=1):
        self.model.events[kind] += times

    # --- Time -----------------------------------------------------------------------------------

    def advance(self, now, rng):
        """Go on to an instant, through the days on which sessions come, lists close and lock."""
        stops = {week.cut_off for week in self.model.weeks} | {week.lock for week in self.model.weeks}
        ends = {week.end: "intake" for week in self.model.weeks}
        for stop in sorted(stops | {end + timedelta(hours=6) for end in ends}):
            if self.now < stop <= now:
                self._move_to(stop)
                if stop - timedelta(hours=6) in ends:
                    self._take_in(stop - timedelta(hours=6), rng)
                else:
                    self.run()
        self._move_to(now)

    def _move_to(self, now):
        self.now = now
        self.case.clock.move_to(now)

    def _take_in(self, end, rng):
        """The sessions of the week, all at once."""
        start = end - timedelta(days=7)
        taken = []
        for party, count in SESSIONS_A_WEEK.items():
            for __ in range(count):
                begun = start + timedelta(minutes=rng.randrange(0, 6 * 24 * 60))
                taken.append(self._session(party, begun, rng.randrange(100, 1000)))
        cdrs = self.case._receive(*(self.payloads[each] for each in taken), received_at=self.now)
        self._keep(taken, cdrs)

    def _session(self, party, begun, twentieths):
        number = self.next_number("cdr")
        energy = Decimal(twentieths) / 20
        net = energy * PRICE
        minutes = twentieths * 3 // 10
        payload = cdr_payload(number, begun, minutes, float(energy), total_cost={"excl_vat": float(net)})
        payload["cdr_token"]["party_id"] = party
        session = Session(f"CDR-{number}", party, net, begun + timedelta(minutes=minutes), self.now)
        self.payloads[session] = payload
        return session

    def _keep(self, sessions, cdrs):
        """The new CDRs, each open: nothing of the month is held by the rules."""
        self.case.assertEqual(set(cdrs.mapped("state")), {"open"}, cdrs.finding_ids.mapped("message"))
        by_number = {cdr.ocpi_id: cdr for cdr in cdrs}
        for session in sessions:
            self.records[session] = by_number[session.number].with_env(self.env)
            self.case.assertEqual(cents(by_number[session.number].amount_untaxed), session.net)
        self.model.sessions += sessions

    def run(self):
        """The hourly run: lists close, lock and are billed."""
        self.model.close_lists(self.now)
        locked = self.model.lock_lists(self.now)
        self.case._run_due(self.now)
        for partner in dict.fromkeys(PARTNER_OF[week.contract] for week in locked):
            self._bill(partner, [week for week in locked if PARTNER_OF[week.contract] == partner])

    def _bill(self, partner, weeks):
        sessions = self.model.sessions_of(weeks)
        due = self.today + timedelta(days=DUE_DAYS)
        for group, corrected in self._groups(partner, sessions):
            document = self.model.bill(partner, group, self.today, due)
            if not document:
                continue
            moves = self.env["emsp.cdr"].union(*(self.records[each] for each in group)).move_id
            self.case.assertEqual(len(moves), 1, f"{partner}: {len(group)} sessions on {moves}")
            self.records[document] = moves
            if corrected and document.kind == "credit_note":
                document.corrects = corrected
                self.model.set_off(document, corrected)
            self.count("bill")

    def _groups(self, partner, sessions):
        """Which sessions stand on one document: (sessions, document that they correct)."""
        if partner not in ("Beta", "Mini"):
            return [(sessions, None)]
        credits = [each for each in sessions if each.original]
        rest = [each for each in sessions if not each.original]
        if partner == "Mini":
            return [([each], each.original and each.original.document) for each in sessions]
        groups = {}
        for credit in credits:
            groups.setdefault(credit.original.document, []).append(credit)
        return [(rest, None), *((group, document) for document, group in groups.items())]
