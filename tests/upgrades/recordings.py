"""The recordings of past releases, read."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import zstandard

RECORDED: Final = Path(__file__).parent / "recorded"
FIRST: Final = RECORDED / "first"


@dataclass(frozen=True)
class Heard:
    """One message on the broker of then."""

    at_ns: int
    topic: str
    retain: bool
    properties: dict[str, str]
    payload: bytes

    @property
    def leaf(self) -> str:
        return self.topic.rpartition("/")[2]

    @property
    def site(self) -> str:
        return self.topic.split("/")[2]


def messages(folder: Path = FIRST) -> list[Heard]:
    """Every message, in order."""
    lines = unsqueezed(folder / "messages.jsonl.zst").splitlines()
    return [Heard(**(one | {"payload": base64.b64decode(one["payload"])})) for one in map(json.loads, lines)]


def unsqueezed(path: Path) -> bytes:
    """A recorded file as it was."""
    return zstandard.ZstdDecompressor().decompress(path.read_bytes())


def put(name: str, target: Path, folder: Path = FIRST) -> Path:
    """A recorded database, to be worked on."""
    target.write_bytes(unsqueezed(folder / f"{name}.zst"))
    return target


def expected(folder: Path = FIRST) -> dict[str, Any]:
    """What the release's own reader read in its store."""
    found: dict[str, Any] = json.loads((folder / "reports.json").read_text("utf-8"))
    return found
