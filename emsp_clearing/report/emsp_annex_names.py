"""Names of cells in the annex, by which a program finds them in any language and after sorting."""

from openpyxl import Workbook
from openpyxl.utils import quote_sheetname
from openpyxl.workbook.defined_name import DefinedName

# Facts of the summary
SETTLEMENT = "EMSP_SETTLEMENT"
INVOICE = "EMSP_INVOICE"
LIST_HASH = "EMSP_LIST_HASH"
CHAIN_HEAD = "EMSP_CHAIN_HEAD"
COUNT = "EMSP_COUNT"
FACTS = (SETTLEMENT, INVOICE, LIST_HASH, CHAIN_HEAD, COUNT)
# Columns of the sessions
KEY = "EMSP_KEY"
PAYLOAD_HASH = "EMSP_PAYLOAD_HASH"
AMOUNT = "EMSP_AMOUNT"
ROW_HASH = "EMSP_ROW_HASH"
CHAIN_INDEX = "EMSP_CHAIN_INDEX"
CHAIN_BEFORE = "EMSP_CHAIN_BEFORE"
CHAIN_HASH = "EMSP_CHAIN_HASH"
COLUMNS = (KEY, PAYLOAD_HASH, AMOUNT, ROW_HASH, CHAIN_INDEX, CHAIN_BEFORE, CHAIN_HASH)


def name_cells(workbook: Workbook, sheet: str, cells: dict[str, str]) -> None:
    """`cells` of the sheet called `sheet`, by name: "$B$3", or "$B$2:$B$9" of a column."""
    for name, place in cells.items():
        workbook.defined_names[name] = DefinedName(name, attr_text=f"{quote_sheetname(sheet)}!{place}")
