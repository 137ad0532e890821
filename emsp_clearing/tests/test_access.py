from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import new_test_user, tagged

from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, MID_MONTH, SettlementCommon

# May read, write, create, delete; as tried on a real record, by role.
READER, EDITOR, OWNER, NOBODY = "r---", "rw--", "rwcd", "----"
RIGHTS = {
    # model: user, operator, manager, endpoint, accountant without our groups, internal user
    "emsp.contract": (READER, READER, OWNER, READER, NOBODY, NOBODY),
    "emsp.contract.party": (READER, READER, OWNER, READER, NOBODY, NOBODY),
    "emsp.price.grid": (READER, READER, OWNER, READER, NOBODY, NOBODY),
    "emsp.price.grid.line": (READER, READER, OWNER, READER, NOBODY, NOBODY),
    "emsp.price.grid.import": (NOBODY, NOBODY, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.invoice.layout": (READER, READER, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.location.group": (READER, READER, OWNER, READER, NOBODY, NOBODY),
    "emsp.customer.group": (READER, READER, OWNER, READER, NOBODY, NOBODY),
    "emsp.price.simulation": (READER, "rwc-", OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.price.simulation.batch": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    "emsp.price.simulation.line": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    "emsp.price.simulation.problem": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    "emsp.ocpi.connection": (READER, READER, OWNER, READER, NOBODY, NOBODY),
    "emsp.token": (READER, READER, OWNER, "rwc-", NOBODY, NOBODY),
    "emsp.token.authorization": (READER, READER, READER, "r-c-", NOBODY, NOBODY),
    "emsp.session": (READER, READER, READER, "rwc-", NOBODY, NOBODY),
    "emsp.tariff": (READER, READER, READER, "rwc-", NOBODY, NOBODY),
    "emsp.location": (READER, READER, READER, "rwc-", NOBODY, NOBODY),
    "emsp.location.connector": (READER, READER, EDITOR, "rwc-", NOBODY, NOBODY),
    "emsp.invoice.reconciliation": (READER, READER, READER, "rwc-", NOBODY, NOBODY),
    "emsp.invoice.reconciliation.line": (READER, READER, READER, OWNER, NOBODY, NOBODY),
    "emsp.ocpi.connection.party": (READER, READER, OWNER, READER, NOBODY, NOBODY),
    "emsp.ocpi.endpoint": (READER, READER, OWNER, READER, NOBODY, NOBODY),
    "emsp.ocpi.connection.register": (NOBODY, NOBODY, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.ocpi.cursor": (READER, READER, EDITOR, NOBODY, NOBODY, NOBODY),
    "emsp.ocpi.push": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    "emsp.ocpi.message": (READER, READER, READER, READER, NOBODY, NOBODY),
    "emsp.cdr": (READER, EDITOR, EDITOR, "rwc-", NOBODY, NOBODY),
    "emsp.validation.ruleset": (READER, READER, OWNER, READER, NOBODY, NOBODY),
    "emsp.validation.trial": (NOBODY, NOBODY, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.validation.trial.line": (NOBODY, NOBODY, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.validation.trial.cdr": (NOBODY, NOBODY, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.finding.report": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    "emsp.cdr.finding": (READER, "r-c-", "r-c-", "r-c-", NOBODY, NOBODY),
    "emsp.settlement": (READER, EDITOR, EDITOR, NOBODY, NOBODY, NOBODY),
    "emsp.settlement.preview": ("rwc-", "rwc-", "rwc-", NOBODY, NOBODY, NOBODY),
    "emsp.settlement.preview.line": ("rwc-", "rwc-", "rwc-", NOBODY, NOBODY, NOBODY),
    "emsp.dispute": (READER, EDITOR, EDITOR, NOBODY, NOBODY, NOBODY),
    "emsp.dispute.decide": (NOBODY, "rwc-", "rwc-", NOBODY, NOBODY, NOBODY),
    "emsp.dispute.open": (NOBODY, "rwc-", "rwc-", NOBODY, NOBODY, NOBODY),
    "emsp.dispute.report": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    "emsp.accrual": (READER, READER, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.accrual.line": (READER, READER, EDITOR, NOBODY, NOBODY, NOBODY),
    "emsp.netting": (READER, READER, EDITOR, NOBODY, NOBODY, NOBODY),
    "emsp.netting.line": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    "emsp.netting.accept": (NOBODY, NOBODY, "rwc-", NOBODY, NOBODY, NOBODY),
    # For accountants alone: they are in test_ledger_export.
    "emsp.ledger.export": (NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
    "emsp.ledger.export.entry": (NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
    "emsp.ledger.layout": (NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
    "emsp.ledger.column": (NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
    "emsp.api.answer": (NOBODY, NOBODY, READER, NOBODY, NOBODY, NOBODY),
    "emsp.account.statement": ("rwc-", "rwc-", "rwc-", NOBODY, "rwc-", NOBODY),
    "emsp.contract.balance": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    "emsp.exception": (READER, EDITOR, EDITOR, NOBODY, NOBODY, NOBODY),
    "emsp.remittance.advice": (READER, OWNER, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.remittance.advice.line": (READER, OWNER, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.remittance.import": (NOBODY, OWNER, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.cdr.import": (NOBODY, OWNER, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.cdr.decision": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    "emsp.inbox": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    "emsp.inbox.decide": (NOBODY, "rwc-", "rwc-", NOBODY, NOBODY, NOBODY),
    "emsp.payment.file": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    # Of those who manage payment orders, which none of the roles does.
    "emsp.payment.status.import": (NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY),
    "emsp.vat.rule": (READER, READER, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.legal.mention": (READER, READER, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.interest.rate": (READER, READER, OWNER, NOBODY, "rwc-", NOBODY),
    "emsp.webhook": (NOBODY, NOBODY, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.webhook.delivery": (NOBODY, NOBODY, READER, NOBODY, NOBODY, NOBODY),
    "emsp.delivery.target": (READER, READER, OWNER, NOBODY, NOBODY, NOBODY),
    "emsp.settlement.delivery": (READER, READER, READER, NOBODY, NOBODY, NOBODY),
    "emsp.webhook.secret": (NOBODY, NOBODY, "r-c-", NOBODY, NOBODY, NOBODY),
    "emsp.ocpi.connection.token": (NOBODY, NOBODY, "r-c-", NOBODY, NOBODY, NOBODY),
}
# test_portal_access says which records and which fields.
SHOWN_TO_PARTNERS = {
    "emsp.cdr",
    "emsp.cdr.finding",
    "emsp.dispute",
    "emsp.netting",
    "emsp.netting.line",
    "emsp.settlement",
}
ROLES = ("user", "operator", "manager", "endpoint", "accountant", "employee")
GROUPS = {
    "user": "emsp_clearing.emsp_clearing_group_user",
    "operator": "emsp_clearing.emsp_clearing_group_operator",
    "manager": "emsp_clearing.emsp_clearing_group_manager",
    "accountant": "account.group_account_invoice",
    "employee": "base.group_user",
}


class AccessCommon(SettlementCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {role: cls._create_user(role, cls.company) for role in GROUPS}
        cls.users["endpoint"] = cls.env.ref("emsp_clearing.user_ocpi")

    @classmethod
    def _create_user(cls, role, company):
        return new_test_user(
            cls.env,
            login=f"{role}_{company.id}",
            groups=f"base.group_user,{GROUPS[role]}",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )


@tagged("post_install", "-at_install")
class TestRights(AccessCommon):
    def test_each_role_may_do_what_its_work_needs_and_no_more(self):
        operations = {"r": "read", "w": "write", "c": "create", "d": "unlink"}
        for model, rights in RIGHTS.items():
            for role, expected in zip(ROLES, rights, strict=True):
                records = self.env[model].with_user(self.users[role])
                found = "".join(
                    letter if records.has_access(operation) else "-"
                    for letter, operation in operations.items()
                )
                with self.subTest(model=model, role=role):
                    self.assertEqual(found, expected)

    def test_every_model_of_ours_is_in_the_table(self):
        ours = {
            name
            for name, model in self.env.registry.items()
            if name.startswith("emsp.") and (not model._abstract or name in RIGHTS)
        }
        self.assertEqual(ours, set(RIGHTS))

    def test_portal_user_sees_nothing_but_what_the_portal_shows(self):
        portal = new_test_user(self.env, login="portal_emsp", groups="base.group_portal")
        for model in RIGHTS.keys() - SHOWN_TO_PARTNERS:
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(portal).search([])
        for model in SHOWN_TO_PARTNERS:
            for operation in ("write", "create", "unlink"):
                with self.subTest(model=model, operation=operation):
                    self.assertFalse(self.env[model].with_user(portal).has_access(operation))

    def test_operator_reads_what_there_is(self):
        cdr = self._receive(cdr_payload(total_cost={"excl_vat": 7.0}))
        for records in (cdr, cdr.finding_ids, self.contract, self.grid, self.connection, self._settlement()):
            records.with_user(self.users["operator"]).sudo(False).read()

    def test_each_role_reads_whole_what_it_may_read(self):
        """As an export or an interface does, which names no fields."""
        self._run_due(MID_MONTH)
        self._receive(cdr_payload())
        self._run_due(CUT_OFF)
        self._run_due(LOCK)
        # The endpoint is a program of ours, which names what it reads.
        for role in (role for role in ROLES if role != "endpoint"):
            for model in RIGHTS:
                records = self.env[model].with_user(self.users[role])
                if records._auto and records.has_access("read"):
                    with self.subTest(role=role, model=model):
                        found = records.search([], limit=2, order="id desc")
                        self.assertEqual(len(found.read()), len(found))

    def test_accountant_without_our_groups_reads_what_we_have_added_to_the_books(self):
        self._run_due(MID_MONTH)
        self._receive(cdr_payload())
        self._run_due(CUT_OFF)
        self._run_due(LOCK)
        bill = self._settlement().move_id
        self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "payment_ref": bill.name,
                "amount": 5.0,
            }
        )
        for model in ("account.move", "account.move.line", "account.bank.statement.line", "res.partner"):
            records = self.env[model].with_user(self.users["accountant"])
            ours = [name for name in records.fields_get() if name.startswith("emsp_")]
            with self.subTest(model=model):
                self.assertTrue(ours)
                self.assertTrue(records.search([], limit=2, order="id desc").read(ours))

    def test_nobody_reads_the_hash_of_a_token(self):
        self.connection._generate_token()
        for role in ("user", "operator", "manager"):
            connection = self.connection.with_user(self.users[role])
            with self.subTest(role=role), self.assertRaises(AccessError):
                connection.read(["token_hash"])
            with self.subTest(role=role), self.assertRaises(AccessError):
                connection.search([("token_hash", "like", "a")])

    def test_steps_of_the_life_cycle_cannot_be_called_from_outside(self):
        methods = {
            "emsp.cdr": (
                "_store",
                "_update_state",
                "_receive",
                "_rate",
                "_void",
                "_release",
                "_decide",
                "_job_rate",
            ),
            "emsp.cdr.decision": ("_record",),
            "emsp.session": ("_decide", "_carry_out", "_cron_find_missing_cdrs"),
            "emsp.settlement": ("_store", "_update_state", "_job_invoice", "_cron_run_due", "_set_sent"),
            "emsp.dispute": (
                "_open",
                "_step",
                "_decide",
                "_take_action",
                "_run_out",
                "_cron_run_clocks",
                "_cron_remind",
            ),
            "emsp.netting": ("_accept_for_partner", "_refuse_for_partner", "_settle", "_clear", "_undo"),
            "emsp.exception": ("_open", "_close"),
            "emsp.ocpi.connection": ("_generate_token", "_seal_chain", "_find_by_token"),
            "emsp.ocpi.message": ("_keep",),
            "emsp.settlement.delivery": (
                "_set_handed_over",
                "_job_upload",
                "_link",
                "_find_by_link",
                "_cron_send",
            ),
            "emsp.delivery.target": ("_clear", "_secret_clear"),
            "account.move": ("_emsp_send", "_emsp_send_again"),
        }
        for model, names in methods.items():
            for name in names:
                self.assertTrue(callable(getattr(self.env[model], name)))
                with self.subTest(method=f"{model}.{name}"), self.assertRaises(AccessError):
                    get_public_method(self.env[model], name)

    def test_invoice_is_sent_again_by_operators_and_not_by_users(self):
        settlement = self._settle(cdr_payload())
        with self.assertRaises(AccessError):
            settlement.with_user(self.users["user"]).sudo(False).action_send()
        own = settlement.with_user(self.users["operator"]).sudo(False)
        own.with_context(queue_job__no_delay=True).action_send()
        self.assertFalse(settlement.blocked_reason)


@tagged("post_install", "-at_install")
class TestCompanies(AccessCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Other CPO"})
        cls.stranger = cls._create_user("manager", cls.other_company)

    def test_records_of_one_company_are_hidden_from_another(self):
        settlement = self._settle(cdr_payload(1, total_cost={"excl_vat": 7.0}))
        cdr = settlement.cdr_ids
        exception = (
            self.env["emsp.exception"]
            .sudo()
            ._open("blocked", "test", name="Test", settlement_id=settlement.id, company_id=self.company.id)
        )
        message = self.env["emsp.ocpi.message"]._keep(
            {"connection_id": self.connection.id, "ocpi_status": 2001, "received_at": cdr.received_at}
        )
        party = {"role": "CPO", "country_code": "BE", "ocpi_party_id": "RVR"}
        self.connection.party_ids = [Command.create(party)]
        ours = (
            cdr,
            cdr.finding_ids,
            settlement,
            exception,
            message,
            self.contract,
            self.contract.party_ids,
            self.grid,
            self.grid.line_ids,
            self.connection,
            self.connection.party_ids,
        )
        for records in ours:
            foreign = records.with_user(self.stranger).sudo(False)
            with self.subTest(model=records._name):
                self.assertTrue(records)
                self.assertFalse(foreign.search([("id", "in", records.ids)]))
                with self.assertRaises(AccessError):
                    foreign.read(["id", "company_id"])

    def test_contract_takes_nothing_of_another_company(self):
        grid = self.env["emsp.price.grid"].create(
            {
                "name": "Theirs",
                "code": "T",
                "valid_from": date(2027, 1, 1),
                "company_id": self.other_company.id,
                "currency_id": self.contract.currency_id.id,
            }
        )
        self.grid.valid_to = date(2026, 12, 31)
        with self.assertRaisesRegex(UserError, "compan"):
            self.contract.price_grid_ids = [Command.link(grid.id)]

    def test_same_cdr_may_come_to_two_companies(self):
        connection = self.env["emsp.ocpi.connection"].create(
            {
                "name": "Theirs",
                "company_id": self.other_company.id,
                "our_role": "CPO",
                "country_code": "FR",
                "ocpi_party_id": "RVR",
            }
        )
        own = self._receive(cdr_payload())
        endpoint = connection._as_endpoint()
        [receipt] = endpoint.env["emsp.cdr"]._receive(endpoint, [own.payload.encode()], own.received_at)
        self.assertEqual((receipt.outcome, receipt.record.company_id), ("created", self.other_company))
        self.assertFalse(receipt.record.sudo().contract_id)
