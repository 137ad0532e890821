from odoo import api, fields, models
from odoo.tools import SQL

from .emsp_ledger_export import NO_ITEMS


class EmspLedgerExportEntry(models.Model):
    """That a journal entry went out with a run, and what it said then. Written by runs alone."""

    _name = "emsp.ledger.export.entry"
    _description = "Exported journal entry"
    _log_access = False
    _order = "date, name, id"

    export_id = fields.Many2one(
        "emsp.ledger.export",
        string="Ledger export",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    layout_id = fields.Many2one("emsp.ledger.layout", required=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company currency")
    move_id = fields.Many2one(
        "account.move", string="Journal entry", readonly=True, ondelete="set null", index="btree_not_null"
    )
    move_key = fields.Integer(
        string="Id of the entry", required=True, readonly=True, help="Known also when the entry is deleted."
    )
    name = fields.Char(string="Number", readonly=True)
    date = fields.Date(readonly=True)
    amount = fields.Monetary(string="Debit", readonly=True, currency_field="company_currency_id")
    item_count = fields.Integer(string="Journal items", readonly=True)
    fingerprint = fields.Char(readonly=True, help="Of all that was exported of the entry.")
    told_fingerprint = fields.Char(
        string="Fingerprint told", readonly=True, help="Of the change that a later run told."
    )
    is_again = fields.Boolean(string="Again", readonly=True, help="It went to the target before.")
    change = fields.Selection(
        [("changed", "Changed"), ("unposted", "Not posted any more"), ("deleted", "Deleted")],
        compute="_compute_change",
        help="What became of an entry that is not as it was exported.",
    )

    _once = models.UniqueIndex(
        "(layout_id, move_key) WHERE is_again IS NOT TRUE",
        "Another export to the same target took these journal entries just now. Try it again.",
    )
    _latest = models.Index("(layout_id, move_key, id)")

    @api.depends("move_id.state")
    def _compute_change(self):
        for entry in self:
            entry.change = (
                "deleted"
                if not entry.move_id
                else "changed"
                if entry.move_id.state == "posted"
                else "unposted"
            )

    def _print(self, move):
        """A posted entry as it is now: number, day, debits, items, fingerprint; no row if it is not posted.

        Lines are compared by what they say, not by their ids: taxes that are computed again have new ones.
        Meant for LATERAL, so that the cost grows with the entries whatever the planner knows of them.

        :param SQL move: its id. :return: SQL
        """
        return SQL(
            """
            SELECT move.name, move.date, SUM(line.debit) AS amount, COUNT(*) AS item_count,
                   md5(jsonb_build_array(
                       move.name, move.date, move.ref, move.journal_id,
                       jsonb_agg(line.words ORDER BY line.words)
                   )::text) AS fingerprint
              FROM account_move move
        CROSS JOIN LATERAL (
                  SELECT aml.debit,
                         jsonb_build_array(
                             aml.account_id, aml.partner_id, aml.currency_id, trim_scale(aml.balance),
                             trim_scale(aml.amount_currency), aml.date_maturity, aml.name, aml.tax_line_id,
                             ARRAY(SELECT rel.account_tax_id FROM account_move_line_account_tax_rel rel
                                    WHERE rel.account_move_line_id = aml.id ORDER BY 1)
                         ) AS words
                    FROM account_move_line aml
                   WHERE aml.move_id = move.id AND aml.display_type NOT IN %s
              ) line
             WHERE move.id = %s AND move.state = 'posted'
          GROUP BY move.id
            """,
            NO_ITEMS,
            move,
        )

    def _changed(self, layout, company):
        """:return: ids of the last rows of the entries that are not as they went to the target."""
        query = SQL(
            """
            SELECT went.id
              FROM emsp_ledger_export_entry went
         LEFT JOIN LATERAL (%(present)s) present ON TRUE
             WHERE went.layout_id = %(layout)s AND went.company_id = %(company)s
               AND present.fingerprint IS DISTINCT FROM went.fingerprint
               AND NOT EXISTS (SELECT 1 FROM emsp_ledger_export_entry later
                                WHERE later.layout_id = went.layout_id AND later.move_key = went.move_key
                                  AND later.id > went.id)
          ORDER BY went.id
            """,
            present=self._print(SQL("went.move_key")),
            layout=layout.id,
            company=company.id,
        )
        return [found for [found] in self.env.execute_query(query)]

    def _take(self, export, domain, changed):
        """Mark what a run exports; the database refuses an entry that another run takes now.

        :param domain: of journal items. :param changed: as of `_changed`.
        :return: number of the journal items.
        """
        # The record rules of who exports.
        found = self.env["account.move.line"]._search(domain)
        query = SQL(
            """
            WITH taken AS (
                INSERT INTO emsp_ledger_export_entry (
                       export_id, layout_id, company_id, move_id, move_key, name, date, amount, item_count,
                       fingerprint, is_again)
                SELECT %(export)s, %(layout)s, %(company)s, found.id, found.id, present.name, present.date,
                       present.amount, present.item_count, present.fingerprint, went.id IS NOT NULL
                  FROM account_move found
            CROSS JOIN LATERAL (%(present)s) present
             LEFT JOIN LATERAL (
                       SELECT id FROM emsp_ledger_export_entry
                        WHERE layout_id = %(layout)s AND move_key = found.id ORDER BY id DESC LIMIT 1
                       ) went ON TRUE
                 WHERE found.id IN %(found)s
                   AND (%(again)s OR went.id IS NULL OR (%(takes_changed)s AND went.id = ANY(%(changed)s)))
             RETURNING item_count
            )
            SELECT COALESCE(SUM(item_count), 0)::int FROM taken
            """,
            export=export.id,
            layout=export.layout_id.id,
            company=export.company_id.id,
            present=self._print(SQL("found.id")),
            found=found.subselect(SQL.identifier("account_move_line", "move_id")),
            again=export.is_again,
            takes_changed=export.takes_changed,
            changed=changed,
        )
        self.invalidate_model()
        [[count]] = self.env.execute_query(query)
        return count

    def _tell(self, export):
        """Note with the run what changed, was not told before, and is not in its file.

        :return: number of the entries.
        """
        if not self:
            return 0
        query = SQL(
            """
            WITH present AS (
                SELECT went.id, COALESCE(present.fingerprint, 'gone') AS fingerprint
                  FROM emsp_ledger_export_entry went
             LEFT JOIN LATERAL (%(present)s) present ON TRUE
                 WHERE went.id = ANY(%(ids)s)
                   AND NOT EXISTS (SELECT 1 FROM emsp_ledger_export_entry taken
                                    WHERE taken.export_id = %(export)s AND taken.move_key = went.move_key)
            ),
            told AS (
                UPDATE emsp_ledger_export_entry went SET told_fingerprint = present.fingerprint
                  FROM present
                 WHERE present.id = went.id
                   AND went.told_fingerprint IS DISTINCT FROM present.fingerprint
             RETURNING went.id
            )
            INSERT INTO emsp_ledger_export_changed_rel (export_id, entry_id) SELECT %(export)s, id FROM told
            """,
            present=self._print(SQL("went.move_key")),
            ids=self.ids,
            export=export.id,
        )
        self.env.cr.execute(query)
        told = self.env.cr.rowcount
        self.invalidate_model()
        export.invalidate_recordset(["changed_entry_ids"])
        return told


class AccountMoveLedgerExport(models.Model):
    _inherit = "account.move"

    emsp_ledger_entry_ids = fields.One2many(
        "emsp.ledger.export.entry",
        "move_id",
        string="Ledger exports",
        readonly=True,
        copy=False,
        # Others could read no entry as a whole.
        groups="account.group_account_user,account.group_account_manager",
    )
