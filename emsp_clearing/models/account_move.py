from odoo import api, fields, models
from odoo.exceptions import UserError

CLEARING_REPORT = "emsp_clearing.action_report_clearing_invoice"
MAIL_TEMPLATE = "emsp_clearing.mail_template_clearing_invoice"
# Links to settlements are theirs: others could read no document as a whole, because links to several records
# are read with the rights on these.
SETTLEMENT_READERS = "emsp_clearing.emsp_clearing_group_user"


class AccountMove(models.Model):
    """The invoice of a settlement, and its way out."""

    _inherit = "account.move"

    emsp_settlement_ids = fields.Many2many(
        "emsp.settlement",
        "emsp_settlement_move_rel",
        "move_id",
        "settlement_id",
        string="Billed settlements",
        readonly=True,
        copy=False,
        check_company=True,
        groups=SETTLEMENT_READERS,
    )
    emsp_settlement_id = fields.Many2one(
        "emsp.settlement",
        string="Settlement",
        compute="_compute_emsp_settlement_id",
        store=True,
        index="btree_not_null",
        help="The latest, where several were billed together.",
    )

    emsp_date_first = fields.Date(string="Sessions from", compute="_compute_emsp_sessions")
    emsp_date_last = fields.Date(string="Sessions until", compute="_compute_emsp_sessions")
    emsp_session_count = fields.Integer(string="Charging sessions", compute="_compute_emsp_sessions")

    @api.depends("emsp_settlement_ids")
    def _compute_emsp_sessions(self):
        counts = dict(
            self._get_sessions_sudo()._read_group([("move_id", "in", self.ids)], ["move_id"], ["__count"])
        )
        for move in self:
            # sudo: see _get_settlements_sudo
            settlements_sudo = move.sudo().emsp_settlement_ids
            move.emsp_date_first = min(settlements_sudo.mapped("date_first"), default=False)
            move.emsp_date_last = max(settlements_sudo.mapped("date_last"), default=False)
            move.emsp_session_count = counts.get(move, 0)

    @api.depends("emsp_settlement_ids")
    def _compute_emsp_settlement_id(self):
        for move in self:
            move.emsp_settlement_id = move.emsp_settlement_ids.sorted("period_end", reverse=True)[:1]

    @api.ondelete(at_uninstall=False)
    def _unlink_except_billing(self):
        for move in self.filtered("emsp_settlement_id"):
            raise UserError(
                self.env._(
                    "%(invoice)s bills charging sessions and is not deleted. Correct it by a credit note.",
                    invoice=move.display_name,
                )
            )

    def action_view_emsp_settlement(self):
        self.ensure_one()
        if len(self.emsp_settlement_ids) < 2:
            return self.emsp_settlement_id.get_formview_action()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_settlement_action")
        return {**action, "domain": [("id", "in", self.emsp_settlement_ids.ids)], "context": {}}

    def _get_mail_template(self):
        # EXTENDS account
        if self and all(move._is_clearing_document() for move in self):
            return self.env.ref(MAIL_TEMPLATE)
        return super()._get_mail_template()

    def _post(self, soft=True):
        # EXTENDS account: no invoice leaves draft whose sessions say something else
        for move in self.filtered("emsp_settlement_id"):
            move._check_annex_total(move._sum_of_sessions())
        posted = super()._post(soft)
        posted.filtered("emsp_settlement_id")._emsp_attach_annex()
        return posted

    def _is_clearing_document(self):
        """The invoice of a settlement, or the credit note that reverses one."""
        return bool(self._get_settlement_sudo())

    def _get_settlements_sudo(self):
        """:return: the settlements that the document bills or credits.

        sudo: an accountant posts, prints and sends the invoice without rights on the sessions behind
        it, and its total must hold over all of them.
        """
        own_sudo = self.sudo()
        return own_sudo.emsp_settlement_ids or own_sudo.reversed_entry_id.emsp_settlement_ids

    def _get_settlement_sudo(self):
        """:return: the latest of those settlements, see there."""
        return self._get_settlements_sudo().sorted("period_end", reverse=True)[:1]
