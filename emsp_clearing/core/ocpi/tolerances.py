"""What a partner may do otherwise than OCPI says, so that its messages are taken all the same.

What OCPI itself asks of a receiver is no tolerance and always holds: unknown fields and codes are let
through, null is absent, instants without a zone are UTC (OCPI 2.2.1, 16.2).
"""

from typing import NamedTuple


class Tolerances(NamedTuple):
    """One switch each; by default what real partners need without doing harm.

    `text_numbers`: numbers as strings; in OCPI 2.1.1, whose own examples do it, they always may.
    `missing_values`: required values that an object can be understood without. `missing_owner`: an object
    that does not say whose it is: the URL or the connection does. `country_forms`: three letters where two
    are due, or two for three. `price_forms`: prices as another version of OCPI writes them.
    `long_texts`: texts over their documented length. `header_forms`: the token under another scheme than
    "Token", or under none.
    """

    text_numbers: bool = False
    missing_values: bool = True
    missing_owner: bool = True
    country_forms: bool = True
    price_forms: bool = True
    long_texts: bool = True
    header_forms: bool = False

    def refuses(self, code: str) -> bool:
        """Whether a deviation of this code is not to be taken."""
        return code in SWITCHES and not getattr(self, SWITCHES[code])

    @property
    def is_selective(self) -> bool:
        """Whether a payload that was decoded may still be refused; numbers and headers are not part of it."""
        return not all(getattr(self, name) for name in _PAYLOAD_SWITCHES)


SWITCHES = {
    "text_for_number": "text_numbers",
    "missing": "missing_values",
    "missing_owner": "missing_owner",
    "not_alpha_2": "country_forms",
    "not_alpha_3": "country_forms",
    "number_for_price": "price_forms",
    "price_for_number": "price_forms",
    "foreign_price": "price_forms",
    "too_long": "long_texts",
    "header_form": "header_forms",
}
"""Code of a deviation to the switch that it needs; other deviations need none."""

_PAYLOAD_SWITCHES = sorted(set(SWITCHES.values()) - {"text_numbers", "header_forms"})

DEFAULT = Tolerances()
STRICT = Tolerances(*(False for _ in Tolerances._fields))
LAX = Tolerances(*(True for _ in Tolerances._fields))
"""For what was taken before: it stays readable when a switch is turned off."""
