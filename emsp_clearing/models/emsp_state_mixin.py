import logging

from odoo import models
from odoo.exceptions import UserError

from ..core.errors import LifecycleError
from ..core.lifecycle import check

_logger = logging.getLogger(__name__)


class Stored(dict):
    """Values that the life cycle itself writes: a type that no call from outside can send, as it
    could a context key."""


class EmspStateMixin(models.AbstractModel):
    """The one funnel through which every state of ours changes."""

    _name = "emsp.state.mixin"
    _description = "Life cycle of a clearing record"

    # Set of allowed (from, to) pairs, from core.lifecycle.
    _transitions = frozenset()

    def write(self, vals):
        if not isinstance(vals, Stored):
            self._check_write(vals)
        return super().write(vals)

    def _check_write(self, vals):
        """Extension point: what users may write.

        :raise UserError: for what only the life cycle changes.
        """

    def _store(self, vals):
        """Write past `_check_write`, for the life cycle itself. Private, so RPC cannot reach it."""
        return self.write(Stored(vals))

    def _store_changes(self, vals):
        """As `_store`, of what this record does not have yet: what comes to the same costs nothing."""
        self.ensure_one()
        changed = {name: value for name, value in vals.items() if self._differs(name, value)}
        if changed:
            self._store(changed)

    def _differs(self, name, value):
        stored = self[name].id if self._fields[name].relational else self[name]
        return (stored or False) != (value or False)

    def _update_state(self, target, **vals):
        """Move the records to `target`; those already there are left alone.

        :param str target: a state of the model.
        :param vals: further fields stored with the state.
        :return: the records that moved.
        :raise UserError: when the life cycle does not allow the step for one of them.
        """
        moving = self.filtered(lambda record: record.state != target)
        for state in set(moving.mapped("state")):
            moving.filtered(lambda r, s=state: r.state == s)[0]._check_transition(state, target)
        if moving:
            moving._store({"state": target, **vals})
            _logger.info("%s %s -> %s", self._name, moving.ids, target)
        return moving

    def _check_transition(self, state, target):
        """:raise UserError: when the life cycle does not allow the step of this record."""
        try:
            check(self._transitions, state, target)
        except LifecycleError as error:
            raise UserError(
                self.env._(
                    "%(record)s cannot go from %(old)s to %(new)s.",
                    record=self.display_name,
                    old=self._state_label(state),
                    new=self._state_label(target),
                )
            ) from error

    def _state_label(self, state):
        return dict(self._fields["state"]._description_selection(self.env)).get(state, state)
