from odoo import api, fields, models

# Longer than any body the endpoint reads.
MAX_BODY_CHARS = 10 * 1024 * 1024


class EmspOcpiMessage(models.Model):
    """One OCPI message, or one record of an imported file: what came, and what it was answered.

    The operator's log. The body is kept when the message was refused; what was taken is kept, byte for
    byte, with the record it became. Nobody but the system writes here, and no header is stored, so no
    token is.
    """

    _name = "emsp.ocpi.message"
    _description = "OCPI message"
    _order = "received_at desc, id desc"

    connection_id = fields.Many2one(
        "emsp.ocpi.connection", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    direction = fields.Selection(
        [("in", "Received"), ("out", "Sent")], required=True, readonly=True, default="in"
    )
    module = fields.Char(readonly=True, help="The OCPI module, for example cdrs.")
    method = fields.Char(readonly=True, help="The HTTP method; IMPORT for a record of a file.")
    url = fields.Char(string="URL", readonly=True, help="The path; for an import, the file's name.")
    place = fields.Char(readonly=True, help="Where in the file the record stands.")
    http_status = fields.Integer(string="HTTP status", readonly=True, aggregator=None)
    ocpi_status = fields.Integer(string="OCPI status", readonly=True, aggregator=None)
    is_refused = fields.Boolean(string="Refused", readonly=True, help="The OCPI status is no success.")
    object_ocpi_id = fields.Char(string="CDR id", readonly=True)
    path = fields.Char(string="Field", readonly=True, help="The field of the payload that was refused.")
    message = fields.Char(readonly=True)
    body = fields.Text(readonly=True, prefetch=False, help="As received, when it was refused.")
    is_body_cut = fields.Boolean(readonly=True)
    request_uid = fields.Char(string="X-Request-ID", readonly=True, index=True)
    correlation_uid = fields.Char(string="X-Correlation-ID", readonly=True, index=True)
    received_at = fields.Datetime(required=True, readonly=True, index=True)
    duration_ms = fields.Integer(string="Duration (ms)", readonly=True, aggregator="avg")

    @api.depends("method", "url", "place")
    def _compute_display_name(self):
        for message in self:
            message.display_name = " ".join(filter(None, (message.method, message.url, message.place)))

    @api.model
    def _keep(self, *vals_list):
        """Store messages.

        :param vals_list: field values; `body` as bytes. What is no UTF-8 in it is shown as \\xNN.
        :return: the messages.
        """
        # sudo: nobody may write the log, so that it says what happened
        return self.sudo().create([self._prepare_vals(vals) for vals in vals_list])

    @api.model
    def _prepare_vals(self, vals):
        # PostgreSQL cannot store NUL.
        text = vals.get("body", b"").decode(errors="backslashreplace").replace("\x00", "\\x00")
        return {
            **vals,
            "company_id": self.env["emsp.ocpi.connection"].browse(vals["connection_id"]).company_id.id,
            "is_refused": not 1000 <= vals["ocpi_status"] < 2000,
            "body": text[:MAX_BODY_CHARS] or False,
            "is_body_cut": len(text) > MAX_BODY_CHARS,
        }
