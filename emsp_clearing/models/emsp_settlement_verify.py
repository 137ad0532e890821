from odoo import api, models

from ..core.chain import row_hash
from ..core.verify import verify_list

# Key of an advisory lock.
VERIFY_LOCK = 1_162_694_728


class EmspSettlementVerify(models.Model):
    """Answers whether an annex that somebody holds is one of ours, and says nothing else."""

    _inherit = "emsp.settlement"

    @api.model
    def _try_verify_lock(self):
        """Let one annex be verified at a time, in all processes: reading a large one takes a processor
        for half a minute, and anybody may ask.

        :return: whether it is our turn, until the end of the transaction.
        """
        self.env.cr.execute("SELECT pg_try_advisory_xact_lock(%s)", [VERIFY_LOCK])
        return self.env.cr.fetchone()[0]

    @api.model
    def _verify_annex(self, stated, printed=""):
        """Check an annex against itself and against the list that we hold.

        That list is found by its hash, which only who has the annex or the invoice knows; neither by
        number nor by key, so that nobody learns by guessing what exists or what it costs.

        :param stated: `core.verify.StatedList`.
        :param printed: hex list hash from the invoice, or "": it leads to our list of a forged file.
        :return: JSON of the verification; "issued" is whether the stated list hash is that of an
            invoice of ours, "held" in each row whether it is on our list.
        """
        found = verify_list(stated, printed=printed)
        issued = self._find_issued(stated.list_hash)
        ours = self._find_issued(printed) or issued or self._find_issued(found.list_hash)
        held = ours._row_hashes()
        answer = {**found.to_json(), "issued": bool(issued)}
        if issued and (stated.settlement, stated.invoice) != (issued.name, issued.move_id.name):
            answer["problems"].append("other_invoice")
        for row, own in zip(answer["rows"], stated.rows, strict=True):
            row["held"] = row_hash(own.listed()) in held
        answer["holds"] = (
            found.holds
            and answer["issued"]
            and not answer["problems"]
            and all(row["held"] for row in answer["rows"])
        )
        return answer

    @api.model
    def _find_issued(self, hash_):
        """The settlement of a list hash whose invoice stands."""
        domain = [("list_hash", "=", hash_), ("move_id.state", "=", "posted")]
        return self.search(domain, limit=1) if hash_ else self.browse()

    def _row_hashes(self):
        """:return: set of the hashes of the lines of the list; none for no settlement."""
        return set(map(row_hash, self._sealed_rows())) if self else set()
