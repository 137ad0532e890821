"""HTML to PDF/A-3a by WeasyPrint, and the Factur-X declaration of a finished PDF.

No network: a document may use `data:` URLs and the static files of installed add-ons.
"""

import io
import mimetypes
from urllib.parse import unquote, urlsplit

import pydyf
from lxml import etree
from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

from odoo.tools import file_open
from odoo.tools.pdf import (
    DecodedStreamObject,
    NameObject,
    NumberObject,
    OdooPdfFileReader,
    OdooPdfFileWriter,
    create_string_object,
)

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
FACTURX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
PDFA_EXTENSION = "http://www.aiim.org/pdfa/ns/extension/"
FACTURX_FILE = "factur-x.xml"
XPACKET_BEGIN = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
XPACKET_END = b'\n<?xpacket end="w"?>'
# Paths of a template, such as /web/static/..., are resolved against it.
STATIC_BASE = "file:///"


class StaticFetcher(URLFetcher):
    """`data:` URLs and /<add-on>/static/ files; anything else is refused."""

    def __init__(self):
        super().__init__(allowed_protocols=("data",))

    def fetch(self, url, headers=None):
        parts = urlsplit(url)
        if parts.scheme != "file":
            return super().fetch(url, headers)
        path = unquote(parts.path).lstrip("/")
        if path.split("/")[1:2] != ["static"]:
            raise ValueError(f"expected a static file of an add-on, got {url}")
        with file_open(path, "rb") as file:
            body = file.read()
        content_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        return URLFetcherResponse(url, body, {"Content-Type": content_type})


def render_pdf(html: str) -> bytes:
    """One document as PDF/A-3a: tagged for screen readers, with the title of `<title>` and the language
    of `<html lang>`."""
    document = HTML(string=html, base_url=STATIC_BASE, url_fetcher=StaticFetcher())
    return document.write_pdf(pdf_variant="pdf/a-3a", uncompressed_pdf=True, finisher=_compress_streams)


def _compress_streams(_document, pdf: pydyf.PDF) -> None:
    """Contents and fonts compressed, as WeasyPrint does by default, but no object streams: PyPDF2, by
    which Odoo embeds the e-invoice, would read through one for each of the many objects in it."""
    for part in pdf.objects:
        # An image may have a filter of its own.
        if isinstance(part, pydyf.Stream) and "Filter" not in part.extra:
            part.compress = True


def declare_facturx(pdf: bytes, declaration: bytes, documents=()) -> bytes:
    """Declare the embedded factur-x.xml in the XMP metadata, where a reader looks for its profile, and
    attach the supporting documents that the XML names.

    `declaration` is an `x:xmpmeta` element; its Factur-X properties, and the PDF/A extension schema
    that describes them, move into the document's own `rdf:RDF`. A PDF without the file, or with a
    declaration, comes back as it is. Of `documents` (SupportingDocument) those with a content are attached.
    Source: Factur-X 1.0, section 6.2.2; PDF/A-3 (ISO 19005-3), 6.6.2.3 and 6.8.
    """
    reader = OdooPdfFileReader(io.BytesIO(pdf), strict=False)
    writer = OdooPdfFileWriter()
    writer.cloneReaderDocumentRoot(reader)
    root = writer._root_object
    packet = root["/Metadata"].get_object().get_data()
    filespec = _find_attachment(root, FACTURX_FILE)
    if filespec is None or FACTURX.encode() in packet:
        return pdf
    # The XML says the same as the pages: "Alternative", which German recipients require.
    xml = _describe_attachment(filespec, "/Alternative", "Factur-X invoice")
    for document in documents:
        if document.content is not None:
            _attach(writer, document)
    metadata = DecodedStreamObject()
    metadata.set_data(_merge_descriptions(packet, declaration, _profile(xml)))
    metadata.update(
        {NameObject("/Type"): NameObject("/Metadata"), NameObject("/Subtype"): NameObject("/XML")}
    )
    root[NameObject("/Metadata")] = writer._add_object(metadata)
    # The writer starts with an empty information dictionary, and some viewers read only that.
    writer.add_metadata({"/Title": _title(packet)})
    # PDF/A-3 is based on PDF 1.7; the writer would keep its own default.
    writer._header = b"%PDF-1.7"
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def _find_attachment(root, name: str):
    for filespec in root.get("/AF") or ():
        if filespec.get_object().get("/F") == name:
            return filespec.get_object()
    return None


def _attach(writer, document):
    """A supporting document (BG-24): "Supplement" is what completes the pages and is none of them."""
    writer.addAttachment(document.name, document.content)
    filespec = _find_attachment(writer._root_object, document.name)
    _describe_attachment(filespec, "/Supplement", document.description)
    # Set here, because the writer drops a media type with a dot in it.
    filespec["/EF"]["/F"].get_object()[NameObject("/Subtype")] = NameObject(f"/{document.mimetype}")
    _sort_names(writer._root_object["/Names"]["/EmbeddedFiles"]["/Names"])


def _sort_names(names):
    """A name tree is searched by bisection (ISO 32000-1, 7.9.6); the writer appends to it."""
    pairs = sorted(zip(names[::2], names[1::2], strict=True), key=lambda pair: pair[0])
    names[:] = [part for pair in pairs for part in pair]


def _describe_attachment(filespec, relationship: str, description: str) -> bytes:
    """Correct what the embedding left wrong (a size is a number), and return the file's content."""
    file = filespec["/EF"]["/F"].get_object()
    content = file.get_data()
    filespec[NameObject("/AFRelationship")] = NameObject(relationship)
    filespec[NameObject("/Desc")] = create_string_object(description)
    # Optional, and to be 16 bytes; what stands there is their hexadecimal text.
    file["/Params"].pop("/CheckSum", None)
    file["/Params"][NameObject("/Size")] = NumberObject(len(content))
    return content


def _profile(xml: bytes) -> str:
    """The conformance level that the invoice itself names, in the words of the XMP schema."""
    guideline = etree.fromstring(xml, _parser()).find(".//{*}GuidelineSpecifiedDocumentContextParameter")
    urn = guideline.findtext("{*}ID")
    level = urn.rsplit(":", 1)[-1].upper()
    return {"2017": "EN 16931", "BASICWL": "BASIC WL"}.get(level, level)


def _title(packet: bytes) -> str:
    title = etree.fromstring(packet, _parser()).find(f".//{{{DC}}}title")
    return "" if title is None else "".join(title.itertext()).strip()


def _merge_descriptions(packet: bytes, declaration: bytes, profile: str) -> bytes:
    document = etree.fromstring(packet, _parser())
    target = document.find(f".//{{{RDF}}}RDF")
    for description in etree.fromstring(declaration, _parser()).iter(f"{{{RDF}}}Description"):
        namespaces = {etree.QName(child).namespace for child in description}
        if namespaces & {FACTURX, PDFA_EXTENSION}:
            for level in description.iter(f"{{{FACTURX}}}ConformanceLevel"):
                level.text = profile
            target.append(description)
    body = etree.tostring(document, encoding="utf-8")
    return XPACKET_BEGIN + body + XPACKET_END


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, remove_pis=True)
