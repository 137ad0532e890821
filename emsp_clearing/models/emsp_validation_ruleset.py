from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import ormcache

from ..core.checks.ruleset import Ruleset
from .emsp_validation_rules import RULE_FIELDS


class EmspValidationRuleset(models.Model):
    """Which rules judge the CDRs of a company: one set for everyone, and sets of single partners.

    A partner's set replaces the company's whole. Each change makes a new version, which the findings name.
    """

    _name = "emsp.validation.ruleset"
    _description = "Rule set for CDRs"
    _inherit = ["emsp.validation.rules", "mail.thread"]
    _check_company_auto = True
    _order = "company_id, is_default desc, name, id"

    name = fields.Char(required=True, translate=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    partner_id = fields.Many2one(
        "res.partner",
        check_company=True,
        copy=False,
        index="btree_not_null",
        help="Whose CDRs it judges. Empty: those of all partners without a set of their own.",
    )
    is_default = fields.Boolean(compute="_compute_is_default", store=True, precompute=True)
    version = fields.Integer(readonly=True, copy=False, default=1, help="Each change of a rule makes one.")
    template_id = fields.Many2one(
        "emsp.validation.ruleset",
        string="Begin with",
        store=False,
        check_company=True,
        help="The rules of another set are taken over; they can be changed.",
    )
    difference_html = fields.Html(string="Other than the set for everyone", compute="_compute_difference")
    finding_count = fields.Integer(compute="_compute_finding_count")

    _default_unique = models.UniqueIndex(
        "(company_id) WHERE partner_id IS NULL", "This company has a rule set for everyone already."
    )
    _partner_unique = models.UniqueIndex(
        "(company_id, partner_id) WHERE partner_id IS NOT NULL", "This partner has a rule set already."
    )

    @api.depends("partner_id")
    def _compute_is_default(self):
        for ruleset in self:
            ruleset.is_default = not ruleset.partner_id

    @api.depends("partner_id", "company_id", *RULE_FIELDS)
    def _compute_difference(self):
        for ruleset in self:
            default = ruleset._default_of(ruleset.company_id)
            lines = default._describe_changes(ruleset._rule_values()) if ruleset.partner_id else []
            ruleset.difference_html = as_list(lines) if lines else False

    def _compute_finding_count(self):
        counts = dict(
            self.env["emsp.cdr.finding"]._read_group(
                [("ruleset_id", "in", self.ids)], ["ruleset_id"], ["__count"]
            )
        )
        for ruleset in self:
            ruleset.finding_count = counts.get(ruleset, 0)

    @api.constrains("partner_id")
    def _check_partner(self):
        for ruleset in self:
            partner = ruleset.partner_id
            if partner != partner.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "%(contact)s is a contact of %(company)s: make the rule set for %(company)s.",
                        contact=partner.name,
                        company=partner.commercial_partner_id.name,
                    )
                )

    @api.model
    def default_get(self, names):
        """A new set begins as the one for everyone."""
        defaults = super().default_get(names)
        default = self._default_of(self.env["res.company"].browse(defaults.get("company_id")))
        wanted = set(names) & set(RULE_FIELDS) if default else ()
        return {**defaults, **{name: default[name] for name in wanted}}

    @api.onchange("template_id")
    def _onchange_template(self):
        if self.template_id:
            self.update(self.template_id._rule_values())

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        changed = {}
        for ruleset in self if vals.keys() & set(RULE_FIELDS) else ():
            lines = ruleset._describe_changes(vals)
            if lines:
                changed[ruleset] = lines
        done = super().write(vals)
        for ruleset, lines in changed.items():
            super(EmspValidationRuleset, ruleset).write({"version": ruleset.version + 1})
            title = self.env._("Version %(version)s", version=ruleset.version)
            ruleset.message_post(body=Markup("<p>%s</p>%s") % (title, as_list(lines)))
        self.env.registry.clear_cache()
        return done

    @api.ondelete(at_uninstall=False)
    def _unlink_except_default(self):
        for ruleset in self.filtered("is_default"):
            raise UserError(
                self.env._(
                    "Rule set %(ruleset)s is for everyone and stays. Switch its rules off instead.",
                    ruleset=ruleset.name,
                )
            )

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    def action_view_findings(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "emsp_clearing.emsp_cdr_finding_action_ruleset"
        )
        return {**action, "domain": [("ruleset_id", "=", self.id)]}

    def action_try(self):
        """Change the rules on paper first, and see what becomes of past CDRs."""
        self.ensure_one()
        trial = self.env["emsp.validation.trial"].create(
            {"ruleset_id": self.id, "ruleset_version": self.version, **self._rule_values()}
        )
        return trial.get_formview_action()

    def action_view_quality(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_finding_report_action")
        return {**action, "domain": [("ruleset_id", "=", self.id)]}

    def _describe_changes(self, vals):
        """:param dict vals: new values, of rules and others. :return: list of texts, one for each change."""
        self.ensure_one()
        texts = []
        for name in RULE_FIELDS:
            if name in vals and vals[name] != self[name]:
                texts.append(
                    f"{self._label(name)}: {self._show(name, self[name])} → {self._show(name, vals[name])}"
                )
        return texts

    def _show(self, name, value):
        field = self._fields[name]
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        return f"{value:g}" if isinstance(value, float) else str(value)

    @api.model
    def _default_of(self, company):
        """The company's set for everyone."""
        return self.search([("company_id", "=", company.id), ("partner_id", "=", False)], limit=1)

    @api.model
    def _create_default(self, companies):
        # sudo: a company is made by administrators, who need no rights on rules
        names = [{"name": self.env._("For everyone"), "company_id": company.id} for company in companies]
        return self.sudo().create(names)

    @api.model
    def _create_missing_defaults(self):
        """For each company that has none; repeated at each update of the add-on."""
        having = self.search([("partner_id", "=", False)]).company_id
        self._create_default(self.env["res.company"].search([("id", "not in", having.ids)]))

    @api.model
    def _by_partner(self, company, partners):
        """The sets that judge the CDRs of these partners.

        :return: dict partner id -> (ruleset, core Ruleset).
        """
        chosen = self._choose(company, partners)
        core = {ruleset: Ruleset(ruleset._settings()) for ruleset in set(chosen.values())}
        return {partner_id: (ruleset, core[ruleset]) for partner_id, ruleset in chosen.items()}

    @api.model
    def _choose(self, company, partners):
        """:return: dict partner id -> ruleset; False stands for CDRs without a contract."""
        wanted = [False, *partners.commercial_partner_id.ids]
        found = self.search([("company_id", "=", company.id), ("partner_id", "in", wanted)])
        own = {ruleset.partner_id.id: ruleset for ruleset in found}
        chosen = {partner.id: own.get(partner.commercial_partner_id.id) or own[False] for partner in partners}
        return {False: own[False], **chosen}

    @api.model
    def _action_own(self, company, partner):
        """Open the partner's own set, which begins as the one for everyone."""
        partner = partner.commercial_partner_id
        ruleset = self._choose(company, partner)[partner.id]
        if not ruleset.partner_id:
            vals = {"name": partner.name, "company_id": company.id, "partner_id": partner.id}
            ruleset = self.create({**ruleset._rule_values(), **vals})
        return ruleset.get_formview_action()

    @api.model
    @ormcache("company_id")
    def _refuses_in(self, company_id):
        """Whether any set of the company refuses CDRs on arrival; most do not, and then nothing is asked."""
        for ruleset in self.search([("company_id", "=", company_id)]):
            if any(setting.action == "refuse" for setting in ruleset._settings().values()):
                return True
        return False


def as_list(lines):
    return Markup("<ul>%s</ul>") % Markup().join(Markup("<li>%s</li>") % line for line in lines)
