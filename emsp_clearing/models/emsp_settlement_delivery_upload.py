import json
import time

from odoo import SUPERUSER_ID, fields, models

from .emsp_delivery_sftp import SftpClient, UploadError
from .emsp_webhook import instant
from .emsp_webhook_client import WebhookClient, WebhookError

EVENT = "settlement.documents"


class EmspSettlementDeliveryUpload(models.Model):
    """Deliveries to a server of the partner, each in a job of its own: a slow one holds up no other."""

    _inherit = "emsp.settlement.delivery"

    def _enqueue_upload(self):
        self.ensure_one()
        # Jobs act in nobody's name.
        delivery = self.with_user(SUPERUSER_ID)
        key = f"emsp.settlement.delivery:{self.id}:{self.attempts}"
        delivery.with_delay(identity_key=key, description=self.display_name)._job_upload()

    def _job_upload(self):
        """Hand the files over. Can be repeated: what has arrived is not sent again.

        :raise RetryableJobError: another job is at it.
        """
        if not self.exists() or not self._take():
            return
        if not self.files:
            self._record_files()
        try:
            vals = self._upload_sftp() if self.target_id.kind == "sftp" else self._post_webhook()
        except (UploadError, WebhookError) as error:
            self._set_failed(str(error), fields.Datetime.now())
            return
        self._set_handed_over(fields.Datetime.now(), **vals)

    def _upload_sftp(self):
        """:return: dict `reply`, `reference`. :raise UploadError:"""
        files = self._package_files()
        outcome = SftpClient(self.target_id).put([*files, self.move_id._package_manifest(files)])
        return {"reply": outcome, "reference": f"{self.target_id.host}:{self.target_id.folder or '.'}"}

    def _post_webhook(self):
        """:return: dict `reply`, `reference`. :raise WebhookError:"""
        status = WebhookClient(self.target_id).post(self.uid, self._webhook_body(), int(time.time()))
        return {"reply": f"HTTP {status}", "reference": self.uid}

    def _webhook_body(self):
        """The manifest, with a link for each file; the same bytes in each attempt."""
        files = self._package_files()
        data = json.loads(self.move_id._package_manifest(files).content)
        for proof, attachment in zip(data["files"], self._attachments_sudo(), strict=True):
            proof["url"] = self._link(attachment)
        data |= {"is_copy": self.is_copy, "links_valid_until": instant(self.link_until)}
        event = {"id": self.uid, "type": EVENT, "created_at": instant(self.queued_at), "data": data}
        return json.dumps(event).encode()
