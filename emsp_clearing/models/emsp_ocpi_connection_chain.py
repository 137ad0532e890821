from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, split_every

from ..core.chain import link, payload_hash, verify
from .emsp_state_mixin import Stored
from .sql_stream import stream

CHUNK_SIZE = 1000
# Links that one statement stores.
SEAL_SIZE = 10_000
CHAIN_FIELDS = frozenset({"chain_length", "chain_head"})
LINK_FIELDS = ("chain_index", "chain_hash", "write_uid", "write_date")


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
        self.env["emsp.cdr"].flush_model()
        for connection in self:
            head, place = connection.chain_head or None, connection.chain_length
            unsealed = stream(self.env, connection._unsealed_query())
            for rows in split_every(SEAL_SIZE, unsealed, list):
                links = []
                for cdr_id, payload in rows:
                    head, place = link(head, payload), place + 1
                    links.append((cdr_id, place, head))
                self._store_links(links)
            if place != connection.chain_length:
                connection.write(Stored({"chain_length": place, "chain_head": head}))
        self.env["emsp.cdr"].invalidate_model([*LINK_FIELDS], flush=False)

    def _unsealed_query(self):
        """The cursor reads what was there when it was opened: what is sealed meanwhile does not matter."""
        return SQL(
            """SELECT id, payload_sha256 FROM emsp_cdr
                WHERE connection_id = %s AND chain_hash IS NULL ORDER BY id""",
            self.id,
        )

    def _store_links(self, links):
        """:param links: (id of the CDR, place, chain value), in one statement."""
        ids, places, heads = map(list, zip(*links, strict=True))
        self.env.cr.execute(
            SQL(
                """UPDATE emsp_cdr cdr
                      SET chain_index = sealed.place, chain_hash = sealed.head,
                          write_uid = %s, write_date = %s
                     FROM unnest(%s::int[], %s::int[], %s::text[]) AS sealed(id, place, head)
                    WHERE cdr.id = sealed.id""",
                self.env.uid,
                fields.Datetime.now(),
                ids,
                places,
                heads,
            )
        )

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
