from odoo import fields, models

DISPUTABLE = ("open",)


class EmspCdrDispute(models.Model):
    """What a dispute does to its CDR."""

    _inherit = "emsp.cdr"

    dispute_ids = fields.One2many("emsp.dispute", "cdr_id", string="Disputes")

    def _dispute_problems(self, at):
        """Why CDRs cannot be disputed at a moment, in words for whoever wants to.

        :param datetime at: naive UTC.
        :return: dict CDR id -> text.
        """
        found = {}
        for cdr in self:
            text = cdr._dispute_problem(at)
            if text:
                found[cdr.id] = text
        return found

    def _dispute_problem(self, at):
        self.ensure_one()
        # sudo: who may see the CDR may learn when its window closed
        settlement = self.sudo().settlement_id
        if self.state in ("locked", "invoiced") or (settlement and settlement.lock_at <= at):
            return self.env._(
                "CDR %(cdr)s cannot be disputed any more: its control window closed on %(date)s. Write to "
                "us: what turns out to be wrong is settled by a credit on a later invoice.",
                cdr=self.ocpi_id,
                date=settlement._local(settlement.lock_at),
            )
        if settlement.approved_at:
            return self.env._(
                "CDR %(cdr)s cannot be disputed any more: %(settlement)s was approved on %(date)s.",
                cdr=self.ocpi_id,
                settlement=settlement.name,
                date=settlement._local(settlement.approved_at),
            )
        if self.state == "disputed":
            return self.env._("CDR %(cdr)s is disputed already.", cdr=self.ocpi_id)
        if self.is_credit:
            return self.env._(
                "CDR %(cdr)s is a credit: dispute the session that it credits.", cdr=self.ocpi_id
            )
        if self.state not in DISPUTABLE:
            state = self._state_label(self.state)
            return self.env._(
                "CDR %(cdr)s is %(state)s: there is nothing to dispute.", cdr=self.ocpi_id, state=state
            )
        last = self.sudo().dispute_ids.filtered(lambda dispute: dispute.state == "dismissed")[
            :1
        ]  # sudo: as above
        if last:
            return self.env._(
                "CDR %(cdr)s was disputed before: %(dispute)s was dismissed, and that is final.",
                cdr=self.ocpi_id,
                dispute=last.name,
            )
        return None

    def _back_from_dispute(self, at):
        """It counts again: on its list while that is open, on the next one afterwards.

        Judged by the instants of the list itself, so that a lock that runs late gives what a punctual one
        had given.
        """
        for cdr in self:
            settlement = cdr.settlement_id
            if settlement and settlement.lock_at <= at:
                cdr._store({"settlement_id": False})
        self._update_state("open")

    def _void(self, reason):
        """Whoever gives the claim up leaves nothing to dispute."""
        # sudo: the dispute follows its CDR, whoever takes that back; it may be the sender over OCPI
        disputed = self.sudo().filtered(lambda cdr: cdr.state == "disputed")
        open_disputes = disputed.dispute_ids.filtered("is_open")
        moved = super()._void(reason)
        open_disputes._end_with_cdr(reason)
        return moved
