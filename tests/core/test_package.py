import hashlib
import json

import pytest
from emsp_core.package import PackageFile, manifest


def test_proof_is_size_and_sha256_of_the_bytes():
    # SHA-256 of "abc", FIPS 180-2, B.1.
    assert PackageFile.of("a.pdf", "application/pdf", b"abc").proof() == {
        "name": "a.pdf",
        "media_type": "application/pdf",
        "size": 3,
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    }


@pytest.mark.parametrize("name", ["../../etc/a.pdf", "/a.pdf", "C:\\x\\a.pdf", "a.pdf"])
def test_name_has_no_folder(name):
    assert PackageFile.of(name, "application/pdf", b"").name == "a.pdf"


@pytest.mark.parametrize("name", ["", "..", "a/.."])
def test_name_that_is_none_is_refused(name):
    with pytest.raises(ValueError):
        PackageFile.of(name, "application/pdf", b"")


def test_manifest_lists_the_files_and_is_always_the_same():
    files = [PackageFile.of("é.xml", "application/xml", b"<a/>")]
    content = manifest({"number": "INV/1"}, files)
    assert json.loads(content) == {
        "format": "emsp-package/1",
        "document": {"number": "INV/1"},
        "files": [
            {
                "name": "é.xml",
                "media_type": "application/xml",
                "size": 4,
                "sha256": hashlib.sha256(b"<a/>").hexdigest(),
            }
        ],
    }
    assert content == manifest({"number": "INV/1"}, files)
