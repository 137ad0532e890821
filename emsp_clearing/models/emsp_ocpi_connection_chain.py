from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from ..core.chain import link, payload_hash, verify
from .emsp_state_mixin import Stored

CHUNK_SIZE = 1000
CHAIN_FIELDS = frozenset({"chain_length", "chain_head"})


class EmspOcpiConnectionChain(models.Model):
    """The hash chain over a connection's CDRs: whoever changes, drops or adds one behind the
    application's back breaks it at that place."""

    _inherit = "emsp.ocpi.connection"

    chain_length = fields.Integer(string="Sealed CDRs", readonly=True, copy=False)
    chain_head = fields.Char(
        readonly=True, copy=False, help="The chain's last value: it stands for all CDRs sealed so far."
    )

    def write(self, vals):
        if vals.keys() & CHAIN_FIELDS and not isinstance(vals, Stored):
            raise UserError(self.env._("The chain of a connection only grows by its CDRs."))
        return super().write(vals)

    def action_verify_chain(self):
        """Recompute the chain, and say whether it holds."""
        self.ensure_one()
        place = self._find_broken_link()
        if place is None:
            text = self.env._("All %(count)s links of the chain hold.", count=self.chain_length)
        else:
            text = self.env._(
                "The chain is broken at link %(place)s of %(count)s: what is stored there is not what "
                "was received.",
                place=place,
                count=self.chain_length,
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if place is None else "danger",
                "message": text,
                "sticky": place is not None,
            },
        }

    def _seal_chain(self):
        """Append the CDRs that came since. Of two at once the second one is replayed, as both write
        the connection."""
        for connection in self:
            cdrs = self.env["emsp.cdr"].search_fetch(
                [("connection_id", "=", connection.id), ("chain_hash", "=", False)],
                ["payload_sha256"],
                order="id",
            )
            head = connection.chain_head or None
            for place, cdr in enumerate(cdrs, start=connection.chain_length + 1):
                head = link(head, cdr.payload_sha256)
                cdr._store({"chain_index": place, "chain_hash": head})
            if cdrs:
                grown = {"chain_length": connection.chain_length + len(cdrs), "chain_head": head}
                connection.write(Stored(grown))

    def _find_broken_link(self):
        """:return: place of the first link that does not hold, or None. All payloads are hashed anew."""
        self.ensure_one()
        sealed = self.env["emsp.cdr"].search(
            [("connection_id", "=", self.id), ("chain_index", ">", 0)], order="chain_index"
        )
        head, place = None, 0
        for cdrs in split_every(CHUNK_SIZE, sealed.ids, self.env["emsp.cdr"].browse):
            cdrs.fetch(["payload", "chain_hash"])
            entries = [(payload_hash(cdr.payload.encode()), cdr.chain_hash) for cdr in cdrs]
            broken = verify(entries, head)
            if broken is not None:
                return place + broken + 1
            head, place = entries[-1][1], place + len(entries)
            cdrs.invalidate_recordset()
        return None if (head or False, place) == (self.chain_head, self.chain_length) else place + 1
