"""Own templates in Word's format: what one may hold, its placeholders, and its filling in.

A template is a stranger's program: it is taken apart before it is kept, and filled in with plain texts
by a sandbox that knows placeholders, loops and conditions, and nothing else.
"""

import io
import re
import zipfile

from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from jinja2 import ChainableUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml import etree

MAX_FILE = 5 * 1024 * 1024
# What the package may hold unpacked: pictures and all, and the texts alone.
MAX_UNPACKED = 50 * 1024 * 1024
MAX_XML = 10 * 1024 * 1024
MAX_PARTS = 500
RELATIONSHIPS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
INSTRUCTION = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}instrText"
SIMPLE_FIELD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}fldSimple"
FIELD_CODE = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}instr"
# Fields that fetch another file when the document is opened, and what would bring a foreign one in.
FETCHING = re.compile(r"\b(INCLUDE\w*|IMPORT|LINK|DDE|DDEAUTO|RD|DATABASE|EMBED)\b", re.IGNORECASE)
FOREIGN = ("aFChunk", "oleObject", "package", "control", "vbaProject", "attachedTemplate", "subDocument")
FILTERS = {"upper", "lower", "title", "join", "length", "default", "first", "last"}
# Of a loop.
LOOP = {"index": "1", "first": "", "last": "", "length": "1"}
HARMLESS = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Keyword,
)
PICTURE_HEIGHT = {"logo": Mm(20), "payment_qr": Mm(28)}


class TemplateFault(ValueError):
    """A template that is not taken. `code` says why, `detail` where or what."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code, self.detail = code, detail


class Picture:
    """A picture's place in the text. What draws it is out of the template's reach."""

    def __init__(self, image: object) -> None:
        self._image = image

    def __html__(self) -> str:
        return str(self._image)


class PlaceholderEnvironment(ImmutableSandboxedEnvironment):
    """Takes what is in `schema`, and remembers in `unknown` what is not.

    :param schema: the placeholders, as nested dicts, lists and texts.
    """

    def __init__(self, schema: dict) -> None:
        super().__init__(autoescape=True, undefined=ChainableUndefined)
        self.globals.clear()
        self.schema = schema
        self.unknown: set[str] = set()

    def _parse(self, source, name, filename):
        # Each part of the document passes here, whichever way the library takes it.
        tree = super()._parse(source, name, filename)
        self._visit(tree, self.schema)
        return tree

    def _visit(self, node, scope, in_loop=False):
        """:return: the sample value that an expression stands for, "" where it is a text."""
        if isinstance(node, nodes.For):
            self._visit_loop(node, scope, in_loop)
        elif isinstance(node, nodes.Name):
            return self._find(scope, node.name, node.name)
        elif isinstance(node, nodes.Getattr | nodes.Getitem):
            return self._visit_member(node, scope)
        elif isinstance(node, nodes.Filter):
            if node.name not in FILTERS:
                raise TemplateFault("forbidden", f"|{node.name}")
            self._visit_children(node, scope, in_loop)
        elif isinstance(node, HARMLESS):
            self._visit_children(node, scope, in_loop)
        else:
            raise TemplateFault("forbidden", type(node).__name__.lower())
        return ""

    def _visit_children(self, node, scope, in_loop):
        for child in node.iter_child_nodes():
            self._visit(child, scope, in_loop)

    def _visit_loop(self, node, scope, in_loop):
        # A loop within a loop over a thousand lines would be a million rows.
        if in_loop and not isinstance(node.iter, nodes.Getattr):
            raise TemplateFault("nested")
        if not isinstance(node.target, nodes.Name) or node.recursive or node.test:
            raise TemplateFault("forbidden", "for")
        rows = self._visit(node.iter, scope)
        row = rows[0] if isinstance(rows, list) and rows else ""
        inner = {**scope, node.target.name: row, "loop": LOOP}
        for child in [*node.body, *node.else_]:
            self._visit(child, inner, in_loop=True)

    def _visit_member(self, node, scope):
        owner = self._visit(node.node, scope)
        if isinstance(node, nodes.Getitem):
            if not isinstance(node.arg, nodes.Const):
                raise TemplateFault("forbidden", "[...]")
            key = node.arg.value
        else:
            key = node.attr
        return self._find(owner, key, f"{_path(node.node)}.{key}")

    def _find(self, owner, key, path):
        if isinstance(owner, list) and isinstance(key, int):
            return owner[0] if owner else ""
        if isinstance(owner, dict) and key in owner:
            return owner[key]
        self.unknown.add(path)
        return {}


def _path(node) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{_path(node.node)}.{node.attr}"
    return "…"


def check_template(data: bytes, schema: dict) -> None:
    """:raise TemplateFault: when the file is no harmless template, or asks for what there is not."""
    _check_package(data)
    environment = PlaceholderEnvironment(schema)
    try:
        _fill(data, conform(schema, schema), {}, environment)
    except TemplateFault:
        raise
    except TemplateSyntaxError as error:
        raise TemplateFault("syntax", error.message or "") from error
    # Word's own parser and Jinja's speak in many ways; whatever cannot be filled in is not kept.
    except Exception as error:
        raise TemplateFault("broken", str(error)[:200]) from error
    if environment.unknown:
        raise TemplateFault("unknown", ", ".join(sorted(environment.unknown)))


def fill_template(data: bytes, document: dict, pictures: dict, schema: dict) -> bytes:
    """:param document: the values, by the names of `schema`; others are left out.
    :param pictures: {"logo" or "payment_qr": PNG or JPEG bytes}
    :return: the filled-in .docx
    """
    return _fill(data, conform(document, schema), pictures, PlaceholderEnvironment(schema))


def _fill(data: bytes, context: dict, pictures: dict, environment: PlaceholderEnvironment) -> bytes:
    template = DocxTemplate(io.BytesIO(data))
    for name, height in PICTURE_HEIGHT.items():
        content = pictures.get(name)
        image = content and InlineImage(template, io.BytesIO(content), height=height)
        context[name] = Picture(image) if image else ""
    template.render(context, jinja_env=environment)
    output = io.BytesIO()
    template.save(output)
    return output.getvalue()


def conform(value: object, schema: object) -> object:
    """The value in the schema's shape: texts, lists and dicts of them, "" where there is nothing."""
    if isinstance(schema, dict):
        values = value if isinstance(value, dict) else {}
        return {key: conform(values.get(key), inner) for key, inner in schema.items()}
    if isinstance(schema, list):
        values = value if isinstance(value, list) else []
        return [conform(item, schema[0] if schema else "") for item in values]
    return str(value) if value else ""


def _check_package(data: bytes) -> None:
    if len(data) > MAX_FILE:
        raise TemplateFault("size")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
            # A part is read no further than the size it states.
            texts = [part for part in parts if part.filename.endswith((".xml", ".rels"))]
            if (
                len(parts) > MAX_PARTS
                or sum(part.file_size for part in parts) > MAX_UNPACKED
                or sum(part.file_size for part in texts) > MAX_XML
            ):
                raise TemplateFault("expansion")
            if "word/document.xml" not in package.namelist():
                raise TemplateFault("not_docx")
            for part in texts:
                _check_part(part.filename, package.read(part))
    except (zipfile.BadZipFile, etree.XMLSyntaxError, NotImplementedError, RuntimeError) as error:
        raise TemplateFault("not_docx") from error


def _check_part(name: str, content: bytes) -> None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    root = etree.fromstring(content, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise TemplateFault("not_docx")
    for relationship in root.iter(RELATIONSHIPS):
        kind = relationship.get("Type", "").rsplit("/", 1)[-1]
        if kind in FOREIGN or (relationship.get("TargetMode") == "External" and kind != "hyperlink"):
            raise TemplateFault("foreign", kind)
    # Word splits a field's code over several runs.
    codes = "".join(element.text or "" for element in root.iter(INSTRUCTION))
    codes += " ".join(element.get(FIELD_CODE, "") for element in root.iter(SIMPLE_FIELD))
    if found := FETCHING.search(codes):
        raise TemplateFault("foreign", found.group())
