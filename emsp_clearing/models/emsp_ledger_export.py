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


class EmspLedgerExport(models.Model):
    """One run: which journal items left for which target, when, by whom, and in which file.

    An item goes to a target once. A run with "again" takes those that went before, too, and says so.
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
        string="Again", help="Also items that went to this target before. The run is marked by it."
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
            export.name = (
                f"{export.layout_id.name or ''} {export.date_first or ''} – {export.date_last or ''}"
            )

    def _check_write(self, vals):
        # EXTENDS emsp.state.mixin
        done = self.filtered(lambda export: export.state != "draft")
        if done and vals.keys() - {"message_follower_ids", "message_ids"}:
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
        items = self.env["emsp.ledger.export.item"].search([("export_id", "=", self.id)])
        return {**action, "domain": [("id", "in", items.move_line_id.ids)], "context": {}}

    def _export_to(self, file):
        """Extension point, by format: write the file.

        :return: vals of the run: file_name, item_count, left_out_count, amount_debit, amount_credit.
        """
        form, columns = self.layout_id._format(), self.layout_id.column_ids
        line, encoding = writer(form), self.layout_id.encoding
        vals = self._take_items()
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
            ("display_type", "not in", ("line_section", "line_subsection", "line_note")),
            ("date", ">=", self.date_first),
            ("date", "<=", self.date_last),
        ]
        return [*domain, ("journal_id", "in", self.journal_ids.ids)] if self.journal_ids else domain

    def _take_items(self):
        """Mark what this run exports; the database refuses an item that another run takes now.

        :return: vals item_count, left_out_count.
        :raise UserError: there is nothing to export.
        """
        lines = self.env["account.move.line"]
        found = lines._search(self._items_domain())
        lines.flush_model()
        self.env.flush_all()
        before = SQL(
            "EXISTS (SELECT 1 FROM emsp_ledger_export_item went WHERE went.layout_id = %s "
            "AND went.move_line_id = found.id)",
            self.layout_id.id,
        )
        self.env.cr.execute(
            SQL(
                "INSERT INTO emsp_ledger_export_item "
                "(export_id, layout_id, company_id, move_line_id, is_again) "
                "SELECT %(export)s, %(layout)s, %(company)s, found.id, %(before)s FROM (%(found)s) AS found "
                "WHERE %(again)s OR NOT %(before)s",
                export=self.id,
                layout=self.layout_id.id,
                company=self.company_id.id,
                before=before,
                found=found.select(),
                again=self.is_again,
            )
        )
        taken = self.env.cr.rowcount
        self.env["emsp.ledger.export.item"].invalidate_model()
        total = lines.search_count(self._items_domain())
        if not taken:
            raise UserError(
                self.env._(
                    "There is nothing to export: of %(count)s journal items of the period, all went to "
                    "%(target)s before. Tick Again to export them once more.",
                    count=total,
                    target=self.layout_id.name,
                )
                if total
                else self.env._("There is nothing to export: the period has no posted journal items.")
            )
        return {"item_count": taken, "left_out_count": total - taken}

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
                   move.move_type,
                   move.invoice_date, aml.date_maturity AS date_due, aml.journal_id, aml.account_id,
                   aml.name AS label, aml.debit, aml.credit, aml.balance, aml.amount_currency,
                   currency.name AS currency, currency.decimal_places AS digits,
                   aml.matching_number AS matching,
                   partner.name AS partner_name, partner.ref AS partner_ref, partner.vat AS partner_vat,
                   aml.tax_line_id,
                   ARRAY(SELECT rel.account_tax_id FROM account_move_line_account_tax_rel rel
                          WHERE rel.account_move_line_id = aml.id ORDER BY 1) AS tax_ids
              FROM emsp_ledger_export_item item
              JOIN account_move_line aml ON aml.id = item.move_line_id
              JOIN account_move move ON move.id = aml.move_id
              JOIN res_currency currency ON currency.id = aml.currency_id
         LEFT JOIN res_partner partner ON partner.id = aml.partner_id
             WHERE item.export_id = %s
          ORDER BY aml.date, aml.move_name, aml.move_id, aml.id
            """,
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
                a.id: (a.code or "", a.name)
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
            "debit": from_float(row["debit"], digits),
            "credit": from_float(row["credit"], digits),
            "balance": from_float(row["balance"], digits),
            "amount_currency": from_float(row["amount_currency"], row["digits"]),
            "tax": names["taxes"].get(row["tax_line_id"], ""),
            "base_taxes": ", ".join(filter(None, tax_names)),
        }


class EmspLedgerExportItem(models.Model):
    """That a journal item went out with a run. Written by runs alone."""

    _name = "emsp.ledger.export.item"
    _description = "Exported journal item"
    _log_access = False

    export_id = fields.Many2one(
        "emsp.ledger.export", required=True, readonly=True, ondelete="cascade", index=True
    )
    layout_id = fields.Many2one("emsp.ledger.layout", required=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Journal item",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    is_again = fields.Boolean(string="Again", readonly=True, help="It went to the target before.")

    _once = models.UniqueIndex(
        "(layout_id, move_line_id) WHERE is_again IS NOT TRUE",
        "Another export to the same target took these journal items just now. Try it again.",
    )
