import time
from datetime import timedelta

from odoo import api, fields, models

from .emsp_ocpi_client_errors import OcpiClientError
from .emsp_ocpi_push_content import NotYet, Unsendable
from .emsp_ocpi_traffic import (
    LONGEST_SILENCE,
    PUSH_LOCK,
    TrafficClient,
    asked_wait,
    is_refusal,
    is_unreachable,
    take_turn,
    wait_after,
)

BATCH_SIZE = 50
# After so long a job hands over to the next one: other partners wait for its place.
LONGEST_STEP_S = 30
GIVEN_UP_AFTER = timedelta(days=7)
# What others name goes first.
MODULE_ORDER = {"locations": 0, "tariffs": 1, "tokens": 2, "sessions": 3, "cdrs": 4}


class EmspOcpiPushRun(models.Model):
    """Sending what waits for one partner, one job at a time.

    Nothing is written before the last call of a step has ended. What is sent is locked meanwhile: for as
    long as the partner likes, so that whoever else writes rows passes over it. A step that dies is
    repeated: partners know what they have by its key.
    """

    _inherit = "emsp.ocpi.push"

    @api.model
    def _send_due(self, connection, as_of):
        """Send what is due, as far as one step goes.

        :param datetime as_of: naive UTC.
        :raise RetryableJobError: another job sends to the partner.
        """
        take_turn(self.env, PUSH_LOCK, connection.id)
        held_until = self._held_until(connection, as_of)
        if held_until:
            connection._enqueue_push(held_until)
            return
        due = self._due(connection, as_of)
        outdated = self._outdated(due, connection)
        outcomes = self._send_each(connection, due - outdated, as_of)
        outdated.write({"state": "dropped"})
        for push, vals in outcomes.items():
            push.write(vals)
        holding = next((vals for vals in outcomes.values() if vals.get("hold_until")), None)
        touched = due | self._count_as_tried(connection, holding["last_error"], as_of) if holding else due
        self._report(connection, set(touched.mapped("module")), as_of)
        connection._enqueue_push_rest(as_of)

    @api.model
    def _waiting_domain(self, connection):
        return [("connection_id", "=", connection.id), ("state", "=", "pending")]

    @api.model
    def _held_until(self, connection, as_of):
        domain = [*self._waiting_domain(connection), ("hold_until", ">", as_of)]
        return self.search(domain, order="hold_until desc", limit=1).hold_until

    @api.model
    def _due(self, connection, as_of):
        domain = [*self._waiting_domain(connection), ("next_try_at", "<=", as_of)]
        # Who has the turn may still see what the job before has sent meanwhile; the lock finds that out.
        due = self.search(domain, order="next_try_at, id", limit=BATCH_SIZE).try_lock_for_update()
        return due.sorted(lambda push: (MODULE_ORDER.get(push.module, 9), push.id))

    @api.model
    def _outdated(self, due, connection):
        """Only the newest row of an object is sent. :return: the other ones of `due`."""
        rows = self.search_fetch(
            [*self._waiting_domain(connection), ("key", "in", due.mapped("key"))], ["module", "key"]
        )
        newest = {(row.module, row.key): row for row in rows.sorted("id")}
        return due.filtered(lambda push: newest[push.module, push.key] != push)

    @api.model
    def _send_each(self, connection, due, as_of):
        """:return: dict row -> values to store, of the rows that came to something."""
        client = TrafficClient(connection)
        deadline = time.monotonic() + LONGEST_STEP_S
        outcomes = {}
        due._load_records(connection)
        for push in due:
            outcomes[push] = push._send(client, as_of)
            if outcomes[push].get("hold_until") or time.monotonic() > deadline:
                break
        return outcomes

    def _send(self, client, as_of):
        """Make the call. :return: values to store."""
        self.ensure_one()
        try:
            url, body = self._message(as_of)
        except NotYet as error:
            return {"next_try_at": error.until}
        except Unsendable as error:
            return {"state": error.state, "last_error": str(error) or False}
        client.correlation_uid = self.correlation_uid
        try:
            reply = client.call(self.method, url, self.module, body, to_party=self._to_party())
        except OcpiClientError as error:
            return self._vals_after(error, as_of)
        return {
            **self._prepare_try_vals(as_of),
            "state": "sent",
            "sent_at": as_of,
            "hold_until": False,
            "last_error": False,
            "location_url": (reply.headers.get("Location") or "")[:2000] or False,
        }

    def _vals_after(self, error, as_of):
        """What a failed call comes to. A timeout is one: the partner may have it, and knows it by its key."""
        vals = {**self._prepare_try_vals(as_of), "last_error": str(error), "hold_until": False}
        if self.method == "DELETE" and error.http_status == 404:
            return {**vals, "state": "sent", "sent_at": as_of, "last_error": False}
        if is_refusal(error):
            return {**vals, "state": "failed"}
        asked = asked_wait(error, as_of)
        wait = asked or wait_after(vals["attempts"])
        if is_unreachable(error):
            is_asked = asked or error.http_status == 429
            vals["hold_until"] = as_of + (wait if is_asked else min(wait, LONGEST_SILENCE))
        if vals["first_try_at"] + GIVEN_UP_AFTER <= as_of:
            vals["state"] = "given_up"
        return {**vals, "next_try_at": as_of + wait}

    def _prepare_try_vals(self, as_of):
        return {"attempts": self.attempts + 1, "first_try_at": self.first_try_at or as_of}

    @api.model
    def _count_as_tried(self, connection, last_error, as_of):
        """The partner could not be reached: that counts for everything that waits for it.

        :return: the rows that are given up.
        """
        waiting = [*self._waiting_domain(connection), ("next_try_at", "<=", as_of)]
        self.search([*waiting, ("first_try_at", "=", False)]).write({"first_try_at": as_of})
        given_up = self.search([*waiting, ("first_try_at", "<=", as_of - GIVEN_UP_AFTER)])
        given_up.write({"state": "given_up", "last_error": last_error})
        return given_up

    @api.model
    def _report(self, connection, modules, as_of):
        """Tell people what a partner has not got, one fact for each module; it ends when all was sent."""
        groups = self._read_group(
            [
                ("connection_id", "=", connection.id),
                ("module", "in", list(modules)),
                ("state", "in", ("failed", "given_up")),
            ],
            ["module"],
            ["__count", "id:max"],
        )
        journal = self.env["emsp.exception"]._in_language_of(connection.company_id)
        facts = [
            self._prepare_fact(journal, connection, module, count, self.browse(latest), as_of)
            for module, count, latest in groups
        ]
        journal._open_all(facts)
        for module in modules - {module for module, __, __ in groups}:
            journal._close("push_failed", fact_key(connection, module), as_of)

    @api.model
    def _prepare_fact(self, journal, connection, module, count, latest, as_of):
        return {
            "kind": "push_failed",
            "fact_key": fact_key(connection, module),
            "name": journal.env._(
                "%(partner)s did not take %(count)s of our messages (OCPI module %(module)s). The last one: "
                "%(error)s",
                partner=connection.partner_id.name or connection.name,
                count=count,
                module=module,
                error=latest.last_error or "-",
            ),
            "company_id": connection.company_id.id,
            "partner_id": connection.partner_id.id,
            "opened_at": as_of,
            "date": fields.Date.to_date(as_of),
        }


def fact_key(connection, module):
    return f"emsp.ocpi.push:{connection.id}:{module}"
