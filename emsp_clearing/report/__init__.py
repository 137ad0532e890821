import logging

# Set before WeasyPrint is imported: it reports each stylesheet it reads, each duplicate anchor, and
# fontTools each table it drops from an embedded font, pikepdf that it is there.
for _name in ("weasyprint", "weasyprint.progress", "fontTools", "pikepdf"):
    logging.getLogger(_name).setLevel(logging.ERROR)
