"""Making a backup: into a folder beside, which gets its name only when everything is on the disk."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import msgspec

from config.plain_file import open_plain
from tatpar.store.backups.contents import DATABASES, config_files, private_files, strangers
from tatpar.store.backups.manifest import FILE, BackupError, Entry, Manifest, sha256_of, write_seal
from tatpar.store.backups.snapshot import Moment, fault_of, on_disk
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from config.config import Config

UNFINISHED: Final = ".unfinished"
_NAME: Final = "tatpar-%Y%m%dT%H%M%SZ"
_NAMES: Final = f"tatpar-{'[0-9]' * 8}T{'[0-9]' * 6}Z"
"""Ours, as a pattern: nothing else in the folder is ever touched."""
_SPARE_BYTES: Final = 64 << 20


def make(
    config: Config, data_dir: Path, folder: Path, progress: Callable[[int, int], None] = lambda *_: None
) -> tuple[Path, Manifest]:
    """Back up a hub that may be at work, into a folder of its own below `folder`; where it is, and what it holds.

    Args:
        config: the hub's; the files that the operator wrote go along.
        data_dir: its data.
        folder: where backups are kept; made when it is not there.
        progress: told how many bytes of how many in all have been copied since it was last told.

    Raises:
        BackupError: also when a database is damaged; nothing that looks like a backup is left.
    """
    databases = [data_dir / name for name in DATABASES if (data_dir / name).exists()]
    if data_dir / STATE_FILE not in databases:
        raise BackupError(
            f"{data_dir}: no hub has worked here (state.db is not there); name its folder with --data"
        )
    began_s = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        clear_unfinished(folder)
        with Moment(databases) as moment:
            total = sum(moment.bytes(path) for path in databases)
            _must_fit(folder, total)
            name = datetime.fromtimestamp(moment.at_ns / 1e9, UTC).strftime(_NAME)
            with _unfinished(folder, name) as place:
                entries = [
                    *_databases(moment, databases, place, lambda size: progress(size, total)),
                    *_files(config, data_dir, place),
                ]
                manifest = Manifest(
                    program=version("tatpar"),
                    moment_ns=moment.at_ns,
                    spread_ms=round(moment.spread_ms, 3),
                    took_s=round(time.monotonic() - began_s, 3),
                    store=config.settings.store.kind,
                    settings=_settings_name(config),
                    files=tuple(entries),
                    sealed=True,
                    strangers=tuple(strangers(data_dir)),
                )
                return _finish(place, folder / name, manifest), manifest
    except OSError as error:
        raise BackupError(f"{error.filename or folder}: {error.strerror}") from error


def clear_unfinished(folder: Path) -> int:
    """Remove what backups have left that were killed; those that are being made now stay. How many there were."""
    cleared = 0
    for place in folder.glob(f"{_NAMES}{UNFINISHED}"):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(place)
            cleared += 1
        finally:
            os.close(descriptor)
    return cleared


@contextmanager
def _unfinished(folder: Path, name: str) -> Iterator[Path]:
    """A locked folder for a backup that is being made; it goes when that fails."""
    place = folder / f"{name}{UNFINISHED}"
    place.mkdir(mode=0o700)
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield place
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    finally:
        os.close(descriptor)


def _databases(
    moment: Moment, databases: list[Path], place: Path, progress: Callable[[int], None]
) -> Iterator[Entry]:
    (place / "data").mkdir(mode=0o700)
    for path in databases:
        target = place / "data" / path.name
        schema = moment.copy(path, target, progress)
        if fault := fault_of(target):
            raise BackupError(
                f"{path}: damaged ({fault}); no backup was made, those before stay; see `tatpar store verify`"
            )
        yield entry_of(place, target, path.stat().st_mode & 0o777, schema=schema)


def _files(config: Config, data_dir: Path, place: Path) -> Iterator[Entry]:
    for path in private_files(data_dir):
        yield _copied(path, place, f"data/{path.relative_to(data_dir).as_posix()}")
    folder = config.file.parent.absolute()
    for path, where in config_files(config):
        origin = "" if path.is_relative_to(folder) else str(path)
        yield _copied(path, place, f"config/{where.as_posix()}", origin)


def _copied(path: Path, place: Path, where: str, origin: str = "") -> Entry:
    target = place / where
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, open_plain(path) as source:
        shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(file.fileno())
    return entry_of(place, target, path.stat().st_mode & 0o777, origin=origin)


def entry_of(place: Path, target: Path, mode: int, *, schema: int | None = None, origin: str = "") -> Entry:
    """What the manifest says of a file."""
    return Entry(
        path=target.relative_to(place).as_posix(),
        bytes=target.stat().st_size,
        sha256=sha256_of(target),
        mode=mode,
        schema=schema,
        origin=origin,
    )


def _settings_name(config: Config) -> str:
    names = [where for path, where in config_files(config) if path == config.file.absolute()]
    return names[0].as_posix() if names else ""


def _must_fit(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + _SPARE_BYTES:
        raise BackupError(
            f"{folder}: {free / 1e6:.0f} MB free, the backup takes {size / 1e6:.0f} MB; make room or name another folder"
        )


def _finish(place: Path, target: Path, manifest: Manifest) -> Path:
    """The manifest last, everything on the disk, and only then the name."""
    written = place / FILE
    written.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    written.chmod(0o600)
    for path in (written, write_seal(place), *(one for one in place.rglob("*") if one.is_dir()), place):
        on_disk(path)
    if target.exists():
        raise BackupError(f"{target}: there is one of this second already; try again")
    place.rename(target)
    on_disk(target.parent)
    return target


def forget_old(folder: Path, keep: int, made: Path | None = None) -> list[Path]:
    """Remove all but the newest so many backups of a folder; which. `made` stays, whatever the clock said of the others.

    Raises:
        BackupError: one cannot be removed.
    """
    whole = sorted(path.parent for path in folder.glob(f"{_NAMES}/{FILE}"))
    others = [place for place in whole if place != made]
    gone = others[: max(len(whole) - keep, 0)]
    for place in gone:
        try:
            (place / FILE).unlink()  # from here on it is none
            shutil.rmtree(place)
        except OSError as error:
            raise BackupError(f"{place}: cannot be removed ({error.strerror})") from error
    return gone
