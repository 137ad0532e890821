import secrets

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError

# By whose lists they are; in the order in which they are read.
PULLED_MODULES = {
    "CPO": ("locations", "tariffs", "sessions", "cdrs"),
    "OWN": ("locations", "tariffs", "sessions", "cdrs"),
    "EMSP": ("tokens",),
}
# Of the hourly run: partners are not asked all at once, and not by all of their partners on the hour.
LONGEST_DELAY_S = 30 * 60


class EmspOcpiConnectionPull(models.Model):
    """Reading a partner's lists: whatever push has missed comes that way."""

    _inherit = "emsp.ocpi.connection"

    is_pulled = fields.Boolean(
        string="Read the partner's lists",
        default=True,
        tracking=True,
        help="Every hour, where the partner offers lists: what it sent and we missed comes that way.",
    )
    cursor_ids = fields.One2many("emsp.ocpi.cursor", "connection_id", string="Lists read")

    def action_pull_now(self):
        """Read the partner's lists from where they were left."""
        self.ensure_one()
        self._check_operator()
        modules = self._enqueue_pull()
        if not modules:
            return self._notify(self.env._("The partner offers no list for us to read."), is_good=False)
        return self._notify(self.env._("These lists are being read: %(lists)s.", lists=", ".join(modules)))

    def action_view_cursors(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_ocpi_cursor_action")
        return {**action, "domain": [("connection_id", "in", self.ids)], "context": {}}

    @api.model
    def _cron_pull(self):
        """Have the lists of all partners read, each at a moment of its own within the half-hour."""
        for connection in self.search([("is_pulled", "=", True)]):
            connection._enqueue_pull(delay_s=1 + secrets.randbelow(LONGEST_DELAY_S))

    def _enqueue_pull(self, delay_s=0):
        """:return: the modules whose lists are read."""
        self.ensure_one()
        modules = [module for module in PULLED_MODULES[self.peer_role] if self._pull_url(module)]
        # Jobs act in nobody's name: what is read is handed to the endpoint's user.
        cursors = self.env["emsp.ocpi.cursor"].with_user(SUPERUSER_ID)
        for module in modules:
            cursors._of(self, module)._enqueue(delay_s)
        return modules

    def _pull_url(self, module):
        """:return: where the partner's list is, or None: it has none, or is not asked any more."""
        self.ensure_one()
        if not self.active or module not in PULLED_MODULES[self.peer_role]:
            return None
        return self._endpoint_url(module, "SENDER")

    def _check_operator(self):
        """:raise AccessError: the user is no operator."""
        if not self.env.su and not self.env.user.has_group("emsp_clearing.emsp_clearing_group_operator"):
            raise AccessError(self.env._("Only operators read from and send to partners."))
