"""What can go wrong between us and a partner, in words for people and in words for the partner."""

from odoo.exceptions import UserError


class OcpiClientError(UserError):
    """A call to a partner that did not give what it was made for; its text is for people.

    `kind`: no_token, bad_token, address_form, address_scheme, address_unknown, address_private,
    connection, timeout, tls, redirect, size, envelope, http, ocpi. `http_status`, `ocpi_status`: as far
    as the partner answered.
    """

    def __init__(self, env, kind, host="", http_status=None, ocpi_status=None, text=""):
        self.kind = kind
        self.http_status = http_status
        self.ocpi_status = ocpi_status
        super().__init__(self._sentence(env, host, text))

    @property
    def for_partner(self):
        """In English; says nothing about our network or what else could be reached."""
        if self.kind in ("http", "redirect"):
            return f"HTTP {self.http_status}"
        if self.kind == "ocpi":
            return f"status {self.ocpi_status}"
        texts = {
            "timeout": "no answer in time",
            "envelope": "the answer is no OCPI envelope",
            "size": "the answer is too large",
            "address_scheme": "the address must start with https://",
            "address_form": "the address is malformed",
            "bad_token": "the token has characters that cannot stand in a header",
        }
        return texts.get(self.kind, "it cannot be reached")

    def _sentence(self, env, host, text):
        answer = {"status": self.http_status, "code": self.ocpi_status, "text": text}
        texts = {
            "no_token": env._("The partner's token is not known. Register with the partner first."),
            "bad_token": env._("The partner's token has characters that cannot be sent."),
            "address_form": env._("The partner's address is malformed."),
            "address_scheme": env._("The partner's address must start with https://."),
            "address_unknown": env._("The host %(host)s is not known. Check the address.", host=host),
            "address_private": env._(
                "The host %(host)s leads into a private network, which partners must not make us call. "
                "For a system of your own, allow it on the connection.",
                host=host,
            ),
            "connection": env._("%(host)s cannot be reached.", host=host),
            "timeout": env._("%(host)s did not answer in time.", host=host),
            "tls": env._("The certificate of %(host)s is not valid.", host=host),
            "redirect": env._("The partner sends us on to another address, which is not followed."),
            "size": env._("The partner's answer is too large."),
            "envelope": env._("The partner's answer is no OCPI answer (HTTP %(status)s).", **answer),
        }
        if self.kind in texts:
            return texts[self.kind]
        if self.http_status == 401:
            return env._(
                "The partner does not accept our token (HTTP 401). Ask the partner, or register anew."
            )
        if self.ocpi_status:
            return env._("The partner refused: %(code)s %(text)s (HTTP %(status)s)", **answer)
        return env._("The partner's system answered with HTTP %(status)s.", **answer)
