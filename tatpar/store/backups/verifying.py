"""Is a backup, or a hub's own data, whole: files by their digests, databases by what is in them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from tatpar.store.backups.manifest import (
    FILE,
    SEAL,
    BackupError,
    Manifest,
    read_manifest,
    seal_fault,
    sha256_of,
)
from telemetry.state.file import STATE_FILE
from telemetry.state.migrations import MIGRATIONS as STATE_STEPS
from telemetry.store.errors import StoreError
from telemetry.store.sqlite.inspection import damage, inspect
from telemetry.store.sqlite.schema import MIGRATIONS as STORE_STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STORES: Final = ("reports.db", "journal.db")
UNSEALED: Final = f"{FILE} itself: the release that made this backup wrote no digest of it"
KNOWN: Final = {**dict.fromkeys(STORES, len(STORE_STEPS)), STATE_FILE: len(STATE_STEPS)}
"""The newest schema of each database that this version reads."""


class Verified(Struct, frozen=True, kw_only=True):
    """What was looked at, and what is wrong; nothing is, when `faults` is empty."""

    where: str
    faults: tuple[str, ...]
    files: int = 0
    reports: int = 0
    blocks: int = 0
    accounts: int = 0
    unchecked: tuple[str, ...] = ()
    """What could not be looked at, and why."""


def verify_backup(backup: Path, progress: Callable[[str, int, int], None] = lambda *_: None) -> Verified:
    """Look through a backup.

    Args:
        backup: its folder.
        progress: told what is being looked at, and how much of how much is done.

    Raises:
        BackupError: it is none, was never finished, or a newer version made it.
    """
    manifest = read_manifest(backup)
    refuse_newer(backup, manifest)
    faults = list(_file_faults(backup, manifest, progress))
    found = Verified(where=str(backup), faults=tuple(faults), files=len(manifest.files))
    if not faults:
        found = _databases(backup / "data", str(backup), progress, files=len(manifest.files))
    return found if manifest.sealed else replace(found, unchecked=(UNSEALED,))


def verify_data(data_dir: Path, progress: Callable[[str, int, int], None] = lambda *_: None) -> Verified:
    """Look through the databases of a hub, also while it works.

    Raises:
        BackupError: there are none.
    """
    return _databases(data_dir, str(data_dir), progress)


def refuse_newer(backup: Path, manifest: Manifest) -> None:
    """Stop before databases whose schema is not known here.

    Raises:
        BackupError: a newer version made it.
    """
    for entry in manifest.files:
        known = KNOWN.get(entry.path.removeprefix("data/"))
        if known is not None and (entry.schema or 0) > known:
            raise BackupError(
                f"{backup / entry.path}: the file has format {entry.schema}, this version knows up to {known};"
                f" use the version that made it ({manifest.program}) or a newer one"
            )


def _file_faults(
    backup: Path, manifest: Manifest, progress: Callable[[str, int, int], None]
) -> Iterator[str]:
    if fault := seal_fault(backup, manifest):
        yield fault
    done = 0
    for entry in manifest.files:
        path = backup / entry.path
        if not path.is_file():
            yield f"{entry.path}: is not there"
        elif path.stat().st_size != entry.bytes:
            yield f"{entry.path}: has {path.stat().st_size} bytes, the manifest says {entry.bytes}"
        elif sha256_of(path) != entry.sha256:
            yield f"{entry.path}: its content is not what was backed up (SHA-256 differs)"
        done += entry.bytes
        progress("digests", done, manifest.bytes)
    listed = {entry.path for entry in manifest.files} | {FILE, SEAL}
    for path in sorted(backup.rglob("*")):
        where = path.relative_to(backup).as_posix()
        if path.is_file() and where not in listed:
            yield f"{where}: is not in the manifest"


def _databases(data: Path, where: str, progress: Callable[[str, int, int], None], files: int = 0) -> Verified:
    faults: list[str] = []
    present = [name for name in (*STORES, STATE_FILE, "derived.db") if (data / name).exists()]
    if not present:
        raise BackupError(f"{data}: no database there; name the folder of a Tatpar with --data")
    reports = looked = accounts = 0
    for name in present:
        if name in STORES:
            try:
                found = inspect(data / name, lambda done, total, name=name: progress(name, done, total))  # type: ignore[misc]
            except (StoreError, sqlite3.Error) as error:
                faults.append(str(error))
                continue
            faults += [f"{name}: {fault}" for fault in found.faults]
            reports, looked, accounts = (
                reports + found.reports,
                looked + found.blocks,
                accounts + found.accounts,
            )
        else:
            faults += [f"{name}: {fault}" for fault in _plain(data / name)]
    return Verified(
        where=where,
        faults=tuple(faults),
        files=files or len(present),
        reports=reports,
        blocks=looked,
        accounts=accounts,
    )


def _plain(path: Path) -> Iterator[str]:
    """Of a database that is not a report store."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute("PRAGMA query_only=1")
            schema = connection.execute("PRAGMA user_version").fetchone()[0]
            known = KNOWN.get(path.name, schema)
            if schema > known:
                yield f"the file has format {schema}, this version knows up to {known}; use the newer version"
            yield from damage(connection)
    except sqlite3.Error as error:
        yield str(error)
