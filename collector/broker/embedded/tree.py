"""Who subscribed to what, found by topic: a tree with one node per level of a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class _Node(Generic[T]):
    __slots__ = ("children", "values")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.values: dict[str, T] = {}


class FilterTree(Generic[T]):
    """Values under (filter, key). Finding costs as much as there are matching branches, not subscribers."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def put(self, name: str, key: str, value: T) -> None:
        """Set the value of a key under a filter."""
        node = self._root
        for level in name.split("/"):
            node = node.children.setdefault(level, _Node())
        node.values[key] = value

    def get(self, name: str, key: str) -> T | None:
        """The value of a key under a filter."""
        node: _Node[T] | None = self._root
        for level in name.split("/"):
            node = node.children.get(level) if node else None
        return node.values.get(key) if node else None

    def remove(self, name: str, key: str) -> None:
        """Take a key away, and the branches that are empty then."""
        path: list[tuple[_Node[T], str]] = []
        node = self._root
        for level in name.split("/"):
            path.append((node, level))
            child = node.children.get(level)
            if child is None:
                return
            node = child
        node.values.pop(key, None)
        for parent, level in reversed(path):
            child = parent.children[level]
            if child.values or child.children:
                return
            del parent.children[level]

    def find(self, topic: str) -> Iterator[tuple[str, T]]:
        """Every (key, value) under a filter that matches a topic name; a key once per filter."""
        levels = topic.split("/")
        nodes = [self._root]
        for i, level in enumerate(levels):
            reached: list[_Node[T]] = []
            for node in nodes:
                hidden = i == 0 and level.startswith("$")  # 4.7.2: wildcards do not reach `$` topics
                if not hidden:
                    yield from self._here(node, "#")
                names = (level,) if hidden else (level, "+")
                reached += [node.children[name] for name in names if name in node.children]
            nodes = reached
        for node in nodes:
            yield from node.values.items()
            yield from self._here(node, "#")

    @staticmethod
    def _here(node: _Node[T], level: str) -> Iterator[tuple[str, T]]:
        child = node.children.get(level)
        if child is not None:
            yield from child.values.items()
