"""`tatpar store prune`: what goes by age, told before it goes, and the disk that it frees."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import click

from tatpar.terminal.amiss import existing_folder
from tatpar.terminal.options import (
    failed,
    json_option,
    lang_option,
    say_json,
    settings_and_data,
)
from tatpar.terminal.progress_line import ProgressLine
from telemetry.state.file import STATE_FILE
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Store

_DAYS = click.IntRange(1, 36_500)


@click.command("prune", short_help="let go of what is old")
@settings_and_data
@click.option(
    "--windows",
    type=_DAYS,
    default=None,
    help="Days that windows and items are kept; default: store.raw_days.",
)
@click.option(
    "--rollups", type=_DAYS, default=None, help="Days that roll-ups are kept; default: store.rollup_days."
)
@click.option(
    "--decisions",
    type=_DAYS,
    default=None,
    help="Days that what was decided and told is kept; default: for ever.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option(
    "--compact",
    is_flag=True,
    help="Give the room back to the disk: the files are written anew, and others wait.",
)
@lang_option
@json_option
def prune(  # noqa: PLR0913, PLR0917 - one argument an option
    config_file: Path | None,
    data_dir: Path,
    windows: int | None,
    rollups: int | None,
    decisions: int | None,
    dry_run: bool,  # noqa: FBT001
    compact: bool,  # noqa: FBT001
    lang: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Let go of what is older than so many days, by kind, also while the hub works.

    The room is used for new reports before the file grows; --compact gives it back to the disk. What is still open stays, whatever its
    age; so do the ledger and who was let in. What a database server has goes by the server's own retention (tatpar store init).

    Example: tatpar store prune --windows 60 --decisions 400 --dry-run --config tatpar.toml --data /var/lib/tatpar
    """
    from config.load import load_config  # noqa: PLC0415 - keeps --help fast
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.store.errors import StoreError  # noqa: PLC0415

    config = load_config(config_file)
    settings, language = config.settings.store, lang or config.settings.deployment.language
    existing_folder(data_dir, language)
    now_ns = time.time_ns()
    told: dict[str, object] = {}
    try:
        if settings.kind == "sqlite" and (data_dir / "reports.db").exists():
            raw_ns = now_ns - round((windows or settings.raw_days) * DAY_NS)
            slots_ns = now_ns - round((rollups or settings.rollup_days) * DAY_NS)
            before = (raw_ns, slots_ns)
            told |= _reports(settings, data_dir, before, language, dry_run=dry_run, compact=compact)
        if (data_dir / STATE_FILE).exists():
            before_ns = 0 if decisions is None else now_ns - decisions * DAY_NS
            told |= _decisions(data_dir, before_ns, dry_run=dry_run, compact=compact)
    except (StoreError, StateError) as error:
        failed(f"tatpar store prune: {error}")
    if as_json:
        say_json({"dry_run": dry_run, **told})
        return
    click.echo("\n".join(_lines(told, language, dry_run=dry_run)))
    if settings.kind != "sqlite":
        click.echo(_say(language, "prune_server", kind=settings.kind))


def _reports(  # noqa: PLR0913 - what, where, before when, and how
    settings: Store, data_dir: Path, before: tuple[int, int], language: str, *, dry_run: bool, compact: bool
) -> dict[str, object]:
    from telemetry.store.open import store_file  # noqa: PLC0415
    from telemetry.store.sqlite import SqliteStore  # noqa: PLC0415

    path = store_file(settings, data_dir)
    size = path.stat().st_size
    with contextlib.closing(SqliteStore(path)) as store:
        found = store.outdated(*before)
        if not dry_run:
            with ProgressLine(language) as line:
                store.let_go(*before, line.counting("day"))
            if compact:
                store.compact()
        return {
            "hours": found.hours,
            "rollup_days": found.days,
            "reports": found.reports,
            "bytes": found.bytes,
            "free_bytes": store.free_bytes(),
            "given_back_bytes": max(size - path.stat().st_size, 0),
        }


def _decisions(data_dir: Path, before_ns: int, *, dry_run: bool, compact: bool) -> dict[str, object]:
    from telemetry.state.db import StateDb  # noqa: PLC0415

    with contextlib.closing(StateDb(data_dir / STATE_FILE)) as state:
        found = state.outdated(before_ns) if dry_run else state.let_go(before_ns)
        if compact and not dry_run:
            state.compact()
    return {"decisions": found}


def _lines(told: dict[str, object], language: str, *, dry_run: bool) -> list[str]:
    lines = []
    if "hours" in told:
        size = told["bytes"]
        assert isinstance(size, int)
        key = "prune_would" if dry_run else "prune_gone"
        counts = {name: told[name] for name in ("hours", "reports", "rollup_days")}
        lines.append(_say(language, key, mb=f"{size / 1e6:.1f}", **counts))
    decisions = told.get("decisions")
    if isinstance(decisions, dict) and decisions:
        key = "prune_decisions_would" if dry_run else "prune_decisions_gone"
        counted = ", ".join(f"{count} {kind}" for kind, count in decisions.items())
        lines.append(_say(language, key, counted=counted))
    free, given = told.get("free_bytes", 0), told.get("given_back_bytes", 0)
    assert isinstance(free, int)
    assert isinstance(given, int)
    if not dry_run and given:
        lines.append(_say(language, "given_back", mb=f"{given / 1e6:.1f}"))
    elif not dry_run and free:
        lines.append(_say(language, "free", mb=f"{free / 1e6:.1f}"))
    return lines or [_say(language, "nothing_old")]


def _say(language: str, key: str, **values: Any) -> str:  # noqa: ANN401 - as `say` takes them
    from telemetry.words import say  # noqa: PLC0415 - keeps --help fast

    return say(language, f"store.{key}", **values)
