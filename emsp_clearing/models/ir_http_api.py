import re

from werkzeug.exceptions import Unauthorized

from odoo import SUPERUSER_ID, models
from odoo.http import request

from .ir_http import _find_connection

API_KEY_SCOPE = "emsp_clearing.api"


class IrHttpApi(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _auth_method_emsp_api(cls):
        """The credentials token of an eMSP's OCPI connection, or an API key of a user of its portal.

        A session counts for nothing here: a browser would send its cookie unasked.

        :raise Unauthorized: whatever is wrong with the header, the token or the key.
        """
        request.session.can_save = False
        header = request.httprequest.headers.get("Authorization", "")
        bearer = re.fullmatch(r"bearer\s+(\S+)\s*", header, re.IGNORECASE)
        uid = bearer and request.env["res.users.apikeys"]._check_credentials(
            scope=API_KEY_SCOPE, key=bearer[1]
        )
        if uid:
            request.update_env(user=uid)
            request.update_context(lang=request.env.user.lang or "en_US")
            request.dispatcher.admit_user(request.env.user)
            return
        # The superuser, because nobody is known yet; all it does is find the token's connection.
        connections = request.env["emsp.ocpi.connection"].with_user(SUPERUSER_ID)
        connection, token = _find_connection(connections, header)
        if connection._token_kind(token) == "pending":
            raise Unauthorized
        partner = connection.partner_id
        request.update_env(
            user=request.env["ir.model.data"]._xmlid_to_res_id("emsp_clearing.user_ocpi"),
            context={"allowed_company_ids": connection.company_id.ids, "lang": partner.lang or "en_US"},
        )
        request.dispatcher.admit_connection(connection.with_env(request.env))
