"""Signed meter values: every curve, every byte, every key; keys are made here."""

import json
from base64 import b64encode
from dataclasses import replace
from decimal import Decimal

import pytest
from charging import period, session
from checking import codes, judge
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from emsp_core.checks.facts import Facts
from emsp_core.checks.ocmf import OcmfError, find_text, read_key, read_record

CURVES = {
    "ECDSA-secp256k1-SHA256": ec.SECP256K1(),
    "ECDSA-secp192r1-SHA256": ec.SECP192R1(),
    "ECDSA-secp256r1-SHA256": ec.SECP256R1(),
    "ECDSA-brainpool256r1-SHA256": ec.BrainpoolP256R1(),
    "ECDSA-secp384r1-SHA256": ec.SECP384R1(),
    "ECDSA-brainpool384r1-SHA256": ec.BrainpoolP384R1(),
}
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
CDR = session(period(60, energy="10"), meter_id="M-7")

# As meters write it: their own white space, numbers with the digits of the display.
READINGS = """[{"TM": "2026-10-05T10:00:00,000+0200 S", "TX":"B",
  "RV":%s,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"},
 {"TM":"2026-10-05T11:00:00,000+0200 S","TX":"E","RV":%s}]"""


def payload(readings):
    return f'{{"FV":"1.0", "MS":"M-7","PG":"T1","RD":{readings}}}'


def metered(begin="2935.600", end="2945.600"):
    return payload(READINGS % (begin, end))


def signed(text, key=KEY, **seal):
    """A whole record. `seal`: members of its signature section; SE tells how the signature is written."""
    signature = key.sign(text.encode(), ec.ECDSA(SHA256()))
    data = b64encode(signature).decode() if seal.get("SE") == "base64" else signature.hex()
    return f"OCMF|{text}|{json.dumps({**seal, 'SD': data})}"


def spki(key, form="base64"):
    if form == "pem":
        return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der.hex() if form == "hex" else b64encode(der).decode()


def holding(*texts, key=KEY, cdr=CDR, **members):
    values = [{"nature": "Transaction", "signed_data": text} for text in texts]
    sent = {"encoding_method": "OCMF", "signed_values": values, **members}
    if key:
        sent["public_key"] = spki(key)
    return replace(cdr, signed_data=sent)


def based(text):
    return b64encode(text.encode()).decode()


# --- signatures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", CURVES)
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_signature_on_every_curve_and_in_both_encodings(algorithm, encoding):
    key = ec.generate_private_key(CURVES[algorithm])
    text = signed(metered(), key, SA=algorithm, SE=encoding)
    assert codes("signed_data", holding(text, key=key)) == []
    for form in (encoding, "pem"):
        assert codes("signed_data", holding(text, key=None), Facts(meter_key=spki(key, form))) == []
    tampered = text.replace("2945.600", "2945.601")
    assert codes("signed_data", holding(tampered, key=key)) == ["signature_invalid"]


def test_default_algorithm_and_encoding_may_be_left_out():
    assert codes("signed_data", holding(signed(metered()))) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"FV":"1.0", ', '"FV":"1.0",'),
        lambda text: text.replace("2945.600", "2945.6000"),
        lambda text: text.replace("M-7", "M-8"),
        lambda text: text.replace('"E"', '"R"'),
    ],
)
def test_any_changed_byte_breaks_the_signature(change):
    text = change(signed(metered()))
    found = judge("signed_data", holding(text))
    assert [(finding.code, finding.path) for finding in found] == [
        ("signature_invalid", "signed_data.signed_values[0]")
    ]


def test_key_of_another_meter_breaks_the_signature():
    assert codes("signed_data", holding(signed(metered()), key=OTHER_KEY)) == ["signature_invalid"]
    on_other_curve = ec.generate_private_key(ec.SECP384R1())
    assert codes("signed_data", holding(signed(metered()), key=on_other_curve)) == ["signature_invalid"]


def test_registered_key_rules_over_the_one_that_came_along():
    forged = holding(signed(metered(), OTHER_KEY), key=OTHER_KEY)
    assert codes("signed_data", forged) == []
    assert codes("signed_data", forged, Facts(meter_key=spki(KEY))) == ["signature_invalid"]
    genuine = holding(signed(metered()), key=OTHER_KEY)
    assert codes("signed_data", genuine, Facts(meter_key=spki(KEY, "hex"))) == []


def test_texts_come_plain_or_in_base64_or_as_plain_data():
    text = signed(metered())
    assert codes("signed_data", holding(based(text))) == []
    assert find_text("", text) == find_text(None, based(text)) == find_text("b3RoZXI=", text) == text
    assert find_text("other", 7, None) is None


@pytest.mark.parametrize("key", [None, " ", "not a key", "00", "MFkw", 7])
def test_missing_or_broken_key_is_not_judged(key):
    expected = "key_unreadable" if key in ("not a key", "00", "MFkw") else "key_missing"
    assert codes("signed_data", holding(signed(metered()), key=None, public_key=key)) == expected


@pytest.mark.parametrize("algorithm", ["ECDSA-secp192k1-SHA256", "ECDSA-secp256r1-SHA512", "RSA", 5])
def test_unsupported_algorithm_is_not_judged(algorithm):
    text = signed(metered(), SA=algorithm)
    assert codes("signed_data", holding(text)) == "signature_algorithm_unsupported"


@pytest.mark.parametrize(
    "sent",
    [
        {"encoding_method": "ALFEN", "signed_values": [{"signed_data": "AP;0;3;ALCV3ABB"}]},
        {"encoding_method": "OCMF", "signed_values": []},
        {"encoding_method": "OCMF", "signed_values": "text"},
        {"encoding_method": "OCMF", "signed_values": [None, 7, {"signed_data": None}]},
        {"note": "nothing of OCPI"},
    ],
)
def test_other_formats_are_not_judged(sent):
    assert codes("signed_data", replace(CDR, signed_data=sent)) == "signed_format_unsupported"


@pytest.mark.parametrize(
    "text",
    [
        "OCMF|",
        "OCMF|{}",
        "OCMF|{}|{}",
        "OCMF|[]|{}",
        'OCMF|{}|{"SD": "xyz"}',
        'OCMF|{}|{"SD": "00", "SE": "base32"}',
        'OCMF|{}|{"SD": 7}',
        'OCMF|{"RD": 7}|{"SD": "00"}',
        'OCMF|{"RD": [7]}|{"SD": "00"}',
        'OCMF|{"RD": [{"RV": "7", "RU": "kWh"}]}|{"SD": "00"}',
        'OCMF|{"RD": [{"RV": 1e999999, "RU": "kWh"}]}|{"SD": "00"}',
        "OCMF|" + "[" * 100000 + '|{"SD": "00"}',
    ],
)
def test_broken_record_is_a_finding(text):
    with pytest.raises(OcmfError):
        read_record(text)
    (finding,) = judge("signed_data", holding(text))
    assert finding.code == "signed_data_unreadable"
    assert finding.found


def test_signature_that_is_no_der_is_invalid():
    assert codes("signed_data", holding(f'OCMF|{metered()}|{{"SD": "00ff"}}')) == ["signature_invalid"]


def test_key_in_lines_is_read():
    text = spki(KEY)
    assert read_key(f"{text[:60]}\n{text[60:]}\n").curve.name == "secp256r1"


# --- energy ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "begin, end, total, expected",
    [
        ("2935.600", "2945.600", "10", []),
        # one digit of the display
        ("2935.600", "2945.600", "10.001", []),
        ("2935.600", "2945.600", "10.0011", ["signed_energy_mismatch"]),
        ("2935.600", "2945.600", "9.999", []),
        ("2935.600", "2945.600", "9.9989", ["signed_energy_mismatch"]),
        ("2935.6", "2945.6", "10.1", []),
        ("2935.6", "2945.6", "10.11", ["signed_energy_mismatch"]),
        ("2935", "2945", "11", []),
        ("2935", "2945.6", "11.7", ["signed_energy_mismatch"]),
        ("2935", "2945.6", "11.6", []),
        ("2945.600", "2935.600", "10", ["signed_energy_mismatch"]),
    ],
)
def test_energy_is_that_of_the_readings(begin, end, total, expected):
    cdr = replace(CDR, total_energy=Decimal(total))
    assert codes("signed_data", holding(signed(metered(begin, end)), cdr=cdr)) == expected


def test_mismatch_tells_both_energies_and_the_digit():
    (finding,) = judge("signed_data", holding(signed(metered("1.00", "12.25"))))
    assert (finding.expected, finding.found, finding.tolerance) == ("11.25 kWh", "10 kWh", "0.01 kWh")


def test_watt_hours_are_counted_as_such():
    text = payload(READINGS % (2935600, 2945601)).replace("kWh", "Wh")
    assert codes("signed_data", holding(signed(text))) == []
    assert codes("signed_data", holding(signed(text.replace("2945601", "2945602")))) == [
        "signed_energy_mismatch"
    ]


def reading(kind, value, register="1-b:1.8.0", **more):
    return {"TX": kind, "RV": value, "RI": register, "RU": "kWh", "ST": "G", **more}


def read(*readings):
    return signed(payload(json.dumps(readings)))


def test_begin_and_end_may_be_two_records():
    begin, end = read(reading("B", 5)), read(reading("L", 15))
    assert codes("signed_data", holding(begin, end)) == []
    # The whole text is repeated for each nature.
    both = read(reading("B", 5), reading("E", 15))
    assert codes("signed_data", holding(both, both)) == []


@pytest.mark.parametrize("end", "ELRAP")
def test_every_kind_of_end_is_one(end):
    assert codes("signed_data", holding(read(reading("B", 5), reading("C", 9), reading(end, 15)))) == []


@pytest.mark.parametrize(
    "register",
    ["1-b:1.8.0", "1-0:1.8.0*198", "01-00:98.08.00.FF", "01-0B:01.08.00*FF", "01-00:B3.08.00*FF", ""],
)
def test_registers_of_imported_energy(register):
    text = read(reading("B", 5, register), reading("E", 17, register))
    assert codes("signed_data", holding(text)) == ["signed_energy_mismatch"]


@pytest.mark.parametrize("register", ["1-b:2.8.0", "01-00:C1.08.00*FF", "01-00:00.08.06*FF", "text"])
def test_other_registers_say_nothing(register):
    text = read(reading("B", 5, register), reading("E", 17, register))
    assert codes("signed_data", holding(text)) == "signed_energy_missing"


def test_one_of_several_registers_is_what_was_charged():
    mains = [reading("B", 5, "01-00:B0.08.00*FF"), reading("E", 16, "01-00:B0.08.00*FF")]
    device = [reading("B", 0, "01-00:B3.08.00*FF"), reading("E", 10, "01-00:B3.08.00*FF")]
    assert codes("signed_data", holding(read(*mains, *device))) == []


@pytest.mark.parametrize("more", [{"ST": "F"}, {"ST": "M"}, {"EF": "E"}, {"EF": "Et"}])
def test_reading_that_the_meter_does_not_vouch_for(more):
    text = read(reading("B", 5), reading("E", 15, **more))
    assert codes("signed_data", holding(text)) == ["signed_reading_unusable"]


def test_error_of_the_clock_alone_leaves_the_energy():
    assert codes("signed_data", holding(read(reading("B", 5, EF="t"), reading("E", 15)))) == []


@pytest.mark.parametrize("kinds", ["BC", "CE", "CC"])
def test_begin_or_end_that_is_missing_is_not_judged(kinds):
    text = read(reading(kinds[0], 5), reading(kinds[1], 15))
    assert codes("signed_data", holding(text)) == "signed_energy_missing"


# --- meter_key, signed_data_required -------------------------------------------------------------------


def test_key_that_came_along_alone_is_told():
    (finding,) = judge("meter_key", holding(signed(metered())))
    assert (finding.code, finding.path, finding.found) == (
        "key_not_registered",
        "signed_data.public_key",
        "M-7",
    )
    assert codes("meter_key", holding(signed(metered())), Facts(meter_key=spki(KEY))) == []
    assert codes("meter_key", holding(signed(metered()), key=None)) == []
    assert codes("meter_key", CDR) == []


def test_signed_data_may_be_required():
    assert codes("signed_data", CDR) == []
    assert codes("signed_data_required", CDR) == ["signed_data_absent"]
    assert codes("signed_data_required", holding(signed(metered()))) == []
