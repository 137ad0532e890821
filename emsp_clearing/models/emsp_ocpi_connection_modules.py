from odoo import models

from ..core.ocpi.envelope import StatusCode
from .emsp_ocpi_connection_pull import PULLED_MODULES
from .emsp_ocpi_connection_push import PUSHED_MODULES
from .emsp_ocpi_connection_server import HandshakeError


class EmspOcpiConnectionModules(models.Model):
    """Whether a partner's modules are of use to us (OCPI 2.2.1, 7.1.5).

    A partner needs none of its own: it may push to us, and read our lists. So a handshake is refused only
    where the partner has modules that we exchange, and all of them are those of our own side: the connection
    is one to a CPO, and an eMSP comes. What else is missing, people are told.
    """

    _inherit = "emsp.ocpi.connection"

    def _fetch_details(self, client, versions_url, acceptable):
        version, details = super()._fetch_details(client, versions_url, acceptable)
        self._check_modules(details)
        return version, details

    def _check_modules(self, details):
        """:param details: core VersionDetails. :raise HandshakeError: no module fits."""
        useful = self._useful_modules()
        names = {module for module, __ in useful}
        known = [each for each in details.endpoints if each.identifier.casefold() in names]
        if known and not any(details.find_url(*each) for each in useful):
            text = self.env._(
                "None of the partner's modules fits: those of the role %(role)s are expected, as %(modules)s",
                role=self._parties_role(),
                modules=_named(useful),
            )
            raise HandshakeError(StatusCode.NO_MATCHING_ENDPOINTS, text)

    def _useful_modules(self):
        """:return: list of (module, role of the partner): what we read from it, then what we send to it."""
        return [
            *((module, "SENDER") for module in PULLED_MODULES[self.peer_role]),
            *((module, "RECEIVER") for module in PUSHED_MODULES[self.peer_role]),
        ]

    def _note_handshake(self):
        done = super()._note_handshake()
        missing = [each for each in self._useful_modules() if not self._endpoint_url(*each)]
        if missing:
            self.message_post(
                body=self.env._(
                    "The partner has no endpoint for %(modules)s. We read no list of a missing sender and "
                    "send nothing to a missing receiver; what the partner sends or reads itself still works.",
                    modules=_named(missing),
                )
            )
        return done


def _named(modules):
    return ", ".join(f"{module} ({role})" for module, role in modules)
