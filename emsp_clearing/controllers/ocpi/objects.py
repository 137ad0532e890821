from odoo.http import request

from .dispatcher import Answer


def answer_put(is_new):
    """OCPI 2.2.1, 4.1.7: 201 for what is new, 200 for what is there."""
    return Answer(201 if is_new else 200)


def put_object(records, version, address):
    """Keep an object that the caller tells of.

    :param records: empty recordset of its model. :param dict address: of the URL.
    """
    ocpi = request.dispatcher
    __, is_new = records._put(ocpi.connection, version, address, ocpi.read_body(), ocpi.received_at)
    return answer_put(is_new)


def patch_object(records, version, address):
    """Change an object that the caller told of, see `put_object`."""
    ocpi = request.dispatcher
    records._patch(ocpi.connection, version, address, ocpi.read_body(), ocpi.received_at)
    return Answer()
