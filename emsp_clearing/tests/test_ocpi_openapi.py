import re
from itertools import product

from odoo.tests import tagged

from .http_common import EmspHttpCommon

URL = "/ocpi/openapi.json"
METHODS = ("get", "post", "put", "patch", "delete")


@tagged("post_install", "-at_install")
class TestOcpiOpenapi(EmspHttpCommon):
    def description(self):
        response = self.url_open(URL)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers["Content-Type"], "application/json; charset=utf-8")
        return response.json()

    def rules(self):
        """The OCPI rules of Odoo's routing map, but the one for all that no other takes."""
        rules = self.env["ir.http"].routing_map().iter_rules()
        return [
            rule
            for rule in rules
            if rule.endpoint.routing["type"] == "ocpi" and rule.endpoint.routing["methods"] is not None
        ]

    def served(self):
        """:return: set of (method, path of an example) of every rule."""
        return {
            (method.lower(), path)
            for rule in self.rules()
            for path in examples(rule.rule)
            for method in rule.endpoint.routing["methods"]
        }

    def test_anybody_reads_the_description_and_it_names_no_partner(self):
        description = self.description()
        self.assertEqual(description["openapi"], "3.1.0")
        self.assertEqual(description["servers"], [{"url": self.company.get_base_url()}])
        text = self.url_open(URL).text
        for secret in (self.token, self.partner.name, self.company.name):
            self.assertNotIn(secret, text)

    def test_other_methods_stay_ocpi(self):
        self.assertAnswer(self.ocpi("POST", URL, data=b"{}"), 405, 2000, "GET")

    def test_every_route_is_described(self):
        described = {
            (method, re.compile(re.sub(r"{\w+}", "[^/]+", path) + "$"))
            for path, operations in self.description()["paths"].items()
            for method in operations
        }
        for method, path in self.served():
            with self.subTest(method=method, path=path):
                self.assertTrue(any(name == method and each.match(path) for name, each in described))

    def test_every_described_method_is_served(self):
        paths = self.description()["paths"]
        adapter = self.env["ir.http"].routing_map().bind("")
        for path, operations in paths.items():
            for method in operations:
                with self.subTest(method=method, path=path):
                    rule, __ = adapter.match(
                        re.sub(r"{\w+}", "AB", path), method=method.upper(), return_rule=True
                    )
                    self.assertIn(method.upper(), rule.endpoint.routing["methods"] or ())

    def test_each_side_is_told_what_the_description_has(self):
        paths = self.description()["paths"]
        for version in ("2.1.1", "2.2.1", "2.3.0"):
            told = self.ocpi_get(f"/ocpi/{version}").json()["data"]["endpoints"]
            for endpoint in told:
                path = endpoint["url"].split("/ocpi/", 1)[1]
                with self.subTest(path=path):
                    self.assertTrue(any(each.startswith(f"/ocpi/{path}") for each in paths))

    def test_references_have_a_target(self):
        description = self.description()
        schemas = description["components"]["schemas"]
        for reference in re.findall(r"#/components/schemas/([^\"']+)", str(description)):
            self.assertIn(reference, schemas)


def examples(rule):
    """The paths of a rule: one for each choice, and example ids for the rest.

    A key of a CDR has three parts.
    """
    rule = rule.replace("<path:key>", "FR/RVR/1")
    parts = re.split(r"<([^>]+)>", rule)
    choices = [
        re.findall(r"'([^']+)'", part) or ["AB"] if index % 2 else [part] for index, part in enumerate(parts)
    ]
    return ["".join(chosen) for chosen in product(*choices)]
