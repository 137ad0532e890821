import base64

from odoo.tests import HttpCase

from .common import EmspCommon, raw

CDRS = "/ocpi/emsp/2.2.1/cdrs"


class EmspHttpCommon(EmspCommon, HttpCase):
    """Talks to the OCPI endpoint as the platform of `connection` does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.connection._generate_token()

    @classmethod
    def authorization(cls, token=None):
        return "Token " + base64.b64encode((token or cls.token).encode()).decode()

    def ocpi(self, method, url, token=None, headers=None, data=None):
        """One OCPI request. :return: the response, which is an envelope or the test fails."""
        headers = {"Authorization": self.authorization(token), **(headers or {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        response = self.url_open(url, method=method, data=data, headers=headers)
        self.assertEqual(response.headers["Content-Type"], "application/json; charset=utf-8", response.text)
        self.assertLessEqual({"status_code", "timestamp"}, response.json().keys())
        return response

    def ocpi_post(self, payload, **options):
        """POST a CDR, as dict or bytes."""
        data = raw(payload) if isinstance(payload, dict) else payload
        return self.ocpi("POST", CDRS, data=data, **options)

    def ocpi_get(self, url, **options):
        return self.ocpi("GET", url, **options)

    def assertAnswer(self, response, http_status, ocpi_status, message=""):
        """Both statuses, and a part of the status message."""
        body = response.json()
        self.assertEqual((response.status_code, body["status_code"]), (http_status, ocpi_status), body)
        self.assertIn(message, body.get("status_message", ""))
        if ocpi_status >= 2000:
            self.assertNotIn("data", body)

    def stored(self, **values):
        """The CDRs of the connection with these values."""
        domain = [("connection_id", "=", self.connection.id)]
        domain += [(name, "=", value) for name, value in values.items()]
        return self.env["emsp.cdr"].search(domain)

    def messages(self, **values):
        """The messages kept of the connection, the newest first."""
        domain = [("connection_id", "=", self.connection.id)]
        domain += [(name, "=", value) for name, value in values.items()]
        return self.env["emsp.ocpi.message"].search(domain, order="id desc")
