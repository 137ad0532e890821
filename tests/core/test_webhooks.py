from emsp_core.webhooks import sign


def test_signature_is_hmac_sha256_over_timestamp_full_stop_and_body():
    # printf '1796119212.{"id": "1"}' | openssl dgst -sha256 -hmac secret
    expected = "f8a613681a5230fc2b18b80555adf3e5e4fc22a426f20361492eec865ed2d016"
    assert sign("secret", 1796119212, b'{"id": "1"}') == f"t=1796119212,v1={expected}"


def test_other_second_other_body_and_other_secret_sign_otherwise():
    one = sign("secret", 1, b"{}")
    others = {sign("secret", 2, b"{}"), sign("secret", 1, b"{} "), sign("Secret", 1, b"{}")}
    assert len(others) == 3
    assert one not in others
