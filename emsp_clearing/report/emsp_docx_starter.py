"""The sample template: a plain invoice in Word's format, to begin an own one with."""

import io

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt

LINE_COLUMNS = ("text", "quantity", "unit_price", "tax", "amount")
PLACE_COLUMNS = ("name", "sessions", "energy", "amount")


def labelled(label: str, placeholder: str) -> str:
    return f"{label}: {{{{ {placeholder} }}}}"


def build_starter(env) -> bytes:
    """:return: a .docx whose fixed words are in the language of `env`."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(20)
    section.top_margin = section.bottom_margin = Mm(20)
    style = document.styles["Normal"]
    style.font.name, style.font.size = "Lato", Pt(9.5)
    style.paragraph_format.space_after = Pt(2)
    section.footer.paragraphs[
        0
    ].text = "{{ issuer.name }} · {{ issuer.vat_label }} {{ issuer.vat }} · IBAN {{ bank.iban }}"
    document.core_properties.title = "{{ title }} {{ number }}"
    document.core_properties.author = "{{ issuer.name }}"
    document.add_paragraph("{{ logo }}")
    for text in (
        "{{ customer.name }}",
        "{%p for line in customer.address %}",
        "{{ line }}",
        "{%p endfor %}",
        "{{ customer.vat_label }} {{ customer.vat }}",
    ):
        document.add_paragraph(text)
    document.add_heading("{{ title }} {{ number }}", 1)
    _add_facts(document, env)
    heads = (env._("Description"), env._("Quantity"), env._("Unit price"), env._("Tax"), env._("Net amount"))
    _add_table(document, heads, "lines", LINE_COLUMNS)
    for text in (
        labelled(env._("Total without tax"), "net"),
        "{%p for tax in taxes %}",
        "{{ tax.name }} ({{ tax.base }}): {{ tax.amount }}",
        "{%p endfor %}",
        labelled(env._("Total"), "total"),
    ):
        document.add_paragraph(text).alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for text in (
        "{%p for mention in mentions %}",
        "{{ mention }}",
        "{%p endfor %}",
        "{%p if payment.amount %}",
        labelled(env._("Payment"), "payment.amount"),
        "IBAN {{ bank.iban }}, {{ payment.reference }}",
        "{{ payment_qr }}",
        "{%p endif %}",
    ):
        document.add_paragraph(text)
    document.add_heading(env._("Sessions by place"), 2)
    heads = (env._("Place"), env._("Sessions"), "kWh", env._("Net amount"))
    _add_table(document, heads, "places", PLACE_COLUMNS)
    document.add_paragraph("{{ sessions.annex }}")
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def _add_facts(document, env):
    facts = (
        (env._("Date"), "{{ date }}"),
        (env._("Due date"), "{{ date_due }}"),
        (env._("Settlement period"), "{{ period }}"),
        (env._("Contract"), "{{ contract }}"),
        (env._("Corrects invoice"), "{{ corrects }}"),
    )
    for label, placeholder in facts:
        name = placeholder.strip("{} ")
        document.add_paragraph(f"{{%p if {name} %}}")
        document.add_paragraph(f"{label}: {placeholder}")
        document.add_paragraph("{%p endif %}")


def _add_table(document, heads, rows, columns):
    """A table with a row for each of a list; the rows of the loop's own tags vanish."""
    table = document.add_table(rows=4, cols=len(heads), style="Light List Accent 1")
    table.cell(1, 0).text = f"{{%tr for row in {rows} %}}"
    table.cell(3, 0).text = "{%tr endfor %}"
    for index, (head, column) in enumerate(zip(heads, columns, strict=True)):
        table.cell(0, index).text = head
        table.cell(2, index).text = f"{{{{ row.{column} }}}}"
        if index:
            for row in (0, 2):
                table.cell(row, index).paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    # Word repeats the head on each page.
    properties = table.rows[0]._tr.get_or_add_trPr()
    properties.append(properties.makeelement(_tag("tblHeader"), {_tag("val"): "true"}))


def _tag(name):
    return f"{{http://schemas.openxmlformats.org/wordprocessingml/2006/main}}{name}"
