"""What a whole run of Odoo's tests prepares once. The other stages run without that plugin."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def company_with_chart(request):
    """A company with its chart of accounts, kept in the database of the run: each class of tests would
    load one of its own, which takes longer than most of its tests."""
    if not request.config.pluginmanager.hasplugin("odoo"):
        return
    request.getfixturevalue("load_registry")
    from odoo.api import SUPERUSER_ID, Environment
    from odoo.modules.registry import Registry
    from odoo.tools import config

    from odoo.addons.emsp_clearing.tests.common import PREPARED_COMPANY

    [database] = config["db_name"]
    with Registry(database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        if not env["res.company"].search_count([("name", "=", PREPARED_COMPANY)]):
            company = env["res.company"].create({"name": PREPARED_COMPANY})
            env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
            company.account_fiscal_country_id = env.ref("base.us")
