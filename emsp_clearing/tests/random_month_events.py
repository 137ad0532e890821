from datetime import timedelta
from decimal import Decimal

from odoo import Command
from odoo.exceptions import UserError

from ..core.dispute import OPENER, OWNER
from ..models.emsp_dispute_opening import Complaint
from .random_month_bank import MonthBank
from .random_month_model import Session, cents
from .settlement_common import credit_of

# Before the lock by so much nobody opens a dispute any more.
MARGIN = timedelta(minutes=1)


class MonthEvents(MonthBank):
    """Disputes and credits of sessions, credit notes by hand, bills of the partner and netting."""

    # --- Disputes -------------------------------------------------------------------------------

    def dispute(self, rng, size):
        """The partners look at their lists; where none is open, at invoices that they have."""
        disputable = [
            session
            for session in self.model.sessions
            if session.state == "open"
            and session.net > 0
            and not session.is_disputed
            and session.week
            and session.week.state == "control"
            and self.now < session.week.lock - MARGIN
        ]
        chosen = rng.sample(disputable, min(size, len(disputable)))
        complaints = {
            self.records[session]: Complaint("energy", own_amount=float(cents(session.net / 2)))
            for session in chosen
        }
        if complaints:
            opener = self.case.partners["Spree"]
            disputes = self.env["emsp.dispute"]._open(complaints, "portal", opener, self.now)
            for session, dispute in zip(chosen, disputes, strict=True):
                session.state, session.is_disputed = "disputed", True
                self.disputes[session] = dispute
            self.count("dispute", len(chosen))
        else:
            self._contest(rng, size)

    def _contest(self, rng, size):
        """After the lock, and after the payment: the partner writes, and the accountant notes it."""
        invoices = [doc for doc in self.model.documents if doc.kind == "invoice"]
        for invoice in rng.sample(invoices, min(size, len(invoices))):
            move = self.records[invoice]
            contested = 0.0 if move.emsp_contested_amount else float(cents(invoice.gross / 10))
            move.write({"emsp_contested_amount": contested, "emsp_contested_reason": "E-mail"})
        self.count("dispute of an invoice", min(size, len(invoices)))

    def decide(self, rng, size):
        """Accepted, corrected, or refused, each for several disputes."""
        waiting = [session for session in self.model.sessions if session in self.disputes]
        chosen = rng.sample(waiting, min(size, len(waiting)))
        for position, verdict in enumerate(("upheld", "corrected", "refused", "withdrawn")):
            of_verdict = chosen[position::4]
            disputes = self.env["emsp.dispute"].union(*(self.disputes.pop(each) for each in of_verdict))
            if disputes:
                getattr(self, f"_decide_{verdict}")(of_verdict, disputes)
                self.count(f"dispute {verdict}", len(of_verdict))

    def _decide_upheld(self, sessions, disputes):
        disputes._step("upheld", OWNER, "The meter was broken.", at=self.now)
        for session in sessions:
            session.state = "void"

    def _decide_corrected(self, sessions, disputes):
        """At what the opener has named."""
        disputes._step("corrected", OWNER, "Half of it.", at=self.now)
        for session, dispute in zip(sessions, disputes, strict=True):
            session.state = "void"
            new = Session(
                dispute.new_cdr_id.ocpi_id,
                session.contract,
                cents(session.net / 2),
                session.ended,
                self.now,
                is_credited=True,
            )
            self.records[new] = dispute.new_cdr_id
            self.model.sessions.append(new)

    def _decide_refused(self, sessions, disputes):
        disputes._step("rejected", OWNER, "The meter is calibrated.", at=self.now)
        disputes._step("dismissed", OPENER, "All right.", at=self.now)
        self._reopen(sessions)

    def _decide_withdrawn(self, sessions, disputes):
        disputes._step("withdrawn", OPENER, at=self.now)
        self._reopen(sessions)

    def _reopen(self, sessions):
        for session in sessions:
            session.state = "open"

    # --- Credits --------------------------------------------------------------------------------

    def credit(self, rng, size):
        """Credit CDRs: of sessions that are billed, most of all, and of some that are not."""
        billed = [each for each in self.model.sessions if self._is_creditable(each, ("billed",))]
        others = [each for each in self.model.sessions if self._is_creditable(each, ("open",))]
        chosen = rng.sample(billed, min(size, len(billed))) + rng.sample(others, min(1, len(others)))
        credits = []
        for original in chosen:
            original.is_credited = True
            number = f"C{self.next_number('cdr')}"
            credit = Session(
                f"CDR-{number}", original.contract, -original.net, original.ended, self.now, original=original
            )
            self.payloads[credit] = credit_of(self.payloads[original], number)
            credits.append(credit)
        cdrs = self.case._receive(*(self.payloads[each] for each in credits), received_at=self.now)
        for credit in credits:
            [self.records[credit]] = cdrs.filtered(lambda cdr, credit=credit: cdr.ocpi_id == credit.number)
            if credit.original.state == "open":
                credit.state = credit.original.state = "void"
        self.model.sessions += credits
        self.count("credit", len(credits))

    def _is_creditable(self, session, states):
        return session.net > 0 and session.state in states and not session.is_credited

    def credit_by_hand(self, rng):
        """An accountant credits a part of an invoice; what is open of that is less at once."""
        invoices = [
            doc
            for doc in self.model.documents
            if doc.kind == "invoice" and doc.partner in ("Spree", "Rhône") and not doc.is_ordered
        ]
        if not invoices:
            return
        invoice = rng.choice(invoices)
        net = cents(invoice.net * Decimal(rng.randrange(1, 10)) / 100)
        move = self.records[invoice]
        note = move._reverse_moves([{"invoice_date": self.today, "date": self.today}], cancel=False)
        first = note.invoice_line_ids.filtered(lambda line: line.display_type == "product")[:1]
        (note.invoice_line_ids - first).unlink()
        note.invoice_line_ids = [Command.update(first.id, {"quantity": 1, "price_unit": float(net)})]
        note.action_post()
        document = self.model.add_document(
            "credit_note", invoice.partner, net, self.today, self.today, corrects=invoice
        )
        document.shares = invoice.shares
        self.records[document] = note
        # Odoo sets it off when it is posted.
        self.model.set_off(document, invoice)
        self.count("credit by hand")

    # --- Netting --------------------------------------------------------------------------------

    def bill_us(self, rng, size=3):
        """Beta bills the sessions of our drivers on its chargers; a person enters the bills."""
        for __ in range(size):
            net = Decimal(rng.randrange(1_000, 20_000)) / 100
            due = self.today + timedelta(days=rng.randrange(5, 30))
            move = self.env["account.move"].create(
                {
                    "move_type": "in_invoice",
                    "partner_id": self.case.partners["Beta"].id,
                    "invoice_date": self.today,
                    "date": self.today,
                    "invoice_date_due": due,
                    "invoice_payment_term_id": False,
                    "ref": f"BETA-{self.next_number('bill')}",
                    "invoice_line_ids": [
                        Command.create(
                            {"name": "Charging", "price_unit": float(net), "tax_ids": [Command.clear()]}
                        )
                    ],
                }
            )
            move.action_post()
            document = self.model.add_document("bill", "Beta", net, self.today, due)
            self.records[document] = move
            self.count("bill of the partner")

    def net(self, rng):
        """Propose, send, accept on both sides and settle."""
        self.bill_us(rng)
        partner = self.case.partners["Beta"]
        cleared, volume = self.model.plan_netting("Beta")
        netting = self.env["emsp.netting"].create(
            {
                "partner_id": partner.id,
                "company_id": self.case.company.id,
                "currency_id": self.env.ref("base.EUR").id,
                "date_first": self.today - timedelta(days=90),
                "date_last": self.today,
            }
        )
        if not volume:
            # Our credit notes take all of our invoices.
            with self.case.assertRaisesRegex(UserError, "nothing to set off"):
                netting.action_send()
            netting.unlink()
            return
        netting.action_send()
        netting.action_accept()
        netting._accept_for_partner(partner, "Call")
        netting.action_settle()
        self.model.net(cleared)
        self.case.assertEqual(cents(netting.amount_cleared), volume)
        self.count("net")
