from werkzeug.exceptions import Unauthorized

from odoo import SUPERUSER_ID, models
from odoo.http import request

from ..core.ocpi.auth import credential_candidates
from ..core.ocpi.tolerances import LAX, STRICT


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _auth_method_ocpi(cls):
        """Credentials token of an active connection (OCPI 2.2.1, 4.1.2); acts as the technical user.

        :raise Unauthorized: whatever is wrong with the header or the token.
        """
        # The superuser, because nobody is known yet; all it does is find the token's connection.
        connections = request.env["emsp.ocpi.connection"].with_user(SUPERUSER_ID)
        header = request.httprequest.headers.get("Authorization", "")
        connection, token = _find_connection(connections, header)
        request.session.can_save = False
        request.dispatcher.admit(connection, token, is_encoded=not header.rstrip().endswith(token))
        request.update_env(
            user=request.env["ir.model.data"]._xmlid_to_res_id("emsp_clearing.user_ocpi"),
            context={"allowed_company_ids": connection.company_id.ids, "lang": "en_US", "tz": "UTC"},
        )


def _find_connection(connections, header):
    """:return: (connection, token in clear).

    Other spellings of the scheme, and none at all, are seen in the field; the connection decides
    whether they are tolerated.
    """
    strict = credential_candidates(header, tolerances=STRICT)
    for token in strict:
        connection = connections._find_by_token(token)
        if connection:
            return connection, token
    for token in credential_candidates(header, tolerances=LAX):
        connection = connections._find_by_token(token) if token not in strict else connections
        if connection and connection.allow_header_forms:
            return connection, token
    raise Unauthorized
