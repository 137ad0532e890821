from odoo import api, fields, models


class EmspCdrFindingNotice(models.Model):
    """Findings wait here until they are told by mail; the mail is the connection's matter."""

    _inherit = "emsp.cdr.finding"

    notice_state = fields.Selection(
        [("waiting", "Waits"), ("told", "Told"), ("dropped", "Not needed")],
        string="Notice",
        readonly=True,
        help="Of the mail to who can mend the CDR. Not needed: it was released, voided or taken back before.",
    )
    _notice_waits = models.Index("(cdr_id) WHERE notice_state = 'waiting'")

    @api.model_create_multi
    def create(self, vals_list):
        cdrs = self.env["emsp.cdr"].browse([vals["cdr_id"] for vals in vals_list])
        vals_list = [
            {**vals, "notice_state": cdr.connection_id._notice_state_of(vals.get("severity", "note"))}
            for vals, cdr in zip(vals_list, cdrs, strict=True)
        ]
        findings = super().create(vals_list)
        at_once = findings.filtered(lambda each: each.notice_state == "waiting" and each.severity != "note")
        for connection in at_once.cdr_id.connection_id:
            if connection.notice_holds == "at_once":
                connection._enqueue_notice()
        return findings
