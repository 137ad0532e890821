from odoo import api, models


class ResPartnerDocument(models.Model):
    _inherit = "res.partner"

    def _get_document_address(self):
        """:return: the lines of the address as its country writes it, without the name."""
        self.ensure_one()
        address = self._display_address(without_company=True)
        return [line.strip() for line in address.splitlines() if line.strip()]

    def _get_document_vat(self):
        """:return: dict of texts: `vat_label`, `vat`, and `vat_text` of both, empty where there is none."""
        self.ensure_one()
        label = self.country_id.vat_label or self.env._("VAT number")
        return {"vat_label": label, "vat": self.vat or "", "vat_text": self._label_text(label, self.vat)}

    def _get_document_registry(self):
        """:return: dict of texts, as `_get_document_vat`: `registry_label`, `registry`, `registry_text`."""
        self.ensure_one()
        label, number = self._get_registry_label(), self.company_registry
        return {
            "registry_label": label,
            "registry": number or "",
            "registry_text": self._label_text(label, number),
        }

    def _get_registry_label(self):
        if self.country_code == "FR":
            names = {9: "SIREN", 14: "SIRET"}
            name = names.get(sum(char.isdigit() for char in self.company_registry or ""))
            if name:
                return name
        return self.company_registry_label or ""

    @api.depends_context("lang")
    def _compute_company_registry_label(self):
        # EXTENDS base, whose cache does not tell languages apart
        return super()._compute_company_registry_label()

    def _label_text(self, label, text):
        # A term, because French has a space before the colon.
        return self.env._("%(label)s: %(text)s", label=label, text=text) if text else ""
