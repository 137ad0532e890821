import errno
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang

from ..core.chain import sorted_list_hash
from ..core.money import from_float, round_money
from ..report.emsp_annex import MIMETYPE, AnnexFiles, AnnexHeader, CsvChoice, write_annex
from ..report.emsp_annex_manifest import manifest

PARQUET = "application/vnd.apache.parquet"
# What is made of the annex, by its name in the portal: field, ending, MIME type.
DOCUMENTS = {
    "annex": ("emsp_annex_file", "_sessions.xlsx", MIMETYPE),
    "annex_csv": ("emsp_annex_csv_file", "_sessions.csv", "text/csv"),
    "annex_parquet": ("emsp_annex_parquet_file", "_sessions.parquet", PARQUET),
    "annex_segments_csv": ("emsp_annex_segments_csv_file", "_segments.csv", "text/csv"),
    "annex_segments_parquet": ("emsp_annex_segments_parquet_file", "_segments.parquet", PARQUET),
    "annex_findings_csv": ("emsp_annex_findings_csv_file", "_findings.csv", "text/csv"),
    "annex_findings_parquet": ("emsp_annex_findings_parquet_file", "_findings.parquet", PARQUET),
    "annex_manifest": ("emsp_annex_manifest_file", "_sessions.json", "application/json"),
}
DELIMITERS = {"comma": ",", "semicolon": ";"}


class AccountMoveAnnex(models.Model):
    """The session annex of an invoice, and the proof that both agree."""

    _inherit = "account.move"

    emsp_annex_file = fields.Binary(string="Session Annex File", attachment=True, copy=False)
    emsp_annex_csv_file = fields.Binary(string="Session Annex as CSV", attachment=True, copy=False)
    emsp_annex_parquet_file = fields.Binary(string="Session Annex as Parquet", attachment=True, copy=False)
    emsp_annex_segments_csv_file = fields.Binary(string="Price Segments as CSV", attachment=True, copy=False)
    emsp_annex_segments_parquet_file = fields.Binary(
        string="Price Segments as Parquet", attachment=True, copy=False
    )
    emsp_annex_findings_csv_file = fields.Binary(string="Findings as CSV", attachment=True, copy=False)
    emsp_annex_findings_parquet_file = fields.Binary(
        string="Findings as Parquet", attachment=True, copy=False
    )
    emsp_annex_manifest_file = fields.Binary(string="Manifest of the Annex", attachment=True, copy=False)
    emsp_annex_id = fields.Many2one(
        "ir.attachment",
        string="Session Annex",
        compute="_compute_emsp_annex_id",
    )
    emsp_list_hash = fields.Char(
        string="SHA-256 of the Session List",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Over the sessions that this document bills; both sides can compute it.",
    )

    def _compute_emsp_annex_id(self):
        self._compute_linked_attachment_id("emsp_annex_id", "emsp_annex_file")

    def action_download_emsp_annex(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self.emsp_annex_id.id}?download=true",
            "target": "download",
        }

    def _get_fields_to_detach(self):
        # EXTENDS account: what is made again when the invoice goes back to draft
        return super()._get_fields_to_detach() + [field for field, *__ in DOCUMENTS.values()]

    def _annex_documents(self):
        """:return: dict of DOCUMENTS -> ir.attachment, of those that were made."""
        self.ensure_one()
        of_field = {field: name for name, (field, *__) in DOCUMENTS.items()}
        attachments = self.env["ir.attachment"].search(
            [("res_model", "=", self._name), ("res_id", "=", self.id), ("res_field", "in", [*of_field])]
        )
        found = {of_field[attachment.res_field]: attachment for attachment in attachments}
        return {name: found[name] for name in DOCUMENTS if name in found}

    def _annex_attachments_to_mail(self):
        """The spreadsheet, and the other files where a contract wants them."""
        documents = self._annex_documents()
        annex = documents.get("annex", self.env["ir.attachment"])
        # What the sessions' contracts want takes a look at all sessions.
        if not documents.keys() - {"annex"}:
            return annex
        # sudo: see _get_settlement_sudo
        if not any(self.sudo()._annex_settlements().contract_id.mapped("annex_mails_all")):
            return annex
        return self.env["ir.attachment"].union(*documents.values())

    def _sum_of_sessions(self):
        """:return: the document's net amount from its CDRs, exact, signed as they are."""
        document = self if self.emsp_settlement_id else self.reversed_entry_id
        # sudo: see _get_settlement_sudo
        return self.env["emsp.cdr"].sudo()._sum_of(document._annex_domain())

    def _check_annex_total(self, total):
        """:param Decimal total: net amount of the sessions, signed as they are.
        :raise UserError: when the untaxed amount is not that total, rounded to the currency.
        """
        self.ensure_one()
        digits = self.currency_id.decimal_places
        invoiced = from_float(self.amount_untaxed, digits)
        expected = round_money(total, digits) * (-1 if self.move_type == "out_refund" else 1)
        if invoiced != expected:
            error = UserError(
                self.env._(
                    "Invoice %(invoice)s cannot be posted: it amounts to %(invoiced)s before tax, "
                    "but the sessions of settlement %(settlement)s sum to %(expected)s. "
                    "Take back what was changed on its lines.",
                    invoice=self.display_name,
                    invoiced=formatLang(self.env, float(invoiced), currency_obj=self.currency_id),
                    settlement=self._get_settlement_sudo().name,
                    expected=formatLang(self.env, float(expected), currency_obj=self.currency_id),
                )
            )
            # An attribute and no class of its own: the web client shows a dialog for those it knows alone.
            error.emsp_kind = "annex_mismatch"
            raise error

    def _emsp_attach_annex(self):
        """Make the session annex of posted settlement invoices that have none yet.

        A draft is passed over: it has no number to print, and gets its annex when it is posted.
        :raise UserError: when the rows do not add up to the invoice, or the disk is full.
        """
        # Computed from attachments, which come and go without its knowing.
        self.invalidate_recordset(["emsp_annex_id"])
        for move in self.filtered(lambda m: m.emsp_settlement_id and m.state == "posted"):
            if not move.emsp_annex_id:
                # sudo: whoever may post the invoice makes its annex, as account does with the PDF.
                move.sudo().with_context(lang=move.partner_id.lang)._make_annex()
        self.invalidate_recordset(["emsp_annex_id", *(field for field, *__ in DOCUMENTS.values())])

    def _make_annex(self):
        total = self._sum_of_sessions()
        self._check_annex_total(total)
        header = self._annex_header()
        with self._explaining_failures(), TemporaryDirectory(prefix="emsp_annex_") as folder:
            files, csv = self._annex_files(Path(folder))
            rows = self._annex_rows(total, header.tax)
            sheets = self._annex_details()
            tally = write_annex(files, header, rows, sheets, self.env, csv)
            self._check_annex_total(tally.whole.net)
            made = files_made(files, sheets)
            if len(made) > 1:
                named = [(self._annex_filename(name), path) for name, path in made.items()]
                made["annex_manifest"] = files.folder / "manifest"
                made["annex_manifest"].write_bytes(manifest(header, tally.whole.net, named))
            for name, path in made.items():
                self.env["ir.attachment"]._create_from_file(path, self._prepare_annex_vals(name))
        self.emsp_list_hash = header.list_hash

    @contextmanager
    def _explaining_failures(self):
        """:raise UserError: for what a person can mend: the settlement then waits with that reason."""
        try:
            yield
        except (ValueError, OSError) as error:
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            reason = self.env._("the disk is full. Free some space") if full else str(error)
            raise UserError(
                self.env._(
                    "The session annex of %(invoice)s cannot be made: %(reason)s.",
                    invoice=self.display_name,
                    reason=reason,
                )
            ) from error

    def _annex_files(self, folder):
        """:return: (AnnexFiles, CsvChoice) as the contracts of the sessions want them."""
        contracts = self._annex_settlements().contract_id
        with_csv = contracts.filtered("annex_csv")[:1]
        files = AnnexFiles(
            folder=folder,
            xlsx=folder / "xlsx",
            csv=folder / "csv" if with_csv else None,
            parquet=folder / "parquet" if any(contracts.mapped("annex_has_parquet")) else None,
        )
        return files, CsvChoice(DELIMITERS.get(with_csv.annex_csv, ","), with_csv.annex_csv_mark)

    def _annex_header(self):
        """:return: AnnexHeader of the document; amounts signed like the rows."""
        company, partner = self.company_id, self.commercial_partner_id
        sign = -1 if self.move_type == "out_refund" else 1
        digits = self.currency_id.decimal_places
        cdrs = self.env["emsp.cdr"]
        return AnnexHeader(
            company=company.name,
            company_vat=company.vat or "",
            partner=partner.name,
            partner_vat=partner.vat or "",
            settlements=[settlement._annex_settlement() for settlement in self._annex_settlements()],
            invoice_number=self.name or "",
            invoice_date=self.invoice_date,
            currency=self.currency_id.name,
            precision=self._annex_precision(),
            untaxed=from_float(self.amount_untaxed, digits) * sign,
            tax=from_float(self.amount_tax, digits) * sign,
            sessions=cdrs.search_count(self._annex_domain()),
            list_hash=sorted_list_hash(cdrs._sealed_rows_of(self._annex_domain())),
            color=company.primary_color or "#1f3a4d",
        )

    def _prepare_annex_vals(self, document):
        field, __, mimetype = DOCUMENTS[document]
        return {
            "name": self._annex_filename(document),
            "mimetype": mimetype,
            "res_model": self._name,
            "res_id": self.id,
            "res_field": field,
        }

    def _annex_filename(self, document="annex"):
        return f"{(self.name or '').replace('/', '_')}{DOCUMENTS[document][1]}"


def files_made(files, sheets):
    """:return: dict of DOCUMENTS -> path, in their order."""
    made = {"annex": files.xlsx, "annex_csv": files.csv, "annex_parquet": files.parquet}
    for sheet in sheets:
        if sheet.for_programs:
            beside = files.of_detail(sheet.key)
            made |= {f"annex_{sheet.key}_csv": beside.csv, f"annex_{sheet.key}_parquet": beside.parquet}
    return {name: made[name] for name in DOCUMENTS if made.get(name)}
