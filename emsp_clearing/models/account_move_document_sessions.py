import re

from odoo import models
from odoo.tools import formatLang

from ..core.money import ZERO, from_float, round_to_total, to_float

PLACES_SHOWN = 8


class AccountMoveDocumentSessions(models.Model):
    """What the printed clearing invoice says of the sessions that it bills."""

    _inherit = "account.move"

    def _get_document_sessions(self):
        """:return: dict of texts; empty for a document that bills no sessions."""
        [(count, energy)] = self._get_sessions_sudo()._read_group(
            self._get_session_domain(), aggregates=["__count", "energy_kwh:sum"]
        )
        if not count:
            return {}
        digest = self.emsp_list_hash or self._get_settlement_sudo().list_hash or ""
        energy = (energy or 0.0) * self._get_session_sign()
        return self._get_session_texts(
            count, energy, self._get_late_sessions(), self._annex_filename(), digest
        )

    def _get_session_texts(self, count, energy_kwh, late, annex, digest):
        texts = {
            "count": self._count(count),
            "energy": self._energy(energy_kwh),
            "late": self._count(late) if late else "",
            "annex": annex,
            "hash": digest,
        }
        texts["text"] = [self._get_annex_text(count, texts)]
        if late:
            texts["text"].append(
                self.env._(
                    "Sessions that ended in an earlier period and were received too late for its settlement: "
                    "%(count)s.",
                    count=texts["late"],
                )
            )
        return texts

    def _get_annex_text(self, count, texts):
        if count == 1:
            return self.env._(
                "The file %(file)s has the session (%(energy)s kWh) with place, charge point, time, energy, "
                "tariff and amounts. Its total is the total without tax of this document.",
                file=texts["annex"],
                energy=texts["energy"],
            )
        return self.env._(
            "The file %(file)s lists each of the %(count)s sessions (%(energy)s kWh) with place, charge "
            "point, time, energy, tariff and amounts. Its total is the total without tax of this "
            "document.",
            file=texts["annex"],
            count=texts["count"],
            energy=texts["energy"],
        )

    def _energy(self, energy_kwh):
        return formatLang(self.env, energy_kwh or 0.0, digits=3)

    def _get_place_rows(self, places="largest"):
        """Sessions by place, which sum to the net amount.

        :param places: "all" by name, the "largest" first and the rest as one row, or "none".
        :return: [{"name", "sessions", "energy", "amount", "brought", "carried"}], texts
        """
        if places == "none":
            return []
        rows = self._get_place_amounts()
        if places == "all":
            rows.sort(key=lambda row: _natural_key(row["name"]))
        else:
            rows = self._fold_places(rows)
        return self._carry_sums(
            [
                {
                    "name": row["name"],
                    "sessions": self._count(row["sessions"]),
                    "energy": self._energy(row["energy_kwh"]),
                    "amount": self._money(row["amount"]),
                    "net": from_float(row["amount"], self.currency_id.decimal_places),
                }
                for row in rows
            ]
        )

    def _get_place_amounts(self):
        """:return: [{"name", "sessions", "energy_kwh", "amount"}], the largest first."""
        groups = self._get_sessions_sudo()._read_group(
            self._get_session_domain(),
            ["location_name", "location_city"],
            ["__count", "energy_kwh:sum", "amount_untaxed:sum"],
        )
        digits, sign = self.currency_id.decimal_places, self._get_session_sign()
        shares = round_to_total(
            [from_float(amount or 0.0, 4) for *__, amount in groups],
            from_float(self.amount_untaxed * sign, digits) if groups else ZERO,
            digits,
        )
        rows = [
            {
                "name": ", ".join(filter(None, (name, city))) or "-",
                "sessions": sessions,
                "energy_kwh": (energy or 0.0) * sign,
                "amount": to_float(share * sign),
            }
            for (name, city, sessions, energy, __), share in zip(groups, shares, strict=True)
        ]
        return sorted(rows, key=lambda row: (-row["amount"], _natural_key(row["name"])))

    def _fold_places(self, rows):
        if len(rows) <= PLACES_SHOWN:
            return rows
        kept, rest = rows[: PLACES_SHOWN - 1], rows[PLACES_SHOWN - 1 :]
        other = {key: sum(row[key] for row in rest) for key in ("sessions", "energy_kwh", "amount")}
        return [*kept, {"name": self.env._("%(count)s other places", count=len(rest)), **other}]

    def _get_late_sessions(self):
        """:return: number of sessions that ended before the period and came too late for theirs; the credit
        of an invoiced session is none of them."""
        late = [("is_late", "=", True), ("is_credit", "=", False)]
        return self._get_sessions_sudo().search_count([*self._get_session_domain(), *late])

    def _get_session_sign(self):
        """A credit note says without a sign what its sessions, which are credits, take back."""
        return -1 if self.move_type == "out_refund" else 1

    def _get_sessions_sudo(self):
        # sudo: see _get_settlement_sudo
        return self.env["emsp.cdr"].sudo()

    def _get_session_domain(self):
        return [("move_id", "=", self.id)]


def _natural_key(name):
    """Sort key that has Gare 2 before Gare 10, and capitals with small letters."""
    # The parts are texts and digits in turn; the name itself decides between 1 and 01.
    parts = re.split(r"([0-9]+)", name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name
