"""Names of cells in the annex, by which a program finds them in any language and after sorting.

Where the sessions take several sheets, the columns of the second one have the names with `_2`, and so on.
"""

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
# Which settlement a session belongs to, and what the summary says of each, where one invoice bills several
OF_SETTLEMENT = "EMSP_OF_SETTLEMENT"
SETTLEMENTS = "EMSP_SETTLEMENTS"
READ = (*COLUMNS, OF_SETTLEMENT)


def name_on_sheet(name: str, part: int) -> str:
    """Of a column on the sheet number `part` of the sessions, from 1."""
    return name if part == 1 else f"{name}_{part}"
