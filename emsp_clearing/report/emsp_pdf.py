"""HTML to PDF/A-3a by WeasyPrint, and the e-invoice embedded in a finished PDF.

No network: a document may use `data:` URLs and the static files of installed add-ons.
"""

import atexit
import gc
import io
import mimetypes
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import unquote, urljoin, urlsplit

import pikepdf
import pydyf
from lxml import etree
from pikepdf.models.metadata import encode_pdf_date
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from odoo.tools import file_open

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FACTURX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
PDFA_EXTENSION = "http://www.aiim.org/pdfa/ns/extension/"
FACTURX_FILE = "factur-x.xml"
XPACKET_BEGIN = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
XPACKET_END = b'\n<?xpacket end="w"?>'
# Paths of a template, such as /web/static/..., are resolved against it.
STATIC_BASE = "file:///"
# Sets of style sheets, each with its fonts: a layout per company, and what is being tried out.
STYLES_KEPT = 8


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
    # Pango's fonts are not for several threads at once, and Python would run but one of them.
    with _rendering, _collecting_later():
        styles = _get_styles(_take_sources(document))
        return document.write_pdf(
            stylesheets=styles.sheets,
            font_config=styles.fonts,
            pdf_variant="pdf/a-3a",
            uncompressed_pdf=True,
            finisher=_compress_streams,
        )


@contextmanager
def _collecting_later():
    """Without the garbage collector: it finds nothing while all boxes of a document are in use, and looks
    through all that Odoo holds each time."""
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()


class _Styles:
    """Style sheets as WeasyPrint has parsed them, with the fonts that they name; most documents share them.

    :param sources: pairs of "url" or "string", and its value, in order.
    """

    def __init__(self, sources):
        self.fonts = FontConfiguration()
        self.sheets = [
            CSS(**{kind: value}, base_url=STATIC_BASE, url_fetcher=StaticFetcher(), font_config=self.fonts)
            for kind, value in sources
        ]


_rendering = threading.Lock()
_get_styles = lru_cache(maxsize=STYLES_KEPT)(_Styles)
# The libraries behind the fonts end before Python gives up what it still holds.
atexit.register(_get_styles.cache_clear)


def _take_sources(document: HTML) -> tuple[tuple[str, str], ...]:
    """The style sheets of a document, taken out of it, as _Styles wants them."""
    sources = []
    for wrapper in document.wrapper_element.query_all(
        'link[rel="stylesheet"][href^="/"]:not([media])', "style:not([media])"
    ):
        element = wrapper.etree_element
        if element.tag == "link":
            sources.append(("url", urljoin(STATIC_BASE, element.get("href"))))
        else:
            sources.append(("string", element.text or ""))
        # No style sheet for WeasyPrint any more.
        element.set("type", "text/plain")
    return tuple(sources)


def _compress_streams(_document, pdf: pydyf.PDF) -> None:
    """Contents and fonts compressed, as WeasyPrint does by default, but no object streams: PyPDF2, by
    which Odoo merges documents, would read through one for each of the many objects in it."""
    for part in pdf.objects:
        # An image may have a filter of its own.
        if isinstance(part, pydyf.Stream) and "Filter" not in part.extra:
            part.compress = True


def placeholder_pdf() -> bytes:
    """An empty page, for Odoo to embed an e-invoice into: see `embedded_facturx`."""
    output = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(output)
    return output.getvalue()


def embedded_facturx(pdf: bytes) -> bytes | None:
    """The factur-x.xml that is embedded in a PDF."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        found = document.attachments.get(FACTURX_FILE)
        return found and found.get_file().read_bytes()


def embed_facturx(pdf: bytes, xml: bytes, declaration: bytes, documents=()) -> bytes:
    """Embed the XML of an e-invoice, declare it in the XMP metadata, where a reader looks for its profile,
    and attach the supporting documents that the XML names.

    `declaration` is an `x:xmpmeta` element; its Factur-X properties, and the PDF/A extension schema
    that describes them, move into the document's own `rdf:RDF`. Of `documents` (SupportingDocument) those
    with a content are attached.
    Source: Factur-X 1.0, section 6.2.2; PDF/A-3 (ISO 19005-3), 6.6.2.3 and 6.8.
    """
    output = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as target:
        # The XML says the same as the pages: "Alternative", which German recipients require.
        _attach(target, FACTURX_FILE, xml, "text/xml", "/Alternative", "Factur-X invoice")
        for document in documents:
            if document.content is not None:
                # "Supplement" is what completes the pages and is none of them (BG-24).
                _attach(
                    target,
                    document.name,
                    document.content,
                    document.mimetype,
                    "/Supplement",
                    document.description,
                )
        packet = target.Root.Metadata.read_bytes()
        target.Root.Metadata = pikepdf.Stream(
            target,
            _merge_descriptions(packet, declaration, _profile(xml)),
            Type=pikepdf.Name.Metadata,
            Subtype=pikepdf.Name.XML,
        )
        # PDF/A-3 is based on PDF 1.7. No object streams: see _compress_streams.
        target.save(
            output,
            force_version="1.7",
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            fix_metadata_version=False,
        )
    return output.getvalue()


def _attach(target, name: str, content: bytes, mimetype: str, relationship: str, description: str):
    filespec = pikepdf.AttachedFileSpec(
        target,
        content,
        filename=name,
        description=description,
        mime_type=mimetype,
        mod_date=encode_pdf_date(datetime.now(UTC)),
        relationship=pikepdf.Name(relationship),
    )
    # Associated with the document as a whole (/AF), too.
    target.attachments[name] = filespec


def _profile(xml: bytes) -> str:
    """The conformance level that the invoice itself names, in the words of the XMP schema."""
    guideline = etree.fromstring(xml, _parser()).find(".//{*}GuidelineSpecifiedDocumentContextParameter")
    urn = guideline.findtext("{*}ID")
    level = urn.rsplit(":", 1)[-1].upper()
    return {"2017": "EN 16931", "BASICWL": "BASIC WL"}.get(level, level)


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
