"""What of a hub belongs into a backup, and what does not and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.config import Config

DATABASES: Final = ("reports.db", "journal.db", STATE_FILE, "derived.db")
"""Copied as of one moment, while others write to them."""
FOLDERS: Final = ("identity", "reports", "journal.rejected", "mirror.rejected")
"""Authority, keys and who was let in; the reports as they went out; what a database server refused."""
FILES: Final = ("ack.key", "lab.no-drills")
"""The key of the links by which alerts are acknowledged; a choice of the lab."""
LEFT_OUT: Final = {
    "spool": "reports of emulated offices on their way",
    "logs": "what happened; kept by whoever collects logs",
    "mosquitto": "made anew at every start; what the broker keeps is told again",
    "broker": "the embedded broker's, likewise",
    "truth": "the lab's packet log",
    "making-past": "a past that is being made",
    "mirror.db": "what the database server was told of decisions; told anew, which changes nothing",
    "journal.cursor": "how far the database server is; a restored journal is shipped anew, which changes nothing",
}
"""Of the data folder, with the reason. Locks, sockets and SQLite's own files beside a database are left out as well."""
_PASSING: Final = ("-wal", "-shm", "-turns", "-change", ".lock", ".sock", ".shipper", ".new")


def strangers(data_dir: Path) -> list[str]:
    """What lies in a data folder and is neither backed up nor known to be of no use there; empty as a rule."""
    known = {*DATABASES, *FOLDERS, *FILES, *LEFT_OUT}
    return sorted(
        path.name
        for path in data_dir.iterdir()
        if path.name not in known and not path.name.endswith(_PASSING)
    )


def private_files(data_dir: Path) -> Iterator[Path]:
    """The files of a data folder, apart from the databases, that a hub cannot do without."""
    for name in FOLDERS:
        place = data_dir / name
        yield from sorted(path for path in place.rglob("*") if path.is_file() and not _passing(path))
        if place.is_file():
            yield place
    yield from (data_dir / name for name in FILES if (data_dir / name).is_file())


def _passing(path: Path) -> bool:
    """A file that is being put in place of another."""
    return path.name.startswith(".") or path.suffix in {".lock", ".new"}


def _elsewhere(path: Path, number: int) -> Path:
    """A place for a file that does not lie below the settings; its origin stands in the manifest."""
    return type(path)("elsewhere") / f"{number}-{path.name}"


def config_files(config: Config) -> Iterator[tuple[Path, Path]]:
    """What the operator wrote: each file, and its place below `config/`; nothing that is built in."""
    from config.load import DEFAULT_SITES  # noqa: PLC0415 - only for a backup

    built_in, folder = DEFAULT_SITES.parent.absolute(), config.file.parent.absolute()
    store, broker = config.settings.store, config.settings.broker
    named = [name for name in (broker.ca, store.token_file, store.certificates) if name]
    sources = config.sources
    places = [
        sources.settings,
        sources.sites,
        sources.profiles,
        *sources.meetings,
        sources.works,
        sources.people,
    ]
    seen: set[Path] = set()
    for place in [*places, *(folder / name for name in named)]:
        for path in sorted(place.rglob("*.ics")) if place.is_dir() else [place]:
            whole = path.absolute()
            if whole in seen or whole.is_relative_to(built_in) or not whole.exists():
                continue
            seen.add(whole)
            inside = whole.is_relative_to(folder)
            yield whole, whole.relative_to(folder) if inside else _elsewhere(whole, len(seen))
