from collections import defaultdict
from datetime import UTC
from typing import NamedTuple
from zoneinfo import ZoneInfo

from odoo import models

from ..core.dispute_sheet import LANGUAGES, MAX_CELL_CHARS, MAX_DISPUTES
from ..core.money import from_float, to_float
from ..report.emsp_settlement_dispute_sheet import DisputeSheetHeader, DisputeSheetRow, build_dispute_sheet
from .emsp_dispute_opening import Complaint


class SheetPlan(NamedTuple):
    """What a sheet comes to. `problems`: row number -> sentence. `complaints`: emsp.cdr -> Complaint, of the
    rows without a problem."""

    sheet: object
    complaints: dict
    problems: dict
    numbers: dict

    @property
    def is_fine(self):
        return bool(self.complaints) and not self.problems


class EmspSettlementDisputeSheet(models.Model):
    """The list as a spreadsheet to dispute with, and what comes back."""

    _inherit = "emsp.settlement"

    def _dispute_sheet(self, cdrs):
        """:param cdrs: of the list, that the reader may see. :return: bytes of an .xlsx file."""
        self.ensure_one()
        lang = (self.env.lang or "en_US")[:2]
        header = DisputeSheetHeader(
            settlement=self.name,
            currency=self.currency_id.name,
            precision=int(self.price_precision),
            color=self.company_id.primary_color or "#1f3a4d",
            language=lang if lang in LANGUAGES else "en",
        )
        ordered = cdrs.sorted(lambda cdr: (cdr.session_start_at, cdr.ocpi_key))
        return build_dispute_sheet(header, map(self._dispute_sheet_row, ordered), self.env)

    def _dispute_sheet_row(self, cdr):
        zone = ZoneInfo(cdr.time_zone or self.time_zone)
        return DisputeSheetRow(
            cdr=cdr.ocpi_id,
            start=cdr.session_start_at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None),
            place=cdr.location_name or "",
            evse_id=cdr.evse_id or "",
            energy_kwh=from_float(cdr.energy_kwh, 4),
            net=from_float(cdr.amount_untaxed, int(self.price_precision)),
            state="" if cdr.state == "open" else cdr._state_label(cdr.state),
        )

    def _plan_disputes(self, sheet, cdrs, at):
        """Find the sessions of a sheet, and what stands against disputing them.

        :param sheet: core Sheet. :param cdrs: those of the list that the reader may see and is to pay for.
        :param datetime at: naive UTC. :return: SheetPlan.
        """
        self.ensure_one()
        by_name = defaultdict(cdrs.browse)
        for cdr in cdrs:
            by_name[cdr.ocpi_id.upper()] |= cdr
            by_name[cdr.ocpi_key.upper()] |= cdr
        complaints, problems, numbers = {}, {}, {}
        for row in sheet.rows:
            found = by_name.get(row.cdr.upper(), cdrs.browse())
            problem = self._sheet_row_problem(row, found, complaints)
            if problem:
                problems[row.number] = problem
                continue
            own = None if row.own_amount is None else to_float(row.own_amount)
            complaints[found] = Complaint(row.reason, row.comment, own)
            numbers[found] = row.number
        for cdr, problem in self.env["emsp.dispute"]._opening_problems(complaints, at).items():
            problems[numbers[cdr]] = problem.text
            del complaints[cdr]
        return SheetPlan(sheet, complaints, problems, {number: cdr for cdr, number in numbers.items()})

    def _sheet_row_problem(self, row, found, complaints):
        """:return: a sentence, or None."""
        if row.problem:
            return self._sheet_problem_text(row.problem)
        if not found:
            return self.env._("There is no session of this name on %(settlement)s.", settlement=self.name)
        if len(found) > 1:
            return self.env._("Several sessions have this id: write the OCPI key instead.")
        if found in complaints:
            return self._sheet_problem_text("twice")
        return None

    def _sheet_problem_text(self, code):
        texts = {
            "cdr_missing": self.env._("The id of the session is missing."),
            "reason_missing": self.env._("Choose the reason of the dispute."),
            "reason_unknown": self.env._("This reason is not known: choose one of the list."),
            "comment_long": self.env._(
                "The comment is longer than %(limit)s characters.", limit=MAX_CELL_CHARS
            ),
            "amount": self.env._("The own amount is from 0, with at most four decimals."),
            "twice": self.env._("The session is in the file already, further up."),
            # of the whole file
            "too_large": self.env._("The file is too large: it has 15 MB at most."),
            "unreadable": self.env._("This is no spreadsheet (.xlsx) or CSV file that can be read."),
            "hostile": self.env._("The file is not as spreadsheets are. Save it again and send that."),
            "no_heads": self.env._(
                "The columns are not found. Download the list below and fill in that file."
            ),
            "too_many_rows": self.env._("The file has too many rows. Keep only those that are disputed."),
            "too_many_disputes": self.env._(
                "At most %(count)s sessions are disputed at once. Divide the file.", count=MAX_DISPUTES
            ),
        }
        return texts[code]
