from odoo import api, models

from ..core.chain import row_hash
from ..core.verify import verify_list
from ..report.emsp_annex_reader import MAX_TEXT
from ..report.emsp_annex_summary import settlement_names

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
        held = self._row_hashes(ours)
        answer = {**found.to_json(), "issued": bool(issued)}
        if issued and (stated.settlement, stated.invoice) != self._named_by(issued):
            answer["problems"].append("other_invoice")
        if issued and not self._lists_are_ours(stated, issued):
            answer["problems"].append("settlements")
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
        """The invoice that stands and has the list of a hash: its own, or that of a settlement it bills."""
        moves = self.env["account.move"]
        if not hash_:
            return moves
        posted = [("state", "=", "posted")]
        own = moves.search([("emsp_list_hash", "=", hash_), *posted], limit=1)
        return own or self.search([("list_hash", "=", hash_)], limit=1).move_id.filtered_domain(posted)

    @api.model
    def _named_by(self, move):
        """:return: (settlements, invoice) as its annex names them, and as a reader of it takes them."""
        return settlement_names(move._annex_settlements())[:MAX_TEXT].strip(), move.name

    @api.model
    def _lists_are_ours(self, stated, move):
        """Whether the hashes of single settlements are those of the invoice's: the asker has its list."""
        lists = {settlement.name: settlement.list_hash for settlement in move._annex_settlements()}
        return all(lists.get(each.name) == each.list_hash for each in stated.settlements)

    @api.model
    def _row_hashes(self, move):
        """:return: set of the hashes of the lines of an invoice's list; none for no invoice."""
        if not move:
            return set()
        return set(map(row_hash, self.env["emsp.cdr"]._sealed_rows_of(move._annex_domain())))
