import base64
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import split_every

from ..core.errors import PayloadError
from ..core.ocpi.envelope import StatusCode
from ..core.ocpi.normalise import read_json
from ..core.ocpi.record_file import read_records
from ..models.dialogs import dialog

# Decompressed. A month of a large network is some 100,000 CDRs of 2 kB.
MAX_FILE_BYTES = 512 * 1024 * 1024
CHUNK_SIZE = 500


class ImportReport(NamedTuple):
    """What became of a file's records; `rejected` are the emsp.ocpi.message that keep the refused ones."""

    created: int
    existing: int
    rejected: models.Model


class EmspCdrImport(models.TransientModel):
    """CDRs from a file: JSON array, JSON lines or one object, gzipped or not.

    A bad record stops no other; it is kept, as it stood in the file, as a refused OCPI message.
    """

    _name = "emsp.cdr.import"
    _description = "Import CDRs"

    connection_id = fields.Many2one(
        "emsp.ocpi.connection",
        required=True,
        default=lambda self: self._default_connection_id(),
        help="Whose CDRs they are.",
    )
    file = fields.Binary(attachment=False, help="JSON array, JSON lines or one CDR; also gzipped.")
    filename = fields.Char()
    is_done = fields.Boolean(readonly=True)
    created_count = fields.Integer(string="New CDRs", readonly=True)
    existing_count = fields.Integer(string="Already known", readonly=True)
    rejected_count = fields.Integer(string="Refused", readonly=True)
    rejected_ids = fields.Many2many("emsp.ocpi.message", readonly=True)

    @api.model
    def _default_connection_id(self):
        connections = self.env["emsp.ocpi.connection"].search([], limit=2)
        return connections if len(connections) == 1 else connections[:0]

    def action_import(self):
        self.ensure_one()
        if not self.file:
            raise UserError(self.env._("Choose the file with the CDRs."))
        report = self._import_file(
            self.connection_id, base64.b64decode(self.file), self.filename, fields.Datetime.now()
        )
        self.write(
            {
                "file": False,
                "is_done": True,
                "created_count": report.created,
                "existing_count": report.existing,
                "rejected_count": len(report.rejected),
                "rejected_ids": report.rejected.ids,
            }
        )
        return dialog(self, self.env._("Import of %(file)s", file=self.filename))

    def action_view_cdrs(self):
        return self.connection_id.action_view_cdrs()

    @api.model
    def _import_file(self, connection, content, filename, received_at, available_at=None):
        """Take the CDRs of a file as if the connection had pushed them.

        :param connection: emsp.ocpi.connection.
        :param bytes content: the file.
        :param datetime received_at: naive UTC.
        :param datetime available_at: naive UTC; when the partner could see them, where that is past.
        :return: ImportReport.
        :raise UserError: the file holds no record or cannot be unpacked.
        """
        # Users have no right to make CDRs: they come from the endpoint, also out of a file.
        endpoint = connection._as_endpoint()
        created, existing = 0, 0
        rejected_ids = []
        for records in split_every(CHUNK_SIZE, self._read_file(content, filename)):
            receipts = endpoint.env["emsp.cdr"]._receive(
                endpoint, [record.raw for record in records], received_at, available_at
            )
            refusals = []
            for record, receipt in zip(records, receipts, strict=True):
                created += receipt.outcome == "created"
                existing += receipt.outcome == "existing"
                if receipt.is_refusal:
                    refusals.append(self._prepare_refusal_vals(record, receipt))
            common = {"connection_id": connection.id, "url": filename, "received_at": received_at}
            rejected_ids += (
                self.env["emsp.ocpi.message"]._keep(*({**common, **vals} for vals in refusals)).ids
            )
            # A large file would otherwise stay in the cache as a whole.
            self.env.flush_all()
            self.env.invalidate_all()
        return ImportReport(created, existing, self.env["emsp.ocpi.message"].browse(rejected_ids))

    @api.model
    def _read_file(self, content, filename):
        try:
            return read_records(content, MAX_FILE_BYTES)
        except PayloadError as error:
            raise UserError(
                self.env._(
                    "%(file)s cannot be read (%(reason)s). Choose a JSON file with CDRs.",
                    file=filename,
                    reason=str(error),
                )
            ) from error

    @api.model
    def _prepare_refusal_vals(self, record, receipt):
        return {
            "module": "cdrs",
            "method": "IMPORT",
            "place": record.place,
            "ocpi_status": int(StatusCode.INVALID_PARAMETERS),
            "object_ocpi_id": readable_id(record.raw),
            "path": receipt.path,
            "message": receipt.message,
            "body": record.raw,
        }


def readable_id(raw):
    """The CDR's id, when the record can be read that far; else None."""
    try:
        payload = read_json(raw)
    except PayloadError:
        return None
    cdr_id = payload.get("id") if isinstance(payload, dict) else None
    return cdr_id if isinstance(cdr_id, str) else None
