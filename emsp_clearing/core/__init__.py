"""Pricing, periods, life cycles and invoice lines in pure Python: no Odoo, I/O, clock or float."""
