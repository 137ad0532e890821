from datetime import timedelta

from odoo import SUPERUSER_ID, Command, fields
from odoo.tests import new_test_user

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import raw
from .ocpi_objects_common import payload_of
from .ocpi_traffic_common import OcpiTrafficCommon


class PushCommon(OcpiTrafficCommon):
    def setUp(self):
        super().setUp()
        # Later than whatever a test queues.
        self.now = fields.Datetime.now() + timedelta(minutes=1)

    def outbox(self, connection=None, **values):
        domain = [(name, "=", value) for name, value in values.items()]
        domain.append(("connection_id", "=", (connection or self.emsp).id))
        return self.env["emsp.ocpi.push"].search(domain, order="id")

    def push(self, connection=None, after=timedelta(0)):
        """One step of sending, as its job makes it. :return: the jobs that it asks for."""
        connection = (connection or self.emsp).with_user(SUPERUSER_ID)
        with trap_jobs() as trap:
            connection._job_push(self.now + after)
            jobs = [call for call in trap.calls if call.method.__name__ == "_job_push"]
        self.env.invalidate_all()
        return jobs

    def receive_own(self, module, **changes):
        """An object as our own charge point system tells it, of its own party."""
        payload = payload_of(module, country_code="FR", party_id="RVR", **changes)
        address = {name: payload[name] for name in ("country_code", "party_id", "id")}
        endpoint = self.connection._as_endpoint()
        model = {"sessions": "emsp.session", "locations": "emsp.location"}[module]
        return endpoint.env[model]._put(endpoint, "2.2.1", address, raw(payload), self.now)[0]

    def user_of(self, group):
        return new_test_user(
            self.env,
            f"push_{group}",
            f"emsp_clearing.emsp_clearing_group_{group}",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
