from odoo import models

from ..core.errors import PayloadError
from ..core.ocpi.envelope import StatusCode
from ..core.ocpi.modules import parse_credentials, parse_version_details, parse_versions
from ..core.ocpi.normalise import VERSIONS
from ..core.ocpi.paging import resolve
from ..core.ocpi.peer_objects import Endpoint, VersionDetails
from ..core.ocpi.remarks import find_tolerated
from .emsp_ocpi_client import OcpiClient
from .emsp_ocpi_client_errors import OcpiClientError
from .emsp_ocpi_connection import hash_token, new_token
from .emsp_state_mixin import Stored

# 2.2.1 mends the text of 2.2; who lists the name of the former alone speaks it so.
OTHER_NAMES = {"2.2": "2.2.1"}


class HandshakeError(Exception):
    """A handshake that comes to nothing; `status` is what OCPI says of it, the text is in English."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class EmspOcpiConnectionServer(models.Model):
    """The credentials module, as the side that is called (OCPI 2.2.1, 7).

    While the partner is called back nothing is written, so that no row is locked: many partners answer
    only after they have called us in turn.
    """

    _inherit = "emsp.ocpi.connection"

    def _agree_with_peer(self, raw, version, used_token, is_encoded, correlation_uid):
        """Register the partner, or take its new token: it becomes `registered` with what it told.

        :param bytes raw: the partner's Credentials.
        :param str used_token: in clear, that came with the request; from then on valid until the new one
            was used once, if the partner was registered before.
        :param bool is_encoded: whether it came in Base64.
        :return: the partner's new token, in clear.
        :raise PayloadError: the credentials cannot be read or are of another party.
        :raise HandshakeError: the partner's own interface cannot be used.
        """
        self._check_ready()
        credentials = self._read_credentials(raw, version)
        client = OcpiClient(self, correlation_uid, token=credentials.token, is_encoded=is_encoded)
        try:
            __, details = self._fetch_details(client, credentials.url, (version,))
        except OcpiClientError as error:
            text = f"Your interface cannot be used: {error.for_partner}"
            raise HandshakeError(StatusCode.CLIENT_API_UNUSABLE, text) from error
        except PayloadError as error:
            raise HandshakeError(StatusCode.CLIENT_API_UNUSABLE, f"Your interface: {error}") from error
        token = new_token()
        grace = hash_token(used_token) if self.state == "registered" else False
        vals = self._prepare_peer_vals(credentials, version, details)
        vals |= self._prepare_token_vals(token, previous=grace)
        vals |= {"state": "registered", "peer_token_form": "base64" if is_encoded else "plain"}
        # sudo: the endpoint's user may only read; what it may change is decided here
        connection_sudo = self.sudo()
        connection_sudo.write(Stored(vals))
        connection_sudo.message_post(
            body=self.env._("The partner registered with OCPI %(version)s.", version=version)
        )
        connection_sudo._note_handshake()
        return token

    def _note_handshake(self):
        """Extension point: tell people what a handshake brought; in sudo."""
        self.ensure_one()

    def _check_ready(self):
        """:raise HandshakeError: nobody has said yet which party we are."""
        self.ensure_one()
        if not self._own_party():
            raise HandshakeError(StatusCode.SERVER_ERROR, "This side is not set up for a registration yet")

    def _unregister_by_peer(self):
        self._unregister()
        # sudo: the endpoint's user may only read
        self.sudo().message_post(body=self.env._("The partner ended the registration."))

    def _unregister(self):
        """No token is valid any more, in either direction; what was received stays."""
        # sudo: secrets and the state are written by the handshake alone
        self.sudo().write(
            Stored(
                state="unregistered",
                token_hash=False,
                token_hint=False,
                previous_token_hash=False,
                pending_token_hash=False,
                peer_token=False,
                endpoint_ids=[(5,)],
            )
        )

    def _prepare_token_vals(self, token, previous=False):
        return {
            "token_hash": hash_token(token),
            "token_hint": token[-4:],
            "previous_token_hash": previous,
            "pending_token_hash": False,
        }

    def _read_credentials(self, source, version):
        """:raise PayloadError: whose text does not repeat the token, or another party's credentials."""
        try:
            credentials = parse_credentials(source, version, tolerances=self._tolerances())
        except PayloadError as error:
            if error.path == "token":
                raise PayloadError(
                    error.code, path="token", expected="a text of 1 to 64 characters", got="something else"
                ) from None
            raise
        if not all("!" <= character <= "~" for character in credentials.token):
            raise PayloadError(
                "invalid_field", path="token", expected="visible ASCII characters", got="others"
            )
        parties = {f"{role.country_code}*{role.party_id}".upper() for role in credentials.roles}
        if credentials.hub_party_id:
            # From OCPI 2.3.0 on a hub lists the parties that it reaches, and names itself apart.
            hub = credentials.hub_party_id.upper()
            parties.add(f"{hub[:2]}*{hub[2:]}")
        if not self.is_hub and self._party() not in parties:
            got = ", ".join(sorted(parties))[:200]
            raise PayloadError("owner", path="roles", expected=self._party(), got=got)
        return credentials

    def _fetch_details(self, client, versions_url, acceptable):
        """The highest version that both sides speak, and the partner's modules in it.

        :param acceptable: the versions that may be chosen.
        :return: (version, core VersionDetails with absolute addresses).
        :raise OcpiClientError: the partner cannot be reached or refuses.
        :raise PayloadError: its answers cannot be read.
        :raise HandshakeError: no common version, or no credentials endpoint.
        """
        listed = parse_versions(client.get(versions_url, "versions").data)
        offered = {each.version: each.url for each in listed}
        for name, meant in OTHER_NAMES.items():
            if name in offered:
                offered.setdefault(meant, offered[name])
        common = [version for version in VERSIONS if version in offered and version in acceptable]
        if not common:
            text = self.env._(
                "No common version: %(theirs)s are offered, %(ours)s is wanted",
                theirs=", ".join(each.version for each in listed)[:200] or "-",
                ours=", ".join(acceptable),
            )
            raise HandshakeError(StatusCode.UNSUPPORTED_VERSION, text)
        version = common[-1]
        url = resolve(versions_url, offered[version])
        told = client.get(url, "versions").data
        details = parse_version_details(told, version, tolerances=self._tolerances())
        client.note_deviations(find_tolerated(told, "version_details", version))
        endpoints = (
            Endpoint(each.identifier, resolve(url, each.url), each.role) for each in details.endpoints
        )
        details = VersionDetails(version, tuple(endpoints))
        if not details.find_url("credentials"):
            text = self.env._("The version details have no endpoint of the module credentials")
            raise HandshakeError(StatusCode.NO_MATCHING_ENDPOINTS, text)
        return version, details
