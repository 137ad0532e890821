"""Payload schemas of OCPI 2.3.0, as far as they differ from 2.2.1: money and a few code lists.

What is required follows `v221`: the text wants more than a CDR needs to be understood.
"""

from decimal import Decimal
from typing import Annotated

from . import v221
from .types import FOREIGN, NET, FieldError, codes

TAX_INCLUDED = ("N/A", "NO", "YES")  # 11.4.9
TOKEN_TYPES = (*v221.TOKEN_TYPES, "EMAID")  # 12.4.5
CONNECTOR_TYPES = (*v221.CONNECTOR_TYPES, "MCS", "SAE_J3400")  # 8.4.5


class Price(v221.Price):
    """An amount and its taxes (OCPI 2.3.0, Price); also understood: Price of 2.2.1."""

    before_taxes: Annotated[Decimal | None, NET] = None
    taxes: tuple[v221.TaxAmount, ...] | None = None
    after_taxes: Annotated[Decimal | None, FOREIGN] = None
    excl_vat: Annotated[Decimal | None, FOREIGN] = None
    incl_vat: Annotated[Decimal | None, FOREIGN] = None

    def amounts(self) -> tuple[Decimal, Decimal | None]:
        """:return: before taxes, and after them where the sender says so."""
        if self.before_taxes is not None:
            return self.before_taxes, self.total(self.before_taxes)
        if self.excl_vat is None:
            raise FieldError("before_taxes", "a number")
        return self.excl_vat, self.incl_vat


class PriceLimit(Price):
    """OCPI 2.3.0, 11.4.3; also understood: either Price."""

    before_taxes: Annotated[Decimal | None, NET] = None
    after_taxes: Decimal | None = None
    taxes: Annotated[tuple[v221.TaxAmount, ...] | None, FOREIGN] = None


Amount = Price | Decimal
Limit = PriceLimit | Decimal


class Tariff(v221.Tariff, kw_only=True):
    """OCPI 2.3.0, 11.3.1. `preauthorize_amount` is of the branch for payment terminals."""

    min_price: Limit | None = None
    max_price: Limit | None = None
    preauthorize_amount: Decimal | None = None
    tax_included: Annotated[str, codes(TAX_INCLUDED, due=True)] | None = None


class CdrToken(v221.CdrToken, kw_only=True):
    """OCPI 2.3.0, 10.4.5."""

    type: Annotated[str, codes(TOKEN_TYPES, due=True)] | None = None


class CdrLocation(v221.CdrLocation, kw_only=True):
    """OCPI 2.3.0, 10.4.4."""

    connector_standard: Annotated[str, codes(CONNECTOR_TYPES, due=True)] | None = None


class Cdr(v221.Cdr, kw_only=True):
    """OCPI 2.3.0, 10.3.1."""

    cdr_token: CdrToken
    cdr_location: CdrLocation
    tariffs: tuple[Tariff, ...] = ()
    total_cost: Amount
    total_fixed_cost: Amount | None = None
    total_energy_cost: Amount | None = None
    total_time_cost: Amount | None = None
    total_parking_cost: Amount | None = None
    total_reservation_cost: Amount | None = None
