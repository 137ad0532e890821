from odoo import http
from odoo.http import request

from ...core.ocpi.json_text import write_json
from ...core.ocpi.normalise import tariff_payload
from .dispatcher import Answer
from .objects import patch_object, put_object
from .paging import answer_texts, headers_of, read_page
from .routes import ocpi_route

OBJECT = "/<country_code>/<party_id>/<path:id>"


class OcpiTariffs(http.Controller):
    """Tariffs module (OCPI 2.2.1, 11.2): CPOs tell of theirs, eMSPs read what they pay us."""

    @ocpi_route("emsp", "tariffs", OBJECT, methods=["GET"])
    def get_tariff(self, version, **address):
        tariff = request.env["emsp.tariff"]._find(request.dispatcher.connection, address)
        return Answer(data_text=tariff._payload_in(version))

    @ocpi_route("emsp", "tariffs", OBJECT, methods=["PUT"])
    def put_tariff(self, version, **address):
        return put_object(request.env["emsp.tariff"], version, address)

    # Later versions have no change of a tariff, only a new one (OCPI 2.1.1, 11.2.2).
    @ocpi_route("emsp", "tariffs", OBJECT, methods=["PATCH"], versions="<any('2.1.1'):version>")
    def patch_tariff(self, version, **address):
        return patch_object(request.env["emsp.tariff"], version, address)

    @ocpi_route("emsp", "tariffs", OBJECT, methods=["DELETE"])
    def delete_tariff(self, version, **address):
        ocpi = request.dispatcher
        request.env["emsp.tariff"]._find(request.dispatcher.connection, address)._end(ocpi.received_at)
        return Answer()

    @ocpi_route("cpo", "tariffs", methods=["GET"])
    def get_tariffs(self, version):
        connection = request.dispatcher.connection
        query, page = read_page()
        tariffs = [
            tariff
            for tariff in request.env["emsp.tariff"]._offered_to(connection, request.dispatcher.received_at)
            if (not page.date_from or page.date_from <= tariff.last_updated)
            and (not page.date_to or tariff.last_updated < page.date_to)
        ]
        shown = tariffs[page.offset : page.offset + page.limit]
        texts = [write_json(tariff_payload(tariff, version)).decode() for tariff in shown]
        return answer_texts(texts, headers_of("cpo", "tariffs", version, query, page, len(tariffs)))
