"""Reading an XML message without a parser of its own: the caller parses, these functions only look."""

from collections.abc import Iterator
from typing import Protocol


class Node(Protocol):
    """An element, as ElementTree and lxml have it."""

    @property
    def tag(self) -> object: ...

    @property
    def text(self) -> str | None: ...

    def __iter__(self) -> "Iterator[Node]": ...

    def get(self, key: str) -> str | None: ...


def name_of(node: Node) -> str:
    """Without its namespace; "" for a comment."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def namespace_of(node: Node) -> str:
    return node.tag.rpartition("}")[0].lstrip("{") if isinstance(node.tag, str) else ""


def text_of(node: Node | None) -> str:
    return (node.text or "").strip() if node is not None else ""


def find_all(node: Node, path: str) -> list[Node]:
    """:param path: names of children, separated by "/"."""
    found = [node]
    for name in path.split("/"):
        found = [child for parent in found for child in parent if name_of(child) == name]
    return found


def find(node: Node, path: str) -> Node | None:
    found = find_all(node, path)
    return found[0] if found else None


def value(node: Node, path: str) -> str:
    """The text at `path`; "" where there is none."""
    return text_of(find(node, path))


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Each element with its path, the element itself first."""
    path = f"{path}/{name_of(node)}" if path else name_of(node)
    yield path, node
    for child in node:
        if name_of(child):
            yield from walk(child, path)
