from odoo import fields, models
from odoo.tools import format_date


class EmspReminderHoldMixin(models.AbstractModel):
    """A stop: reminders are made and shown, and not sent."""

    _name = "emsp.reminder.hold.mixin"
    _description = "Hold of reminders"

    emsp_reminder_hold = fields.Boolean(
        string="Hold reminders", help="Reminders are shown in the list, and not sent.", tracking=True
    )
    emsp_reminder_hold_until = fields.Date(
        string="Held until", help="The last day. Empty: until it is taken back.", tracking=True
    )
    emsp_reminder_hold_reason = fields.Char(string="Why it is held", tracking=True)

    def _valid_field_parameter(self, field, name):
        # EXTENDS base: who inherits this is a mail.thread, too
        return name == "tracking" or super()._valid_field_parameter(field, name)

    def _get_reminder_hold(self, day):
        """:return: words about the first of these that is held on a day, or ""."""
        for record in self:
            until = record.emsp_reminder_hold_until
            if record.emsp_reminder_hold and (not until or day <= until):
                reason = record.emsp_reminder_hold_reason or self.env._("held")
                return f"{reason} ({format_date(self.env, until)})" if until else reason
        return ""
