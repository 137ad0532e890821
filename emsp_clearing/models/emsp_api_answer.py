import hashlib
import hmac
from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

DAYS_KEPT = 30


class OtherRequestError(Exception):
    """The key came with another request before."""


class EmspApiAnswer(models.Model):
    """What the API answered to a request that came with an idempotency key.

    The row is written in the transaction of the request: it is there exactly if what was asked for was
    done. A refused request leaves none, and may come again.
    """

    _name = "emsp.api.answer"
    _description = "Answer of the API"
    _order = "id desc"

    partner_id = fields.Many2one("res.partner", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    key = fields.Char(required=True, readonly=True)
    request_hash = fields.Char(
        required=True, readonly=True, help="SHA-256 of method, path and body as they came."
    )
    http_status = fields.Integer(readonly=True)
    body = fields.Text(readonly=True)

    _once = models.UniqueIndex("(company_id, partner_id, key)")
    _age = models.Index("(create_date)")

    @api.model
    def _claim(self, company, partner, key, request_hash):
        """The row of a key; an empty one when it comes for the first time.

        :raise OtherRequestError: it came with another request.
        :raise ConcurrencyError: the same arrives twice at once; the caller is replayed.
        """
        row = self.search(
            [("company_id", "=", company.id), ("partner_id", "=", partner.id), ("key", "=", key)]
        )
        if row and not hmac.compare_digest(row.request_hash, request_hash):
            raise OtherRequestError
        return row or self._create_row(
            {
                "company_id": company.id,
                "partner_id": partner.id,
                "key": key,
                "request_hash": request_hash,
            }
        )

    @api.model
    def _create_row(self, vals):
        try:
            with self.env.cr.savepoint():
                return self.create(vals)
        except UniqueViolation as error:
            # The other row is not in our snapshot (REPEATABLE READ): only a replay can see it.
            raise ConcurrencyError(self.env._("The same request is being answered.")) from error

    @api.autovacuum
    def _gc_old(self):
        limit = fields.Datetime.now() - timedelta(days=DAYS_KEPT)
        self.search([("create_date", "<", limit)], limit=10_000).unlink()


def hash_request(method, path, body):
    """:param bytes body: as it came. :return: SHA-256 in hex."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()
