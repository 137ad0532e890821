import base64
import binascii
from contextlib import suppress

from werkzeug.exceptions import Unauthorized

from odoo import SUPERUSER_ID, models
from odoo.http import request


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _auth_method_ocpi(cls):
        """Credentials token of an active connection (OCPI 2.2.1, 4.1.2); acts as the technical user.

        :raise Unauthorized: whatever is wrong with the header or the token.
        """
        # The superuser, because nobody is known yet; all it does is find the token's connection.
        connections = request.env["emsp.ocpi.connection"].with_user(SUPERUSER_ID)
        credential, is_standard = parse_authorization(request.httprequest.headers.get("Authorization", ""))
        for token in token_candidates(credential):
            connection = connections._find_by_token(token)
            if connection and (is_standard or connection.is_lax):
                break
        else:
            raise Unauthorized
        request.session.can_save = False
        request.update_env(
            user=request.env["ir.model.data"]._xmlid_to_res_id("emsp_clearing.user_ocpi"),
            context={"allowed_company_ids": connection.company_id.ids, "lang": "en_US", "tz": "UTC"},
        )
        request.dispatcher.connection_id = connection.id


def parse_authorization(header):
    """:return: (credential, whether the header has the form that OCPI prescribes).

    Other spellings of the scheme, and none at all, are seen in the field; the connection decides
    whether they are tolerated.
    """
    scheme, __, credential = header.strip().partition(" ")
    if scheme == "Token":
        return credential.strip(), True
    if scheme.lower() in ("token", "bearer"):
        return credential.strip(), False
    return header.strip(), False


def token_candidates(credential):
    """The tokens that `credential` may mean: decoded (2.2-d2 and later), then as it is (before).

    The specification's own sample decodes to a token with a line feed behind it.
    """
    with suppress(binascii.Error, ValueError):
        yield base64.b64decode(credential, validate=True).decode().strip()
    yield credential
