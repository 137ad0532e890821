"""An OCPI platform by others (the package py_ocpi), in a process of its own and with libraries of its own.

    .odoo/peer/bin/python tests/e2e/foreign_peer --role CPO --party NL*FCP --port 8123

The package brings the endpoints, the schemas and a client that pushes. Here is what it leaves to its users, a
store, and /control, by which the tests tell it what to have and ask it what it has.
"""

import argparse
import os

import uvicorn


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--role", choices=("CPO", "EMSP"), required=True)
    parser.add_argument("--party", required=True, help="country code and party id, for example NL*FCP")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    country_code, party_id = options.party.split("*")
    # The package reads these when it is imported.
    os.environ.update(
        OCPI_HOST=f"127.0.0.1:{options.port}",
        PROTOCOL="http",
        COUNTRY_CODE=country_code,
        PARTY_ID=party_id,
    )
    from application import make_application

    uvicorn.run(make_application(options.role), host="127.0.0.1", port=options.port, log_level="warning")


main()
