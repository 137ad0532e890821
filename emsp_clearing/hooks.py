def post_init(env):
    """Companies that have their accounts already get their clearing journal; later ones with the chart."""
    for company in env["res.company"].search([("chart_template", "!=", False)]):
        if company._needs_clearing_journal():
            company._ensure_clearing_journal()
