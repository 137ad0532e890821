from datetime import timedelta

from odoo import SUPERUSER_ID, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import escape_psql

from .emsp_ocpi_pull import MODELS

# What is missing in the whole list is no longer valid (OCPI 2.2.1, 4.1.4); history is never taken back.
ENDING_MODULES = ("tariffs", "tokens")
# A list of changes cannot tell what was deleted. Tokens are never deleted: they come as not valid.
FULL_EVERY = {"tariffs": timedelta(days=1)}


class EmspOcpiFullReading(models.Model):
    """Readings of a whole list: what it does not hold any more ends.

    Each object of the list is marked when it is met. At the end, what was there before and is not marked has
    ended; but only where the list was read from its first object to its last, and every object in it could
    at least be told by its id. An empty list ends nothing: a fault of the partner looks the same.
    """

    _inherit = "emsp.ocpi.cursor"

    is_full = fields.Boolean(
        string="Whole list", readonly=True, help="The run that is under way reads the whole list."
    )
    full_read_at = fields.Datetime(
        string="Read in full", readonly=True, help="When the last reading of the whole list began."
    )
    ended_count = fields.Integer(
        string="Ended",
        readonly=True,
        help="Tariffs or tokens that the last reading of the whole list did not hold any more.",
    )

    def action_read_all(self):
        """Read the whole list again; of CDRs and sessions as far back as the first time."""
        for cursor in self:
            cursor.connection_id._check_operator()
            if not cursor.connection_id._pull_url(cursor.module):
                raise UserError(
                    self.env._("The partner offers no list of the module %(module)s.", module=cursor.module)
                )
        # sudo: people do not move a run; who may start one was checked above
        cursors_sudo = self.sudo()
        cursors_sudo.write({"date_from": False, "page_url": False})
        # Jobs act in nobody's name.
        cursors_sudo.with_user(SUPERUSER_ID)._enqueue()
        return True

    def _read_since(self, as_of):
        interval = FULL_EVERY.get(self.module)
        is_due = interval and (not self.full_read_at or self.full_read_at + interval <= as_of)
        return None if is_due else super()._read_since(as_of)

    def _start_run(self, list_url, as_of):
        is_full = not self._read_since(as_of)
        done = super()._start_run(list_url, as_of)
        vals = {"is_full": is_full and self.module in ENDING_MODULES}
        if is_full:
            vals |= {"full_read_at": as_of, "ended_count": 0}
        self.write(vals)
        return done

    def _note_listed(self, taken, refused):
        """Mark what a page of the whole list held.

        :param taken: the records of its objects.
        :param refused: list of Refused: those that are known count as listed too.
        """
        if not self.is_full:
            return
        ids = [each.ocpi_id for each in refused]
        if not all(ids):
            # It may be any of those that are missing.
            self.is_full = False
            return
        if ids:
            of_ids = Domain.OR(Domain("ocpi_id", "=ilike", escape_psql(each)) for each in ids)
            taken |= taken.search(self._ending_domain() & of_ids)
        taken.write({"listed_at": self.run_started_at})

    def _move_on(self, following, reply, tally, as_of):
        done = super()._move_on(following, reply, tally, as_of)
        read_count = self.new_count + self.known_count + self.refused_count
        is_whole = not following and not self.has_shrunk and read_count >= self.total_count
        if self.is_full and is_whole and read_count:
            records = self.connection_id._as_endpoint().env[MODELS[self.module]]
            missing = records.search(self._ending_domain() & Domain(self._unmarked_domain()))
            self.ended_count = len(missing._end_unlisted(as_of))
        return done

    def _ending_domain(self):
        """Domain of what the list may end: all that holds and came over the connection."""
        return Domain("connection_id", "=", self.connection_id.id) & Domain(
            self.env[MODELS[self.module]]._holding
        )

    def _unmarked_domain(self):
        # What was pushed meanwhile is younger than the list.
        return [
            ("received_at", "<", self.run_started_at),
            "|",
            ("listed_at", "=", False),
            ("listed_at", "<", self.run_started_at),
        ]
