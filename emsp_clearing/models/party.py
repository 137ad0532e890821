"""What contracts and connections share about OCPI parties: a country code and a party id."""

import re

from odoo.exceptions import ValidationError

FIELDS = ("country_code", "ocpi_party_id")
PATTERN = re.compile(r"[A-Z]{2}\*[A-Z0-9]{3}")


def upper(vals):
    """OCPI compares parties without case; one spelling lets an index find them."""
    return {
        name: value.strip().upper() if name in FIELDS and value else value for name, value in vals.items()
    }


def check(record):
    """As `check_name`, of the record's own fields."""
    check_name(record.env, f"{record.country_code}*{record.ocpi_party_id}")


def check_name(env, party):
    """:param str party: "FR*ABC". :raise ValidationError: it is none (OCPI 2.2.1, 4.1.8; eMI3)."""
    if not PATTERN.fullmatch(party):
        raise ValidationError(
            env._(
                "%(party)s is not an OCPI party: two letters of the country and three letters or "
                "digits of the party are expected, for example FR*ABC.",
                party=party,
            )
        )
