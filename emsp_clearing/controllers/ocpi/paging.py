"""What the modules share: answers, and lists in pages."""

from datetime import timedelta

from odoo.fields import Domain
from odoo.http import request

from ...core.ocpi.paging import page_headers, parse_page
from .dispatcher import Answer
from .endpoints import module_url

# Objects in a page, at most; a CDR with signed meter data has some 10 kB.
MAX_PAGE = 100


def answer_texts(texts, headers=()):
    """:param texts: JSON texts, which become a list."""
    return Answer(data_text=f"[{', '.join(texts)}]", headers=headers)


def answer_page(side, module, version, records, domain, field_names, instants=("last_updated",)):
    """One page of the records that the caller may see, each as `_payload_in` the version.

    :param records: empty recordset of the model.
    :param field_names: what `_payload_in` reads: fetched with the page.
    :param instants: as of `updated_in`.
    :raise PayloadError: the query cannot be read.
    """
    query, page = read_page()
    domain = Domain(domain) & updated_in(page, instants)
    found = records.search_fetch(domain, field_names, offset=page.offset, limit=page.limit, order="id")
    if "location_connector_id" in field_names:
        found.location_connector_id._read_places(version)
    total = records.search_count(domain)
    texts = [record._payload_in(version) for record in found]
    return answer_texts(texts, headers_of(side, module, version, query, page, total))


def read_page():
    """:return: (the query's parameters, Page). :raise PayloadError: invalid_field."""
    query = request.httprequest.args.to_dict()
    return query, parse_page(query, maximum=MAX_PAGE)


def headers_of(side, module, version, query, page, total):
    url = request.dispatcher.absolute_url(module_url(side, version, module))
    return tuple(page_headers(url, query, page, total=total, maximum=MAX_PAGE).items())


def updated_in(page, instants):
    """Domain of what was updated from `date_from` (included) to `date_to` (not included).

    Seconds are stored whole: a part of one may bring an object twice, and never misses it.

    :param instants: names of fields; an object belongs to every window that one of them is in.
    """
    return Domain.OR(_is_in(page, name) for name in instants)


def _is_in(page, name):
    domain = Domain.TRUE
    if page.date_from:
        domain &= Domain(name, ">=", page.date_from.replace(tzinfo=None, microsecond=0))
    if page.date_to:
        end = page.date_to.replace(tzinfo=None)
        if end.microsecond:
            end = end.replace(microsecond=0) + timedelta(seconds=1)
        domain &= Domain(name, "<", end)
    return domain
