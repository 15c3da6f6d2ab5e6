"""`tatpar store prune`: what goes by age, told before it goes, and the disk that it frees."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import existing_folder, failed, json_option, say_json, settings_and_data
from tatpar.terminal.progress_line import ProgressLine

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Store

_DAYS = click.IntRange(1, 36_500)
_DAY_NS = 86_400 * 10**9


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
@json_option
def prune(  # noqa: PLR0913, PLR0917 - one argument an option
    config_file: Path | None,
    data_dir: Path,
    windows: int | None,
    rollups: int | None,
    decisions: int | None,
    dry_run: bool,  # noqa: FBT001
    compact: bool,  # noqa: FBT001
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

    settings = load_config(config_file).settings.store
    existing_folder(data_dir)
    now_ns = time.time_ns()
    told: dict[str, object] = {}
    try:
        if settings.kind == "sqlite" and (data_dir / "reports.db").exists():
            raw_ns = now_ns - round((windows or settings.raw_days) * _DAY_NS)
            slots_ns = now_ns - round((rollups or settings.rollup_days) * _DAY_NS)
            told |= _reports(settings, data_dir, (raw_ns, slots_ns), dry_run=dry_run, compact=compact)
        if (data_dir / "state.db").exists():
            before_ns = 0 if decisions is None else now_ns - decisions * _DAY_NS
            told |= _decisions(data_dir, before_ns, dry_run=dry_run, compact=compact)
    except (StoreError, StateError) as error:
        failed(f"tatpar store prune: {error}")
    if as_json:
        say_json({"dry_run": dry_run, **told})
        return
    click.echo("\n".join(_lines(told, dry_run=dry_run)))
    if settings.kind != "sqlite":
        click.echo(
            f"windows and roll-ups: on the {settings.kind} server, by its own retention (tatpar store init)"
        )


def _reports(
    settings: Store, data_dir: Path, before: tuple[int, int], *, dry_run: bool, compact: bool
) -> dict[str, object]:
    from telemetry.store.open import store_file  # noqa: PLC0415
    from telemetry.store.sqlite import SqliteStore  # noqa: PLC0415

    path = store_file(settings, data_dir)
    size = path.stat().st_size
    with contextlib.closing(SqliteStore(path)) as store:
        found = store.outdated(*before)
        if not dry_run:
            with ProgressLine() as line:
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

    with contextlib.closing(StateDb(data_dir / "state.db")) as state:
        found = state.outdated(before_ns) if dry_run else state.let_go(before_ns)
        if compact and not dry_run:
            state.compact()
    return {"decisions": found}


def _lines(told: dict[str, object], *, dry_run: bool) -> list[str]:
    would = "would go" if dry_run else "gone"
    lines = []
    if "hours" in told:
        size = told["bytes"]
        assert isinstance(size, int)
        lines.append(
            f"windows: {told['hours']} hours of offices and {told['reports']} recent reports {would};"
            f" roll-ups: {told['rollup_days']} days of offices {would}; {size / 1e6:.1f} MB"
        )
    decisions = told.get("decisions")
    if isinstance(decisions, dict) and decisions:
        lines.append(
            f"decisions: {', '.join(f'{count} {kind}' for kind, count in decisions.items())} {would}"
        )
    free, given = told.get("free_bytes", 0), told.get("given_back_bytes", 0)
    assert isinstance(free, int)
    assert isinstance(given, int)
    if not dry_run and given:
        lines.append(f"{given / 1e6:.1f} MB given back to the disk")
    elif not dry_run and free:
        lines.append(
            f"{free / 1e6:.1f} MB are free in reports.db and used before it grows; --compact gives them back"
        )
    return lines or ["nothing is that old"]
