"""Putting a backup back into an empty data folder; killed anywhere, it goes on when it is started again.

Everything is first copied into a folder within, examined and made ready there. Then the folder gets another name, which
says that it is complete, and what is in it is moved up, one file after another. Under the first name what lies there is
thrown away by the next start, under the second the moving goes on.
"""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from config.plain_file import open_plain
from tatpar.store.backups.manifest import (
    BackupError,
    Manifest,
    NotEmptyError,
    read_manifest,
    seal_fault,
    sha256_of,
)
from tatpar.store.backups.snapshot import on_disk
from tatpar.store.backups.verifying import STORES, refuse_newer
from telemetry.state.db import StateDb
from telemetry.state.errors import StateError
from telemetry.state.file import STATE_FILE
from telemetry.store.errors import StoreError
from telemetry.store.open import RESTORING
from telemetry.store.sqlite import restored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STAGE, COMPLETE = RESTORING
_FIGURES: Final = "figures"
_PARTIAL: Final = ".restoring"


class Restored(Struct, frozen=True, kw_only=True):
    """What was put back, and what its owner must know."""

    data: str
    config: str = ""
    """Where the operator's files lie; empty when they were not asked for."""
    settings: str = ""
    moment_ns: int
    files: int
    bytes: int
    elsewhere: tuple[str, ...] = ()
    """Files of the operator that had lain elsewhere: where they were."""
    tokens_ended: int = 0
    sessions_ended: int = 0
    waiting_messages: int = 0
    """They may have been sent after the backup, and are sent again."""
    is_sealed: bool = True
    """Whether the manifest had a digest of its own."""
    was_there: bool = False
    """It had been put back already, and no hub has worked with it since: killed after its last step, or asked for twice."""


def restore(
    backup: Path,
    data_dir: Path,
    config_dir: Path | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Restored:
    """Put a backup back.

    Args:
        backup: its folder.
        data_dir: where its data go; there must be nothing in it.
        config_dir: where the operator's files go, likewise; None: they stay in the backup.
        progress: told how many bytes of how many in all are there since it was last told.

    Raises:
        BackupError: nothing was changed, or starting it again finishes it.
    """
    manifest = read_manifest(backup)
    refuse_newer(backup, manifest)
    if fault := seal_fault(backup, manifest):
        raise BackupError(f"{backup}: {fault}; take another backup")
    try:
        figures = _put_back(backup, manifest, data_dir, config_dir, progress)
    except (StoreError, StateError) as error:
        raise BackupError(
            f"{data_dir}: cannot be made ready ({error}); make room, and start it again"
        ) from error
    except OSError as error:
        raise BackupError(f"{error.filename or data_dir}: {error.strerror or error}") from error
    tokens, sessions, waiting = figures or (0, 0, 0)
    return Restored(
        data=str(data_dir),
        config="" if config_dir is None else str(config_dir),
        settings=manifest.settings,
        moment_ns=manifest.moment_ns,
        files=len(manifest.files),
        bytes=manifest.bytes,
        elsewhere=tuple(entry.origin for entry in manifest.files if entry.origin),
        tokens_ended=tokens,
        sessions_ended=sessions,
        waiting_messages=waiting,
        is_sealed=manifest.sealed,
        was_there=figures is None,
    )


def _put_back(
    backup: Path,
    manifest: Manifest,
    data_dir: Path,
    config_dir: Path | None,
    progress: Callable[[int, int], None],
) -> tuple[int, int, int] | None:
    """Stage the data beside their place, then move them up: killed anywhere, it is finished by starting it again.

    What `_read_figures` says of them; None where they had been put back already.
    """
    complete = data_dir / COMPLETE
    was_there = not complete.exists() and is_put_back(data_dir, manifest)
    if not was_there and not complete.exists():
        _must_be_empty(data_dir, "data")
        if config_dir is not None:
            _must_be_empty(config_dir, "restore-config")
        _stage(backup, manifest, data_dir / STAGE, progress)
        (data_dir / STAGE).rename(complete)
        on_disk(data_dir)
    figures = None if was_there else _read_figures(complete, manifest)
    if config_dir is not None:
        _must_be_ours(config_dir, manifest)
        _copy_config(backup, manifest, config_dir)
    if not was_there:
        _move_up(complete, data_dir)
    return figures


def is_put_back(data_dir: Path, manifest: Manifest) -> bool:
    """Whether just this backup lies here, whole, and nobody has worked with it since."""
    wanted = {entry.path.removeprefix("data/") for entry in manifest.files if entry.path.startswith("data/")}
    stores = [name for name in STORES if name in wanted]
    if not stores or not all((data_dir / name).is_file() for name in wanted):
        return False
    if {path.name for path in data_dir.iterdir()} != {name.partition("/")[0] for name in wanted}:
        return False
    return all(restored.untouched_from(data_dir / name) == manifest.moment_ns for name in stores)


def _must_be_empty(folder: Path, option: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    there = sorted(path.name for path in folder.iterdir() if path.name != STAGE)
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise NotEmptyError(
            f"{folder}: not empty ({there[0]}{more}); stop the hub, move it away, and name an empty folder with --{option}"
        )


def _must_be_ours(config_dir: Path, manifest: Manifest) -> None:
    """Going on: what lies there is what was put there before, or it is somebody's own."""
    ours = {entry.path.removeprefix("config/"): entry.sha256 for entry in manifest.files}
    for path in sorted(config_dir.rglob("*")):
        if not path.is_file() or path.suffix == _PARTIAL:
            continue
        if sha256_of(path) != ours.get(path.relative_to(config_dir).as_posix()):
            raise NotEmptyError(
                f"{config_dir}: not empty ({path.name}); name an empty folder with --restore-config"
            )


def _stage(backup: Path, manifest: Manifest, stage: Path, progress: Callable[[int, int], None]) -> None:
    """Everything into the folder within, as the manifest says; then the databases are made ready."""
    if stage.exists():
        shutil.rmtree(stage)
    stage.mkdir(mode=0o700)
    free = shutil.disk_usage(stage).free
    wanted = [entry for entry in manifest.files if entry.path.startswith("data/")]
    size = sum(entry.bytes for entry in wanted)
    if free < size:
        raise BackupError(
            f"{stage.parent}: {free / 1e6:.0f} MB free, {size / 1e6:.0f} MB are put back; make room"
        )
    for entry in wanted:
        target = stage / entry.path.removeprefix("data/")
        _copy(backup / entry.path, target, entry.sha256, entry.mode)
        progress(entry.bytes, size)
    figures = (manifest.moment_ns, *_make_ready(stage, manifest))
    (stage / _FIGURES).write_text(" ".join(map(str, figures)), encoding="ascii")
    for path in (stage / _FIGURES, *(one for one in stage.rglob("*") if one.is_dir()), stage):
        on_disk(path)


def _copy(source: Path, target: Path, sha256: str, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with open_plain(source) as whole, target.open("wb") as copy:
            shutil.copyfileobj(whole, copy, 1 << 20)
    except FileNotFoundError:
        raise BackupError(f"{source}: is not there, the backup is not whole; take another backup") from None
    if sha256_of(target) != sha256:
        raise BackupError(f"{source}: damaged (SHA-256 differs); take another backup")
    target.chmod(mode)
    on_disk(target)


def _make_ready(stage: Path, manifest: Manifest) -> tuple[int, int, int]:
    """What must not be as it was: who may come in, and what a probe or a server was told since.

    The state database is brought up to date on the way.
    """
    now_ns = time.time_ns()
    for name in ("reports.db", "journal.db"):
        if (stage / name).exists():
            restored.mark(stage / name, manifest.moment_ns, now_ns)
    if not (stage / STATE_FILE).exists():
        return 0, 0, 0
    with closing(StateDb(stage / STATE_FILE)) as state:
        tokens = state.end_tokens(now_ns)
        sessions = state.end_all_sessions()
        state.forget_leases()
        state.forget_beats(tuple(state.beats()))
        waiting = state.outbox_counts(now_ns).waiting
    return tokens, sessions, waiting


def _read_figures(complete: Path, manifest: Manifest) -> tuple[int, int, int]:
    """What was ended and what waits; nothing is known of a restore that was killed at its very end.

    Raises:
        BackupError: it is another backup that is being put back here.
    """
    try:
        moment_ns, tokens, sessions, waiting = (complete / _FIGURES).read_text("ascii").split()
    except FileNotFoundError:
        return 0, 0, 0
    if int(moment_ns) != manifest.moment_ns:
        raise BackupError(
            f"{complete.parent}: another backup is being put back here; name that one, or another empty folder"
        )
    return int(tokens), int(sessions), int(waiting)


def _copy_config(backup: Path, manifest: Manifest, config_dir: Path) -> None:
    for entry in manifest.files:
        if entry.path.startswith("config/"):
            target = config_dir / entry.path.removeprefix("config/")
            partial = target.with_name(target.name + _PARTIAL)
            _copy(backup / entry.path, partial, entry.sha256, entry.mode)
            partial.rename(target)


def _move_up(complete: Path, data_dir: Path) -> None:
    """Each to its place; the databases last, so that a hub that is started too early finds none of them."""
    names = [path.name for path in complete.iterdir() if path.name != _FIGURES]
    for name in sorted(names, key=lambda one: (one.endswith(".db"), one)):
        (complete / name).rename(data_dir / name)
    on_disk(data_dir)
    (complete / _FIGURES).unlink(missing_ok=True)
    complete.rmdir()
