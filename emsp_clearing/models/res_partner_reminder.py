from odoo import fields, models


class ResPartnerReminder(models.Model):
    """A hold of the reminders of a partner; portal users, who read their own partner, do not see why."""

    _name = "res.partner"
    _inherit = ["res.partner", "emsp.reminder.hold.mixin"]

    emsp_reminder_hold = fields.Boolean(groups="base.group_user")
    emsp_reminder_hold_until = fields.Date(groups="base.group_user")
    emsp_reminder_hold_reason = fields.Char(groups="base.group_user")
