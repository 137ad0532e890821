from contextlib import contextmanager

from odoo import models
from odoo.exceptions import UserError

from ..core.errors import PayloadError
from ..core.ocpi.modules import credentials_payload, parse_versions
from ..core.ocpi.normalise import VERSIONS
from ..core.ocpi.remarks import find_tolerated
from .dialogs import dialog
from .emsp_ocpi_client import OcpiClient
from .emsp_ocpi_client_errors import OcpiClientError
from .emsp_ocpi_connection import hash_token, new_token
from .emsp_ocpi_connection_server import HandshakeError
from .emsp_state_mixin import Stored


class EmspOcpiConnectionRegister(models.Model):
    """The credentials module, as the side that calls (OCPI 2.2.1, 7).

    The partner calls us back before it answers. So our new token is committed before the call, in a
    transaction of its own, and the transaction of the caller writes nothing.
    """

    _inherit = "emsp.ocpi.connection"

    def action_register(self):
        """A dialog for what the partner sent: its versions URL and a token."""
        self.ensure_one()
        title = self.env._("Register with %(connection)s", connection=self.name)
        known = {"default_connection_id": self.id, "default_versions_url": self.peer_versions_url}
        return dialog(self.env["emsp.ocpi.connection.register"], title, context=known)

    def action_rotate_token(self):
        """Exchange both tokens with the partner, and read its endpoints anew."""
        self._check_registered()
        client = OcpiClient(self)
        with self._in_plain_words():
            version, details = self._fetch_details(client, self.peer_versions_url, VERSIONS)
            self._exchange_credentials(client, "PUT", version, details)
        return self._notify(self.env._("Both tokens were renewed."))

    def action_unregister(self):
        """End the registration at the partner and here: no traffic in either direction, all data stays."""
        self._check_registered()
        client = OcpiClient(self)
        url = self._endpoint_url("credentials", "SENDER") or self._endpoint_url("credentials", "RECEIVER")
        try:
            if url:
                client.call("DELETE", url, "credentials")
        except OcpiClientError as error:
            # 401, 404, 405: the partner does not know us any more.
            if error.http_status not in (401, 404, 405):
                raise
        with self._apart() as connection:
            connection._unregister()
            connection.message_post(body=self.env._("The registration was ended by us."))
        return self._notify(self.env._("The registration was ended."))

    def action_check_health(self):
        """Ask the partner for its versions, and say what came of it."""
        self.ensure_one()
        self.check_access("write")
        if not self.peer_versions_url:
            raise UserError(self.env._("The partner's versions URL is not known."))
        try:
            reply = OcpiClient(self).get(self.peer_versions_url, "versions")
            offered = ", ".join(each.version for each in parse_versions(reply.data))
        except OcpiClientError as error:
            return self._notify(str(error), is_good=False)
        except PayloadError as error:
            text = self.env._("The partner's list of versions cannot be read: %(error)s", error=error)
            return self._notify(text, is_good=False)
        return self._notify(
            self.env._("The partner answers, and offers OCPI %(versions)s.", versions=offered)
        )

    def _register_with_peer(self, versions_url, token):
        """:param str token: token A of the partner, in clear.
        :raise UserError: what kept the partner or us from it, in plain words."""
        self.ensure_one()
        self.check_access("write")
        self._check_own_party_known()
        if self.state == "registered":
            raise UserError(self.env._("This connection is registered. Rotate its token instead."))
        with self._in_plain_words():
            client, version, details = self._first_contact(versions_url, token)
            self._exchange_credentials(client, "POST", version, details)

    def _keep_static_peer(self, versions_url, token):
        """Use a token of the partner without a handshake; in clear."""
        self.ensure_one()
        self.check_access("write")
        # sudo: nobody writes the token but by this way and by a handshake
        self.sudo().write({"peer_versions_url": versions_url, "peer_token": self._encrypt(token)})
        self.message_post(body=self.env._("A token of the partner was typed in."))

    def _first_contact(self, versions_url, token):
        """Versions and details with token A, in Base64 or as it is: nobody has told yet."""
        client = OcpiClient(self, token=token)
        try:
            found = self._fetch_details(client, versions_url, VERSIONS)
        except OcpiClientError as error:
            # 403: not what OCPI says, but what some platforms do.
            if error.http_status not in (401, 403):
                raise
            client = OcpiClient(self, client.correlation_uid, token=token, is_encoded=not client.is_encoded)
            found = self._fetch_details(client, versions_url, VERSIONS)
        return client, *found

    def _exchange_credentials(self, client, method, version, details):
        """POST or PUT our credentials, keep the partner's, and see whether they open its door.

        Our former token stays valid until the new one was used once.
        """
        self._check_own_party_known()
        token = new_token()
        # sudo: no user reads a hash; these are put back as they were when the partner refuses
        former = {name: self.sudo()[name] for name in ("pending_token_hash", "pending_token_until")}
        credentials = credentials_payload(self._our_credentials(token, self.versions_url), version)
        with self._apart() as connection:
            connection.write(Stored(pending_token_hash=hash_token(token)))
        try:
            reply = client.call(method, details.find_url("credentials"), "credentials", credentials)
            theirs = self._read_credentials(reply.data, version)
        except (OcpiClientError, PayloadError):
            with self._apart() as connection:
                connection.write(Stored(former))
            raise
        client.note_deviations(find_tolerated(reply.data, "credentials", version))
        vals = self._prepare_peer_vals(theirs, version, details)
        # sudo: as above; it stays valid beside the new one
        previous = self.sudo().token_hash if method == "PUT" else False
        vals |= self._prepare_token_vals(token, previous=previous)
        vals |= {"state": "registered", "peer_token_form": "base64" if client.is_encoded else "plain"}
        with self._apart() as connection:
            connection.write(Stored(vals))
            connection.message_post(body=self.env._("Registered with OCPI %(version)s.", version=version))
            connection._note_handshake()
        # This transaction does not see what the other one wrote.
        client = OcpiClient(self, client.correlation_uid, token=theirs.token, is_encoded=client.is_encoded)
        self._verify_registration(client, theirs.url)

    def _verify_registration(self, client, versions_url):
        """See whether the partner's new token opens its door; if not, only the partner can help."""
        try:
            client.get(versions_url, "versions")
        except OcpiClientError as error:
            text = self.env._(
                "Registered, but the token that the partner gave does not work: %(error)s", error=error
            )
            raise UserError(text) from error

    def _check_registered(self):
        self.ensure_one()
        self.check_access("write")
        if self.state != "registered":
            raise UserError(self.env._("This connection is not registered."))

    @contextmanager
    def _apart(self):
        """This connection, without limits of rights, in a transaction that is committed at the end."""
        with self.env.registry.cursor() as cr:
            # sudo: secrets and the state are written by the handshake alone; access was checked before
            yield self.with_env(self.env(cr=cr)).sudo()
        self.invalidate_recordset()

    @contextmanager
    def _in_plain_words(self):
        """:raise UserError: for what went wrong with the partner's answers."""
        try:
            yield
        except PayloadError as error:
            text = self.env._("The partner's answer cannot be used: %(error)s", error=error)
            raise UserError(text) from error
        except HandshakeError as error:
            raise UserError(str(error)) from error

    def _notify(self, text, is_good=True):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if is_good else "danger",
                "message": text,
                "sticky": not is_good,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
