from odoo import api, fields, models


class EmspExceptionReminder(models.Model):
    """Reminders that could not be made, and half-years without a reference rate."""

    _inherit = "emsp.exception"

    kind = fields.Selection(
        selection_add=[
            ("rate_missing", "Reference rate missing"),
            ("reminder_failed", "Reminders not made"),
        ],
        ondelete={"rate_missing": "cascade", "reminder_failed": "cascade"},
    )

    @api.model
    def _usual_remedy(self, kind):
        # EXTENDS: the journal's own kinds
        texts = {
            "rate_missing": self.env._(
                "Add it under Configuration, Reference rates. Until then reminders take the last one known, "
                "and say so."
            ),
            "reminder_failed": self.env._("Remove the cause. The next run tries again."),
        }
        return texts.get(kind) or super()._usual_remedy(kind)
