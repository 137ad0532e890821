from typing import NamedTuple

from odoo import api, fields, models

from .emsp_cdr_facts import Subject

# CDRs that one job rates, at most.
RATING_BATCH = 1000


class Appraisal(NamedTuple):
    """A CDR, priced and judged: the fields of both to store, and the findings as vals."""

    record: models.Model
    price: dict
    judgement: dict
    findings: list


class EmspCdrRating(models.Model):
    """From a received CDR to one that the partner sees, or that waits in quarantine."""

    _inherit = "emsp.cdr"

    def _job_rate(self):
        self._rate(fields.Datetime.now())

    @api.model
    def _job_rate_arrivals(self, connection):
        """Rate what a connection has posted and nobody else rates now."""
        domain = [("connection_id", "=", connection.id), ("state", "=", "received")]
        found = self.search([*domain, ("contract_id", "!=", False)], order="id", limit=RATING_BATCH)
        found.try_lock_for_update()._rate(fields.Datetime.now())
        if len(found) == RATING_BATCH:
            self.with_delay()._job_rate_arrivals(connection)

    def _rate(self, as_of):
        """Price and check the received CDRs and open them to the partner; what is held goes to quarantine.

        :param datetime as_of: naive UTC; the moment from which the partner can see them, where no
            former system had shown them already.
        """
        cdrs = self.filtered(lambda cdr: cdr.state == "received" and cdr.contract_id)
        for company in cdrs.company_id:
            of_company = cdrs.filtered(lambda cdr, c=company: cdr.company_id == c)
            of_company.filtered(lambda cdr: not cdr.is_credit)._rate_sessions(as_of)
            of_company.filtered("is_credit")._rate_credits(as_of)

    def _rate_sessions(self, as_of):
        """:param self: no credit CDRs, of one company."""
        held = self.browse()
        findings = []
        for cdr, price, judgement, found in self._appraise():
            cdr._store({**price, **judgement})
            findings += [{"cdr_id": cdr.id, "found_at": as_of, **finding} for finding in found]
            if is_held(found):
                held |= cdr
        self.env["emsp.cdr.finding"].create(findings)
        fine = self - held
        shown = fine.filtered("available_at")
        shown._update_state("open")
        (fine - shown)._update_state("open", available_at=as_of)
        held._update_state("quarantine")
        self._wake_credits()

    def _wake_credits(self):
        """A credit CDR that came before its original waits for it."""
        waiting = self.search(
            [
                ("company_id", "=", self.company_id.id),
                ("state", "=", "quarantine"),
                ("credited_ocpi_id", "in", self.mapped("ocpi_id")),
            ]
        )
        waiting._rate_credits(fields.Datetime.now())

    def _appraise(self):
        """Price and check CDRs of one company, with what is known of them now.

        :return: list of Appraisal.
        """
        company, cdrs = self.company_id, [cdr._received_cdr() for cdr in self]
        if not cdrs:
            return []
        context = self._find_context(company, cdrs)
        links = [
            record._vals_from_context(cdr, record.connection_id, context)
            for record, cdr in zip(self, cdrs, strict=True)
        ]
        # The time zone first: prices depend on it.
        for record, vals in zip(self, links, strict=True):
            record._store_changes(vals)
        tariffs = self.env["emsp.tariff"]._find_for(company, cdrs, context)
        cache = {}
        ratings = [
            record._price(cdr, sent, cache) for record, cdr, sent in zip(self, cdrs, tariffs, strict=True)
        ]
        subjects = [
            Subject(cdr, record.received_at, record.contract_id, record, rating.price)
            for record, cdr, rating in zip(self, cdrs, ratings, strict=True)
        ]
        verdicts = self._judge(company, subjects, context)
        return [
            Appraisal(
                record,
                rating.vals,
                verdict.vals,
                once([*rating.findings, *verdict.findings, *record._deviations()]),
            )
            for record, rating, verdict in zip(self, ratings, verdicts, strict=True)
        ]


def is_held(findings):
    """:param findings: vals."""
    return any(finding["severity"] in ("hold", "refuse") for finding in findings)


def once(findings):
    """Each code and path once: what stops the pricing may be a rule's matter too.

    :param findings: vals. :return: list of vals; the first of equals stays.
    """
    return list({(f["code"], f.get("path") or ""): f for f in reversed(findings)}.values())[::-1]
