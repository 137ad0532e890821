from odoo import api, models
from odoo.tools import ormcache


class EmspPortalMixin(models.AbstractModel):
    """What partners read: of the records that record rules show them, the fields that are named here.

    A field that nobody thought of is hidden, by RPC too, and in domains: guessing tells as much as reading.
    """

    _name = "emsp.portal.mixin"
    _description = "Record that partners read"

    @api.model
    def _get_portal_fields(self):
        """Extension point: names of the fields that partners read."""
        return ["id", "display_name"]

    @api.model
    @ormcache()
    def _portal_field_names(self):
        return frozenset(self._get_portal_fields())

    def _has_field_access(self, field, operation):
        # EXTENDS base
        if not super()._has_field_access(field, operation):
            return False
        if self.env.su or field.name in self._portal_field_names():
            return True
        # The user of the OCPI endpoint is no member of the staff either, but none of the portal.
        return not (self.env.user.share and self.env.user._is_portal())
