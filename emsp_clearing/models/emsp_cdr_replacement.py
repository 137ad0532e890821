from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..core.money import D
from ..core.ocpi.json_text import write_json
from ..core.ocpi.modules import cdr_payload
from ..core.ocpi.objects import Price
from .emsp_cdr_price import Rating

# Older ones have no word for a credit.
OWN_VERSION = "2.2.1"


class EmspCdrReplacement(models.Model):
    """CDRs of our own making, by which a dispute corrects one of our own chargers.

    Nothing rewrites a CDR: a credit CDR takes it back in full, and a new one states what both sides agreed
    on (OCPI 2.2.1, 10.1.1). They are numbered by the dispute.
    """

    _inherit = "emsp.cdr"

    agreed_by_id = fields.Many2one(
        "emsp.dispute",
        string="Agreed in",
        readonly=True,
        index="btree_not_null",
        help="Both sides agreed on its amount there: it is neither priced nor judged.",
    )

    def _credit_own(self, number, at):
        """:param str number: of the dispute. :return: the credit CDR that takes this one back, settled."""
        self.ensure_one()
        cdr = self._received_cdr()
        credit = replace(
            cdr,
            id=f"{number}-C",
            credit=True,
            credit_reference_id=self.ocpi_id,
            total_cost=negative(cdr.total_cost),
        )
        record = self._receive_own(credit, at)
        record._rate(at)
        if record.state == "quarantine":
            # What holds CDRs of others does not stand against a decision of people.
            record._release(at)
        return record

    def _replace_own(self, dispute, agreed, at):
        """:param Decimal agreed: net. :return: the CDR over what both agreed on, open from now on."""
        self.ensure_one()
        cdr = self._received_cdr()
        new = replace(
            cdr,
            id=f"{dispute.name}-R",
            total_cost=Price(agreed),
            total_fixed_cost=None,
            total_energy_cost=None,
            total_time_cost=None,
            total_parking_cost=None,
            total_reservation_cost=None,
            remark=f"Instead of {self.ocpi_id}, by dispute {dispute.name}",
        )
        record = self._receive_own(new, at)
        record._store({"agreed_by_id": dispute.id, "contract_id": dispute.contract_id.id})
        record._rate(at)
        return record

    def _receive_own(self, cdr, at):
        """Take a CDR of our own in, as if our charge point system had sent it.

        :raise UserError: a rule refuses it on arrival, or its id is taken.
        """
        raw = write_json(cdr_payload(replace(cdr, last_updated=at), OWN_VERSION))
        # sudo: as the endpoint, which takes CDRs in; who asks for it has decided a dispute
        endpoint = self.sudo().connection_id._as_endpoint()
        [receipt] = endpoint.env["emsp.cdr"]._receive(endpoint, [raw], at, version=OWN_VERSION)
        if receipt.outcome != "created":
            raise UserError(
                self.env._(
                    "CDR %(cdr)s cannot be made: %(reason)s",
                    cdr=cdr.id,
                    reason=receipt.message or receipt.outcome,
                )
            )
        return receipt.record.with_env(self.env)

    def _rate_sessions(self, as_of):
        agreed = self.filtered("agreed_by_id")
        for cdr in agreed:
            cdr._store(cdr._price_agreed().vals)
        agreed._update_state("open", available_at=as_of)
        rest = self - agreed
        return super(EmspCdrReplacement, rest)._rate_sessions(as_of) if rest else None

    def _recheck_sessions(self, as_of):
        rest = self.filtered(lambda cdr: not cdr.agreed_by_id)
        return super(EmspCdrReplacement, rest)._recheck_sessions(as_of)

    def _price(self, cdr, sent, cache):
        return self._price_agreed() if self.agreed_by_id else super()._price(cdr, sent, cache)

    @api.model
    def _component_labels(self):
        return {**super()._component_labels(), "AGREED": self.env._("Amount agreed in a dispute")}

    def _price_agreed(self):
        amount = str(D(str(self.stated_amount)))
        component = {"component": "AGREED", "unit_price": amount, "quantity": "1", "amount": amount}
        vals = {
            "amount_untaxed": self.stated_amount,
            "priced_by": self.agreed_by_id.name,
            "components": [component],
        }
        return Rating(vals, [])


def negative(price):
    """:param price: core Price. :return: the same amount, to be given back."""
    return Price(-price.excl_vat, None if price.incl_vat is None else -price.incl_vat)
