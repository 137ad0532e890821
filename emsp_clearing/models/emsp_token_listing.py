from odoo import api, fields, models


class EmspTokenListing(models.Model):
    """What becomes of a token that its eMSP's whole list does not hold any more."""

    _inherit = "emsp.token"

    listed_at = fields.Datetime(
        string="Last listed", readonly=True, help="When the partner's whole list held it last."
    )
    unlisted_at = fields.Datetime(
        string="Missing since",
        readonly=True,
        help="When the eMSP's whole list did not hold it any more: it is not valid until it comes again.",
    )

    def _end_unlisted(self, as_of):
        """OCPI has no end of a token but that it is not valid. :return: those that were until now."""
        ended = self.filtered("is_valid")
        for token in ended:
            # The owner's own instant stays: else its next word on the token would seem too old.
            vals = {"is_valid": False, "unlisted_at": as_of, "last_updated": token.last_updated}
            token.write(vals)
        return ended

    def _has_content(self, raw, version, connection):
        # It came again as it was: that is news.
        return not self.unlisted_at and super()._has_content(raw, version, connection)

    @api.model
    def _vals_from_object(self, obj, connection):
        return {**super()._vals_from_object(obj, connection), "unlisted_at": False}
