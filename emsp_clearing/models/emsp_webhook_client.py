from urllib.parse import urlsplit

import requests

from odoo.exceptions import UserError

from ..core.webhooks import sign
from .emsp_ocpi_network import TIMEOUT_S, AddressError, check_url, make_session
from .emsp_ocpi_traffic import UNREACHABLE_HTTP

# Answers of a receiver that has no place for anything, besides those of every protocol.
CLOSED_HTTP = (403, 404, 405, 408, 410)


class WebhookError(UserError):
    """A call that the receiver did not take; the text is for people.

    `http_status`: as far as it answered. `is_of_event`: another event might fare better.
    """

    def __init__(self, text, http_status=None):
        super().__init__(text)
        self.http_status = http_status
        self.is_of_event = bool(
            http_status and 400 <= http_status < 500 and http_status not in (*UNREACHABLE_HTTP, *CLOSED_HTTP)
        )


class WebhookClient:
    """Posts signed events to one webhook. Follows no redirect and reads no answer but its status."""

    def __init__(self, webhook):
        self.env = webhook.env
        self.url = webhook.url
        self.allow_private = webhook.allow_private_network
        self._secret = webhook._secret_clear()
        self._http = make_session(allow_private=self.allow_private)

    def post(self, uid, body, timestamp):
        """:param uid: of the delivery, the same in each attempt.
        :param bytes body: JSON.
        :param int timestamp: now, seconds since 1970.
        :return: HTTP status, a 2xx.
        :raise WebhookError: in all other cases.
        """
        if not self._secret:
            raise WebhookError(self.env._("The webhook has no secret. Make a new one."))
        self._check_url()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "emsp_clearing",
            "X-Emsp-Delivery": uid,
            "X-Emsp-Signature": sign(self._secret, timestamp, body),
        }
        host = urlsplit(self.url).hostname
        try:
            with self._http.post(
                self.url,
                data=body,
                headers=headers,
                timeout=max(TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as response:
                status = response.status_code
        except requests.Timeout:
            raise WebhookError(self.env._("%(host)s did not answer in time.", host=host)) from None
        except (requests.RequestException, UnicodeError, ValueError):
            raise WebhookError(self.env._("%(host)s cannot be reached.", host=host)) from None
        if not 200 <= status < 300:
            raise WebhookError(self.env._("The receiver answered HTTP %(status)s.", status=status), status)
        return status

    def _check_url(self):
        try:
            check_url(self.url, allow_private=self.allow_private)
        except AddressError as error:
            raise WebhookError(address_text(self.env, error)) from None


def address_text(env, error):
    """:param AddressError error: why an address is not called. :return: text for people."""
    texts = {
        "unknown": env._("The host %(host)s is not known.", host=error.host),
        "private": env._(
            "The host %(host)s leads into a private network. For a system of your own, allow it on the "
            "webhook.",
            host=error.host,
        ),
    }
    fallback = env._(
        "The address of a webhook starts with https:// and holds neither user nor password. Correct it."
    )
    return texts.get(error.code, fallback)
