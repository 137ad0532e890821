import hashlib
import tempfile

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.tools import SQL

from ..core.ledger import writer
from ..core.lifecycle import LEDGER_EXPORT_TRANSITIONS
from ..core.money import ZERO, from_float, to_float

# How many journal items are in memory at once.
CHUNK = 5000
NO_ITEMS = ("line_section", "line_subsection", "line_note")
# What people may write on a run that is done, and what they never write.
EDITABLE = frozenset({"message_follower_ids", "message_ids"})
RESULTS = frozenset(
    {
        *("state", "user_id", "exported_at", "item_count", "left_out_count", "amount_debit", "amount_credit"),
        *("sha256", "attachment_id", "changed_entry_ids", "changed_count"),
    }
)


class EmspLedgerExport(models.Model):
    """One run: which journal entries left for which target, when, by whom, and in which file.

    An entry goes to a target once, with all its items. A run with "again" takes those that went before,
    too, and says so. What changed after it went is told by the next run to the target.
    """

    _name = "emsp.ledger.export"
    _description = "Ledger export"
    _inherit = ["emsp.state.mixin", "mail.thread"]
    _check_company_auto = True
    _order = "exported_at desc, id desc"
    _transitions = LEDGER_EXPORT_TRANSITIONS

    name = fields.Char(compute="_compute_name")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company currency")
    layout_id = fields.Many2one(
        "emsp.ledger.layout",
        string="Target",
        required=True,
        check_company=True,
        ondelete="restrict",
        index=True,
        default=lambda self: self.env["emsp.ledger.layout"].search([], limit=1),
    )
    kind = fields.Selection(related="layout_id.kind")
    date_first = fields.Date(string="From", required=True)
    date_last = fields.Date(string="Until", required=True, default=fields.Date.context_today)
    journal_ids = fields.Many2many(
        "account.journal", string="Journals", check_company=True, help="Empty: all of them."
    )
    is_again = fields.Boolean(
        string="Again", help="Also entries that went to this target before. The run is marked by it."
    )
    takes_changed = fields.Boolean(
        string="Changed entries",
        help="Also entries that were changed after they went to this target, with all their items. Delete "
        "them there first: otherwise they are booked twice.",
    )
    is_final = fields.Boolean(
        string="Final",
        help="FEC: the fiscal year is locked up to the last day. Without it the file is one to look at.",
    )
    state = fields.Selection(
        [("draft", "To export"), ("done", "Exported")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    user_id = fields.Many2one("res.users", string="Exported by", readonly=True, copy=False)
    exported_at = fields.Datetime(string="Exported at", readonly=True, copy=False)
    item_count = fields.Integer(string="Journal items", readonly=True, copy=False)
    left_out_count = fields.Integer(
        string="Left out",
        readonly=True,
        copy=False,
        help="Items of the period that went to this target before.",
    )
    changed_entry_ids = fields.Many2many(
        "emsp.ledger.export.entry",
        "emsp_ledger_export_changed_rel",
        "export_id",
        "entry_id",
        string="Changed after their export",
        readonly=True,
        copy=False,
    )
    changed_count = fields.Integer(string="Entries changed after their export", readonly=True, copy=False)
    amount_debit = fields.Monetary(
        string="Debit", readonly=True, copy=False, currency_field="company_currency_id"
    )
    amount_credit = fields.Monetary(
        string="Credit", readonly=True, copy=False, currency_field="company_currency_id"
    )
    sha256 = fields.Char(string="SHA-256", readonly=True, copy=False)
    attachment_id = fields.Many2one(
        "ir.attachment", string="File", readonly=True, copy=False, ondelete="restrict"
    )

    _dates_in_order = models.Constraint("CHECK (date_last >= date_first)", "A period ends after it starts.")

    @api.depends("layout_id", "date_first", "date_last")
    def _compute_name(self):
        for export in self:
            is_whole = export.date_first and export.date_last
            period = f" {export.date_first} – {export.date_last}" if is_whole else ""
            export.name = f"{export.layout_id.name or ''}{period}"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_no_results(vals)
        return super().create(vals_list)

    def _check_no_results(self, vals):
        if vals.keys() & RESULTS:
            raise UserError(self.env._("What a ledger export says about itself is written by the run alone."))

    def _check_write(self, vals):
        # EXTENDS emsp.state.mixin
        self._check_no_results(vals)
        done = self.filtered(lambda export: export.state != "draft")
        if done and vals.keys() - EDITABLE:
            raise UserError(
                self.env._(
                    "%(export)s is done and does not change any more. Make a new one.", export=done[0].name
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        done = self.filtered(lambda export: export.state != "draft")[:1]
        if done:
            raise UserError(self.env._("%(export)s is done and stays.", export=done.name))

    def action_export(self):
        """Make the file, record what is in it, and show the run."""
        self.ensure_one()
        self.check_access("write")
        try:
            # Of two runs to a target, the second one would not see what the first one takes.
            # sudo: whoever exports only reads layouts
            self.lock_for_update()
            self.layout_id.sudo().lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._(
                    "Another export to %(target)s is running. Try it again.", target=self.layout_id.name
                )
            ) from error
        self.invalidate_recordset()
        if self.state != "draft":
            raise UserError(self.env._("%(export)s is done already.", export=self.name))
        with tempfile.TemporaryFile() as file:
            vals = self._export_to(file)
            file.seek(0)
            content = file.read()
        # sudo: nobody makes or changes files of a run by hand
        attachment_sudo = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                {
                    "name": vals.pop("file_name"),
                    "raw": content,
                    "mimetype": "text/csv" if self.kind != "fec" else "text/plain",
                    "res_model": self._name,
                    "res_id": self.id,
                }
            )
        )
        self._update_state(
            "done",
            **vals,
            attachment_id=attachment_sudo.id,
            sha256=hashlib.sha256(content).hexdigest(),
            user_id=self.env.uid,
            exported_at=fields.Datetime.now(),
        )
        return True

    def action_download(self):
        self.ensure_one()
        url = f"/web/content/{self.attachment_id.id}?download=true"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def action_view_items(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_account_moves_all")
        domain = [
            ("move_id.emsp_ledger_entry_ids.export_id", "=", self.id),
            ("display_type", "not in", NO_ITEMS),
        ]
        return {**action, "domain": domain, "context": {}}

    def _export_to(self, file):
        """Extension point, by format: write the file.

        :return: vals of the run: file_name, item_count, left_out_count, amount_debit, amount_credit.
        """
        form, columns = self.layout_id._format(), self.layout_id.column_ids
        line, encoding = writer(form), self.layout_id.encoding
        vals = self._take_entries()
        if self.layout_id.has_titles:
            file.write(line(column._get_title() for column in columns).encode(encoding, "replace"))
        elif encoding == "utf-8-sig":
            file.write(b"\xef\xbb\xbf")
        encoding = encoding.removesuffix("-sig")
        sources = columns.mapped("source")
        debit = credit = ZERO
        for row in self._rows():
            debit, credit = debit + row["debit"], credit + row["credit"]
            file.write(line(row[source] for source in sources).encode(encoding, "replace"))
        name = f"ledger_{self.date_first:%Y%m%d}_{self.date_last:%Y%m%d}.csv"
        return {**vals, "file_name": name, "amount_debit": to_float(debit), "amount_credit": to_float(credit)}

    def _items_domain(self):
        domain = [
            ("company_id", "=", self.company_id.id),
            ("parent_state", "=", "posted"),
            ("display_type", "not in", NO_ITEMS),
            ("date", ">=", self.date_first),
            ("date", "<=", self.date_last),
        ]
        return [*domain, ("journal_id", "in", self.journal_ids.ids)] if self.journal_ids else domain

    def _take_entries(self):
        """Mark what this run exports, and note what changed after an earlier one.

        :return: vals item_count, left_out_count, changed_count.
        :raise UserError: there is nothing to export.
        """
        entries = self.env["emsp.ledger.export.entry"]
        self.env.flush_all()
        changed = entries._changed(self.layout_id, self.company_id)
        taken = entries._take(self, self._items_domain(), changed)
        total = self.env["account.move.line"].search_count(self._items_domain())
        if not taken:
            raise UserError(self._nothing_to_export(total, entries.browse(changed)))
        told = entries.browse(changed)._tell(self)
        return {"item_count": taken, "left_out_count": total - taken, "changed_count": told}

    def _nothing_to_export(self, total, changed):
        if not total:
            return self.env._("There is nothing to export: the period has no posted journal items.")
        text = self.env._(
            "There is nothing to export: of %(count)s journal items of the period, all went to %(target)s "
            "before. Tick Again to export them once more.",
            count=total,
            target=self.layout_id.name,
        )
        if not changed:
            return text
        names = ", ".join(changed[:10].mapped("name")) + (" …" if len(changed) > 10 else "")
        note = self.env._("Changed after they went there: %s. Tick Changed entries to export these.", names)
        return f"{text}\n{note}"

    def _rows(self):
        """The items of this run by date and entry, a few thousand at a time.

        :return: iterator of dict, by the sources of columns and some keys more.
        """
        names = self._names()
        digits = self.company_id.currency_id.decimal_places
        cr = self.env.cr
        cr.execute(SQL("DECLARE emsp_ledger_rows NO SCROLL CURSOR FOR %s", self._rows_query()))
        try:
            while True:
                cr.execute(SQL("FETCH %s FROM emsp_ledger_rows", CHUNK))
                rows = cr.dictfetchall()
                if not rows:
                    return
                for row in rows:
                    yield self._row_values(row, names, digits)
        finally:
            cr.execute(SQL("CLOSE emsp_ledger_rows"))

    def _rows_query(self):
        return SQL(
            """
            SELECT aml.id AS item_id, aml.move_id, aml.date, aml.move_name AS entry, move.ref AS reference,
                   move.move_type, move.invoice_date, aml.date_maturity AS date_due,
                   aml.journal_id, aml.account_id, aml.name AS label,
                   aml.debit, aml.credit, aml.balance, aml.amount_currency,
                   currency.name AS currency, currency.decimal_places AS digits,
                   aml.matching_number AS matching,
                   partner.name AS partner_name, partner.ref AS partner_ref, partner.vat AS partner_vat,
                   partner.commercial_partner_id, aml.tax_line_id,
                   ARRAY(SELECT rel.account_tax_id FROM account_move_line_account_tax_rel rel
                          WHERE rel.account_move_line_id = aml.id ORDER BY 1) AS tax_ids
              FROM emsp_ledger_export_entry entry
              JOIN account_move move ON move.id = entry.move_id
              JOIN account_move_line aml ON aml.move_id = move.id AND aml.display_type NOT IN %s
              JOIN res_currency currency ON currency.id = aml.currency_id
         LEFT JOIN res_partner partner ON partner.id = aml.partner_id
             WHERE entry.export_id = %s
          ORDER BY move.date, move.name, move.id, aml.id
            """,
            NO_ITEMS,
            self.id,
        )

    def _names(self):
        """What items refer to, read once: accounts, journals and taxes by id."""
        company = self.company_id
        accounts = self.env["account.account"].with_company(company).with_context(active_test=False)
        journals = self.env["account.journal"].with_context(active_test=False)
        taxes = self.env["account.tax"].with_context(active_test=False)
        return {
            "accounts": {
                # No partner has an account of its own for what is not trade.
                a.id: (a.code or "", a.name, "" if a.non_trade else a.account_type)
                for a in accounts.search([("company_ids", "parent_of", company.id)])
            },
            "journals": {
                j.id: (j.code, j.name) for j in journals.search([("company_id", "parent_of", company.id)])
            },
            "taxes": {t.id: t.name for t in taxes.search([("company_id", "parent_of", company.id)])},
        }

    def _row_values(self, row, names, digits):
        account, journal = names["accounts"][row["account_id"]], names["journals"][row["journal_id"]]
        tax_names = [names["taxes"].get(tax, "") for tax in row["tax_ids"]]
        return {
            **row,
            "journal_code": journal[0],
            "journal_name": journal[1],
            "account_code": account[0],
            "account_name": account[1],
            "account_type": account[2],
            "debit": from_float(row["debit"], digits),
            "credit": from_float(row["credit"], digits),
            "balance": from_float(row["balance"], digits),
            "amount_currency": from_float(row["amount_currency"], row["digits"]),
            "tax": names["taxes"].get(row["tax_line_id"], ""),
            "base_taxes": ", ".join(filter(None, tax_names)),
        }
