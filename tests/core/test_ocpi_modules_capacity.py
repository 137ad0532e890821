"""What a connector can deliver, by what its operator tells of it."""

from decimal import Decimal

import pytest
from emsp_core.ocpi.peer_objects import Connector


@pytest.mark.parametrize(
    ("power_type", "volts", "amperes", "watts", "expected"),
    [
        # Told
        ("DC", 920, 400, 150000, "150.000"),
        (None, None, None, 22080, "22.080"),
        # 230 x 32, then times 2 and 3
        ("AC_1_PHASE", 230, 32, None, "7.360"),
        ("AC_2_PHASE", 230, 32, None, "14.720"),
        ("AC_2_PHASE_SPLIT", 240, 40, None, "9.600"),
        ("AC_3_PHASE", 230, 32, None, "22.080"),
        ("ac_3_phase", 230, 32, None, "22.080"),
        # 3 x 400 x 32 / 1.7320508 and 3 x 380 x 16 / 1.7320508
        ("AC_3_PHASE", 400, 32, None, "22.170"),
        ("AC_3_PHASE", 380, 16, None, "10.531"),
        # Just beyond: taken at its word
        ("AC_3_PHASE", 401, 10, None, "12.030"),
        ("AC_3_PHASE", 379, 10, None, "11.370"),
        ("AC_1_PHASE", 400, 10, None, "4.000"),
        ("DC", 500, 125, None, "62.500"),
        ("DC", 500, 125, 0, "62.500"),
        ("DC", 500, 125, -1, "62.500"),
        # Not told
        ("DC", None, 125, None, None),
        ("DC", 500, 0, None, None),
        ("DC", -500, -10, None, None),
        ("MAGIC", 230, 32, None, None),
        (None, 230, 32, None, None),
        (None, None, None, 0, None),
    ],
)
def test_capacity_of_a_connector(power_type, volts, amperes, watts, expected):
    def number(value):
        return None if value is None else Decimal(value)

    connector = Connector(
        id="1",
        power_type=power_type,
        max_voltage=number(volts),
        max_amperage=number(amperes),
        max_electric_power=number(watts),
    )
    assert connector.capacity_kw == number(expected)
    assert expected is None or str(connector.capacity_kw) == expected


def test_capacity_of_the_largest_numbers_is_counted():
    huge = Decimal(10) ** 20
    connector = Connector(id="1", power_type="AC_3_PHASE", max_voltage=huge, max_amperage=huge)
    assert connector.capacity_kw == 3 * Decimal(10) ** 37
