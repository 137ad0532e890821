from contextlib import contextmanager
from datetime import datetime, timedelta

from odoo import SUPERUSER_ID, fields

from odoo.addons.queue_job.tests.common import trap_jobs

from .ocpi_objects_common import OcpiObjectsCommon
from .ocpi_peer import OcpiPeer

SECRET = "a secret of the tests"
HOOK = "/hook"
# Its session is so long ago that a rule holds it.
OLD = datetime(2026, 5, 1)


class WebhookCommon(OcpiObjectsCommon):
    """Receivers that run for the time of a test; `receiver.requests` has what they were sent."""

    def setUp(self):
        super().setUp()
        # Later than whatever a test queues.
        self.now = fields.Datetime.now() + timedelta(minutes=1)

    def run_receiver(self, status=204):
        running = OcpiPeer().running()
        receiver = running.__enter__()
        self.addCleanup(running.__exit__, None, None, None)
        receiver.answers[HOOK] = (status, b"", {})
        return receiver

    def create_webhook(self, url="https://127.0.0.1/hook", **vals):
        vals = {"name": "Billing", "company_id": self.company.id, "url": url, **vals}
        webhook = self.env["emsp.webhook"].create({"allow_private_network": True, **vals})
        encrypted = self.env["emsp.ocpi.connection"]._encrypt(SECRET)
        # sudo: nobody writes a secret
        webhook.sudo().write({"secret": encrypted, "secret_hint": SECRET[-4:]})
        return webhook

    def hook_to(self, receiver, **vals):
        return self.create_webhook(receiver.base + HOOK, **vals)

    def send_due(self, webhook, after=timedelta(0)):
        """One step of sending, as its job makes it. :return: the jobs that it asks for."""
        with self.trapped("_job_send") as jobs:
            webhook.with_user(SUPERUSER_ID)._job_send(self.now + after)
        self.env.invalidate_all()
        return jobs

    @contextmanager
    def trapped(self, method):
        """:return: list of the jobs of a method that were asked for within."""
        jobs = []
        with trap_jobs() as trap:
            yield jobs
            jobs += [call for call in trap.calls if call.method.__name__ == method]

    def events(self, webhook):
        """(event, CDR id) of its deliveries, in their order."""
        return [(each.event, each.cdr_id.ocpi_id) for each in webhook.delivery_ids.sorted("id")]
