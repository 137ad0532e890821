from emsp_core.mentions import fill, unknown_placeholders


def test_known_placeholders_are_filled():
    text = "From %(date_from)s to %(date_to)s."
    assert fill(text, {"date_from": "1 Oct", "date_to": "31 Oct"}) == "From 1 Oct to 31 Oct."


def test_percent_signs_of_the_text_stay():
    assert fill("100 % of %(legal_basis)s, 5%d", {"legal_basis": "A"}) == "100 % of A, 5%d"


def test_half_a_sentence_is_none():
    assert fill("By %(legal_basis)s.", {"legal_basis": ""}) == ""


def test_value_is_not_looked_at_again():
    assert fill("%(buyer_vat)s", {"buyer_vat": "%(seller_vat)s", "seller_vat": "x"}) == "%(seller_vat)s"


def test_unknown_and_open_placeholders_are_named():
    assert unknown_placeholders("%(date_from)s 10 %") == []
    assert unknown_placeholders("%(password)s %(env.cr)s") == ["password", "%("]
    assert unknown_placeholders("%(date_from") == ["%("]
