import json
import uuid

from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain
from odoo.tools import consteq
from odoo.tools.misc import hmac

from ..core.money import from_float
from .emsp_ocpi_push_content import SHOWN_STATES
from .emsp_webhook import instant

EVENT_OF_STEP = {
    ("received", "open"): "cdr.priced",
    ("received", "quarantine"): "cdr.flagged",
    ("open", "quarantine"): "cdr.flagged",
    ("quarantine", "open"): "cdr.released",
}
# Which CDRs a link opens, by whom it was made for.
STATES_OF_LINK = {"shown": SHOWN_STATES, "held": (*SHOWN_STATES, "quarantine")}
LINK_SCOPE = "emsp_clearing.explanation"


class EmspCdrAnnouncement(models.Model):
    """What others are told of a CDR in the moment in which it is priced, held or released."""

    _inherit = "emsp.cdr"

    def _update_state(self, target, **vals):
        before = {cdr: cdr.state for cdr in self}
        moved = super()._update_state(target, **vals)
        for state, cdrs in moved.grouped(before.__getitem__).items():
            event = EVENT_OF_STEP.get((state, target))
            if event:
                cdrs._announce(event)
        return moved

    def _announce(self, event):
        """Queue an event for all who may learn of it, in this transaction.

        :param event: cdr.priced, cdr.flagged or cdr.released.
        """
        # Superuser: who is told what does not hang on the rights of who causes it
        cdrs = self.with_user(SUPERUSER_ID).with_context(lang="en_US")
        webhooks = cdrs.env["emsp.webhook"]._listening(event, cdrs.company_id)
        heard = {webhook: webhook._heard(event, cdrs) for webhook in webhooks}
        told = cdrs.browse().union(*heard.values())
        facts = told._event_facts() if told else {}
        cdrs.env["emsp.webhook.delivery"].create(
            [
                cdr._prepare_delivery_vals(event, webhook, facts[cdr])
                for webhook, of_webhook in heard.items()
                for cdr in of_webhook
            ]
        )
        for webhook, of_webhook in heard.items():
            if of_webhook:
                webhook._enqueue_send()

    def _prepare_delivery_vals(self, event, webhook, facts):
        """:param facts: of this CDR, as `_event_facts`."""
        uid = str(uuid.uuid4())
        audience = "held" if webhook._may_see_held(self) else "shown"
        payload = {
            "id": uid,
            "type": event,
            "created_at": instant(fields.Datetime.now()),
            "data": {**facts, "explanation_url": self._explanation_url(audience)},
        }
        return {
            "webhook_id": webhook.id,
            "event": event,
            "uid": uid,
            "cdr_id": self.id,
            "payload": json.dumps(payload, ensure_ascii=False),
        }

    def _event_facts(self):
        """:return: dict CDR -> what events say of it; the findings that hold are read for all at once."""
        found = self.env["emsp.cdr.finding"].search(
            [("cdr_id", "in", self.ids), ("superseded_at", "=", False)], order="cdr_id, id"
        )
        findings = found.grouped("cdr_id")
        return {
            cdr: {
                "cdr": cdr._ocpi_name(),
                "price": cdr._event_price(),
                "state": cdr.state,
                "findings": [finding._told() for finding in findings.get(cdr, ())],
                "payload_sha256": cdr.payload_sha256,
            }
            for cdr in self
        }

    def _ocpi_name(self):
        return {
            "country_code": self.ocpi_country_code,
            "party_id": self.ocpi_party_id,
            "id": self.ocpi_id,
            "session_id": self.ocpi_session_id or None,
        }

    def _event_price(self):
        """Our price and the sender's, as texts of decimals; ours is None where there is none."""
        stated = from_float(self.stated_amount, 4)
        price = {"currency": self.currency_id.name or None, "stated_excl_vat": amount_text(stated)}
        if not self.explanation:
            return {**price, "amount_excl_vat": None, "difference": None}
        amount = from_float(self.amount_untaxed, 4)
        difference = amount_text(amount - stated)
        return {**price, "amount_excl_vat": amount_text(amount), "difference": difference}

    def _told_domain(self, connection):
        """Domain of the CDRs whose findings a connection may read: once they are open who they are for,
        and at any time who sent them."""
        if connection.peer_role != "EMSP":
            return Domain("connection_id", "=", connection.id)
        mine = Domain("connection_id.peer_role", "=", "OWN") & Domain("state", "in", SHOWN_STATES)
        return mine & connection._token_domain()

    # -- the page that explains the price

    def _explanation_url(self, audience):
        """:param audience: "shown", or "held" for who may see it while it is held.
        :return: address that opens without a login, or None: there is nothing to explain."""
        self.ensure_one()
        if not self.explanation:
            return None
        token = self._explanation_token(audience)
        return f"{self.company_id.get_base_url()}/emsp/cdr/{self.id}/explanation?access_token={token}"

    def _explanation_token(self, audience):
        # sudo: the database's secret, which signs and goes nowhere
        return hmac(self.env(su=True), LINK_SCOPE, f"{self.id}:{audience}")

    @api.model
    def _find_explained(self, cdr_id, token):
        """:return: the CDR that the link opens now, in superuser; empty for every other one."""
        # Superuser: the token alone opens the page
        cdr = self.with_user(SUPERUSER_ID).browse(cdr_id)
        given = token.encode()
        audiences = [
            audience
            for audience in STATES_OF_LINK
            if consteq(cdr._explanation_token(audience).encode(), given)
        ]
        # Looked for after the token was: who guesses does not learn which ids there are.
        if not audiences or not cdr.exists() or not cdr.explanation:
            return self.browse()
        return cdr if cdr.state in STATES_OF_LINK[audiences[0]] else self.browse()

    def _explanation_json(self):
        """:return: what the page says, for programs."""
        return {
            "cdr": self._ocpi_name(),
            "price": self._event_price(),
            "state": self.state,
            "payload_sha256": self.payload_sha256,
            "explanation": self.explanation,
        }


def amount_text(amount):
    """A Decimal with four decimals, of which two stay always: 6.40, 6.4025."""
    text = f"{amount:f}"
    whole, __, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
