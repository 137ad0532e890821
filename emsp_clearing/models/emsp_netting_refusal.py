from odoo import models
from odoo.exceptions import UserError


class EmspNettingRefusal(models.Model):
    """Why a proposal has nothing to set off, in words that say what to mend."""

    _inherit = "emsp.netting"

    def _check_something_to_set_off(self):
        """:raise UserError: with the reason, and why further documents of the period are not listed."""
        for netting in self.filtered(lambda netting: not netting.amount_cleared):
            left_out = netting._left_out()
            heading = left_out and [self.env._("Open documents of the period that are not listed:")]
            raise UserError("\n".join([netting._nothing_sentence(), *heading, *left_out]))

    def _nothing_sentence(self):
        names = {"netting": self.name, "partner": self.partner_id.display_name}
        if not self.line_ids:
            return self.env._("%(netting)s lists no document: there is nothing to set off.", **names)
        if not (self.our_line_ids and self.their_line_ids):
            return self.env._(
                "%(netting)s has open documents on one side only: there is nothing to set off.", **names
            )
        # Credit notes stand on the side of their issuer, and are owed by it.
        if self.amount_ours > self.amount_theirs:
            return self.env._(
                "All that %(netting)s lists is owed by %(partner)s, credit notes counted: there is "
                "nothing to set off.",
                **names,
            )
        return self.env._(
            "All that %(netting)s lists is owed to %(partner)s, credit notes counted: there is "
            "nothing to set off.",
            **names,
        )

    def _left_out(self):
        """:return: list of lines "- document: reason"."""
        items = self.env["account.move.line"].search(self._items_domain(), order="date_maturity, id")
        items -= self.line_ids.move_line_id
        reasons = self._reasons_against(items)
        elsewhere = self.env["emsp.netting.line"].search(
            [("move_line_id", "in", items.ids), ("is_live", "=", True)]
        )
        reasons |= {
            line.move_line_id.id: self.env._("it is on %s", line.netting_id.name) for line in elsewhere
        }
        vals = {item: self._prepare_line_vals(item) for item in items}
        return [
            f"- {vals[item]['document']}: "
            + (
                reasons.get(item.id)
                or self.env._("it was taken off, or opened since: look for the documents")
            )
            for item in items
        ]

    def _lacking_contracts(self):
        """What stands against netting between the two: sentences about the missing clauses."""
        roles = set(self._get_contracts_sudo().mapped("partner_role"))
        texts = {
            "emsp": self.env._("No contract by which we bill it says so."),
            "cpo": self.env._("No contract by which it bills us says so."),
        }
        return " ".join(text for role, text in texts.items() if role not in roles)
