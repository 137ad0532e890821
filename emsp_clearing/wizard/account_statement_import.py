import zipfile
from io import BytesIO

from lxml import etree

from odoo import models
from odoo.exceptions import UserError

from ..core.mt940_statements import is_mt940


class AccountStatementImport(models.TransientModel):
    _inherit = "account.statement.import"

    def _parse_file(self, data_file):
        """EXTENDS account_statement_import_file: read MT940, refuse damaged XML, keep a zip's accounts apart.

        The CAMT importer reads with `recover`, so a file cut off half-way is booked as far as it goes;
        and it books all members of a zip on the account of the last one.

        :raise UserError: when the file is XML, but not well-formed; when it is MT940 that cannot be read.
        """
        if is_mt940(data_file):
            return self.env["account.statement.import.mt940.parser"].parse(data_file)
        members = self._xml_members(data_file)
        if self._is_xml(data_file):
            self._check_well_formed(data_file)
        if members or self._is_xml(data_file):
            # A mapping of columns, as the journal proposes it, is for other files.
            self.sheet_mapping_id = False
        if not members:
            return super()._parse_file(data_file)
        parsed = []
        for member in members:
            result = self._parse_file(member)
            parsed += result if isinstance(result, list) else [result]
        return parsed

    def _is_xml(self, data_file):
        return data_file.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")

    def _check_well_formed(self, data_file):
        # No entities and no network: the file comes from outside.
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        try:
            etree.fromstring(data_file, parser=parser)
        except etree.XMLSyntaxError as error:
            raise UserError(
                self.env._(
                    "The file %(file)s is damaged (%(error)s). Nothing was imported. "
                    "Download it again from the bank.",
                    file=self.statement_filename or "",
                    error=error.msg,
                )
            ) from error

    def _xml_members(self, data_file):
        """:return: contents of a zip of XML files; empty when the file is something else (also .xlsx)."""
        if not data_file.startswith(b"PK") or not zipfile.is_zipfile(BytesIO(data_file)):
            return []
        with zipfile.ZipFile(BytesIO(data_file)) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if "[Content_Types].xml" in names or not all(name.lower().endswith(".xml") for name in names):
                return []
            return [archive.read(name) for name in names]
