"""Ways to load one file of the operator's at a time, the rest being the built-in defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from config.load import load_config

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config


class Load(Protocol):
    def __call__(self, kind: str, path: Path) -> Config: ...


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a configuration of which one file, of the kind `settings`, `sites`, `profiles`, `meetings`, `works` or `people`, is given."""

    def loaded(kind: str, path: Path) -> Config:
        if kind == "settings":
            return load_config(path)
        settings = tmp_path / "tatpar.toml"
        settings.write_text(f"[files]\n{kind} = '{path}'\n", encoding="utf-8")
        return load_config(settings)

    return loaded


class Write(Protocol):
    def __call__(self, name: str, text: str) -> Path: ...


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of this name, and say where it is."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    return written


class Meet(Protocol):
    def __call__(self, *events: str, settings: str = "") -> Config: ...


@pytest.fixture
def meet(write: Write) -> Meet:
    """A configuration whose calendar holds these events; each is the inside of a VEVENT, one property a line."""

    def met(*events: str, settings: str = "") -> Config:
        blocks = "".join(
            f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n"
            if not event.startswith("BEGIN:")
            else f"{event.strip()}\n"
            for event in events
        )
        write("own.ics", f"BEGIN:VCALENDAR\nVERSION:2.0\n{blocks}END:VCALENDAR\n")
        return load_config(write("own.toml", f"[files]\nmeetings = 'own.ics'\n{settings}"))

    return met
