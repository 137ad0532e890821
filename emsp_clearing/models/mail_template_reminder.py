from odoo import models


class MailTemplateReminder(models.Model):
    _inherit = "mail.template"

    def _generate_template_attachments(self, res_ids, render_fields, render_results=None):
        # EXTENDS mail: a reminder carries copies of its invoices
        results = super()._generate_template_attachments(res_ids, render_fields, render_results)
        if self.model == "credit.control.communication" and "attachment_ids" in render_fields:
            for communication in self.env[self.model].browse(res_ids):
                values = results[communication.id]
                files = communication._get_reminder_files()
                values["attachment_ids"] = [*values.get("attachment_ids", []), *files.ids]
        return results
