import logging

# Set before WeasyPrint is imported: it reports each stylesheet it reads, each duplicate anchor, and
# fontTools each table it drops from an embedded font.
for _name in ("weasyprint", "weasyprint.progress", "fontTools"):
    logging.getLogger(_name).setLevel(logging.ERROR)
