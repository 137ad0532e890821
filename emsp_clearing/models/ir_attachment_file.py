import hashlib
import io
import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile

from odoo import api, models

from ..report.emsp_annex_manifest import file_digest


class IrAttachmentFile(models.Model):
    """Attachments from files that need not pass through the memory."""

    _inherit = "ir.attachment"

    @api.model
    def _create_from_file(self, path, vals):
        """Keep a copy of a file.

        :param pathlib.Path path: of the file. :param dict vals: without its content; `mimetype` is needed.
        :return: ir.attachment.
        :raise OSError: when the copy cannot be written; then none is there.
        """
        if self._storage() != "file":
            return self.create({**vals, "raw": path.read_bytes()})
        # Odoo's own name for a content.
        checksum = file_digest(path, "sha1")
        name = f"{checksum[:2]}/{checksum}"
        self._copy_into_store(path, name)
        attachment = self.create(vals)
        # As Odoo does itself where it stores a content: its `write` leaves these out.
        models.Model.write(
            attachment,
            {"store_fname": name, "checksum": checksum, "file_size": path.stat().st_size, "db_datas": False},
        )
        return attachment

    def _content_sha256(self):
        """:return: hex SHA-256 of the content, which need not pass through the memory."""
        if self.store_fname:
            return file_digest(Path(self._full_path(self.store_fname)))
        return hashlib.sha256(self.raw or b"").hexdigest()

    def _copy_into_store(self, path, name):
        target = self._full_path(name)
        if os.path.exists(target):
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with path.open("rb") as file:
            self._write_whole(file, name)

    @api.model
    def _file_write(self, bin_value, checksum):
        # OVERRIDES base, which writes under the final name: half a file, of a process that died or a disk
        # that was full, is there for good, and who stores the same content again is told that it collides.
        fname, full_path = self._get_path(bin_value, checksum)
        if not os.path.exists(full_path):
            self._write_whole(io.BytesIO(bin_value), fname)
        return fname

    def _write_whole(self, file, name):
        """Copy an open file into the store, under another name until it is whole: what has the name of its
        content is taken for it.

        :raise OSError: when it cannot be written; then none is there.
        """
        target = self._full_path(name)
        with NamedTemporaryFile(dir=os.path.dirname(target), delete=False) as copy:
            try:
                shutil.copyfileobj(file, copy, 1024 * 1024)
                copy.close()
                # Removed with what is not referred to, should the transaction fail.
                self._mark_for_gc(name)
                os.chmod(copy.name, 0o644)
                os.replace(copy.name, target)
            except OSError:
                os.unlink(copy.name)
                raise
