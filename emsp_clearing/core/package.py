"""The files of a document as they leave, and the list that goes with them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

MANIFEST_FORMAT = "emsp-package/1"


@dataclass(frozen=True)
class PackageFile:
    """`name`: without a folder, whatever it was made of; `content`: its bytes."""

    name: str
    media_type: str
    content: bytes

    @classmethod
    def of(cls, name: str, media_type: str, content: bytes) -> "PackageFile":
        """:raise ValueError: nothing is left of the name without its folders."""
        bare = PurePosixPath(name.replace("\\", "/")).name
        if bare in ("", ".."):
            raise ValueError(name)
        return cls(bare, media_type, content)

    def proof(self) -> dict[str, str | int]:
        """What stands for the file: name, size in bytes, SHA-256 in hexadecimal digits."""
        return {
            "name": self.name,
            "media_type": self.media_type,
            "size": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
        }


def manifest(document: Mapping[str, object], files: Iterable[PackageFile]) -> bytes:
    """The list of a package: whose document it is, and what belongs to it.

    :param document: JSON-like facts.
    :return: JSON in UTF-8, the same for the same input.
    """
    content = {
        "format": MANIFEST_FORMAT,
        "document": dict(document),
        "files": [file.proof() for file in files],
    }
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"
