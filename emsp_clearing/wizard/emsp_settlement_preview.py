import base64

from odoo import Command, api, fields, models

from ..models.dialogs import dialog


class EmspSettlementPreview(models.TransientModel):
    """What would be billed today, before anything is."""

    _name = "emsp.settlement.preview"
    _description = "Preview of the invoices of settlements"

    as_of = fields.Datetime(string="At", readonly=True, default=fields.Datetime.now)
    settlement_ids = fields.Many2many("emsp.settlement", readonly=True)
    line_ids = fields.One2many("emsp.settlement.preview.line", "preview_id", readonly=True)
    problem_count = fields.Integer(compute="_compute_problem_count")

    @api.depends("line_ids.problem")
    def _compute_problem_count(self):
        for preview in self:
            preview.problem_count = len(preview.line_ids.filtered("problem"))

    @api.model
    def _create_for(self, settlements):
        """:param settlements: those that are invoiced already are left out."""
        waiting = settlements.filtered(lambda s: s.state in ("collecting", "control", "locked"))
        preview = self.create({"settlement_ids": [Command.set(waiting.ids)]})
        found = sorted(preview._find(with_pdf=False), key=lambda document: not document.problem)
        preview.line_ids = [
            Command.create(
                {
                    **document.vals,
                    "problem": document.problem,
                    "settlement_ids": [Command.set(document.settlement_ids)],
                }
            )
            for document in found
        ]
        return preview

    def _find(self, with_pdf):
        self.settlement_ids.check_access("read")
        # sudo: only the life cycle writes settlements; whoever sees one may see what it would become,
        # and what the preview makes is taken back
        return self.settlement_ids.sudo()._preview(self.as_of, with_pdf)

    def _get_action(self):
        title = self.env._("What would be billed now")
        # The reason why something is not billed needs the width.
        return dialog(self, title, context={"dialog_size": "extra-large"})


class EmspSettlementPreviewLine(models.TransientModel):
    """One document that would be made, or a reason why none would."""

    _name = "emsp.settlement.preview.line"
    _description = "Document that would be made"
    _order = "id"

    preview_id = fields.Many2one("emsp.settlement.preview", required=True, ondelete="cascade", index=True)
    settlement_ids = fields.Many2many("emsp.settlement", string="Settlements", readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True)
    move_type = fields.Selection(
        [("out_invoice", "Invoice"), ("out_refund", "Credit note")], string="Document", readonly=True
    )
    invoice_date = fields.Date(readonly=True)
    date_due = fields.Date(string="Due", readonly=True)
    fiscal_position_id = fields.Many2one("account.fiscal.position", readonly=True)
    session_count = fields.Integer(string="Sessions", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_untaxed = fields.Monetary(string="Net amount", readonly=True)
    amount_tax = fields.Monetary(string="Tax", readonly=True)
    amount_total = fields.Monetary(string="Total", readonly=True)
    problem = fields.Char(string="Why not", readonly=True)
    pdf = fields.Binary(attachment=False, readonly=True)

    def action_pdf(self):
        """The document as PDF: a draft, without a number. Made afresh, and by the same rules."""
        self.ensure_one()
        made = self.preview_id.line_ids.filtered(lambda line: not line.problem)
        position = made.ids.index(self.id)
        documents = [found for found in self.preview_id._find(with_pdf=True) if not found.problem]
        self.pdf = base64.b64encode(documents[position].pdf)
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/pdf/preview.pdf",
            "target": "new",
        }
