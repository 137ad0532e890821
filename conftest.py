"""What a whole run of Odoo's tests prepares once. The other stages run without that plugin."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def companies_with_charts(request):
    """Companies with their charts of accounts, kept in the database of the run: each class of tests would
    load one of its own, which takes longer than most of its tests."""
    if not request.config.pluginmanager.hasplugin("odoo"):
        return
    request.getfixturevalue("load_registry")
    from odoo.api import SUPERUSER_ID, Environment
    from odoo.modules.registry import Registry
    from odoo.tools import config

    from odoo.addons.emsp_clearing.tests.common import PREPARED_COMPANIES

    [database] = config["db_name"]
    with Registry(database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        for code, name in PREPARED_COMPANIES.items():
            if not env["res.company"].search_count([("name", "=", name)]):
                prepare_company(env, code, name)


def prepare_company(env, code, name):
    """:param str code: of the country of its chart; empty: the generic one, as in the United States."""
    charts = env["account.chart.template"]
    country = env["res.country"].search([("code", "=", code)]) if code else env["res.country"]
    vals = {"country_id": country.id, "currency_id": country.currency_id.id} if code else {}
    company = env["res.company"].create({"name": name, **vals})
    charts.try_loading(charts._guess_chart_template(country), company, install_demo=False)
    if code:
        company.currency_id = country.currency_id
    else:
        company.account_fiscal_country_id = env.ref("base.us")
