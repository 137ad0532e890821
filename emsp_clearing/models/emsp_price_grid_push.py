from odoo import fields, models


class EmspPriceGridPush(models.Model):
    """Partners are told of the prices that hold for them."""

    _inherit = "emsp.price.grid"

    def action_publish(self):
        done = super().action_publish()
        connections = self.env["emsp.ocpi.connection"]
        for company in self.company_id:
            connections |= connections._pushing("tariffs", company)
        connections._queue_tariffs(fields.Datetime.now())
        return done
