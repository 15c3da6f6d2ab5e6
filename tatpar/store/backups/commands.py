"""`tatpar store backup`, `verify` and `restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tatpar.terminal.amiss import existing_folder
from tatpar.terminal.options import (
    config_language,
    config_zone,
    failed,
    json_option,
    lang_option,
    say_json,
    settings_and_data,
    wrong_input,
)
from tatpar.terminal.progress_line import ProgressLine

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tatpar.store.backups.manifest import Manifest
    from tatpar.store.backups.restoring import Restored
    from tatpar.store.backups.verifying import Verified


@click.command("backup", short_help="copy the hub while it runs")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@settings_and_data
@click.option(
    "--keep",
    type=click.IntRange(1, 10_000),
    default=None,
    help="When this one is made, remove the oldest of the folder beyond so many.",
)
@lang_option
@json_option
def backup(  # noqa: PLR0913, PLR0917 - one argument an option
    folder: Path,
    config_file: Path | None,
    data_dir: Path,
    keep: int | None,
    lang: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Copy the hub while it runs: reports, decisions, keys, settings, all as of one moment, into FOLDER/tatpar-DATE.

    The copy gets its name only when it is whole and on the disk. It holds the hub's keys: keep it where only you can read.
    Of a database server (VictoriaMetrics, InfluxDB) its own backup keeps what it has; here are the journal and the decisions.

    Example: tatpar store backup /srv/backups --keep 14 --config tatpar.toml --data /var/lib/tatpar
    """
    from config.load import load_config  # noqa: PLC0415 - keeps --help fast
    from tatpar.store.backups.making import forget_old, make  # noqa: PLC0415
    from tatpar.store.backups.manifest import BackupError  # noqa: PLC0415

    config = load_config(config_file)
    language = lang or config.settings.deployment.language
    existing_folder(data_dir, language)
    if folder.resolve().is_relative_to(data_dir.resolve()):
        wrong_input(
            f"{folder}: lies in the data folder, which is lost with it; name a folder elsewhere, best on another disk"
        )
    try:
        with ProgressLine(language) as bar:
            place, manifest = make(config, data_dir, folder, bar.copied)
        gone = [] if keep is None else forget_old(folder, keep, place)
    except BackupError as error:
        failed(f"tatpar store backup: {error}")
    if as_json:
        say_json({"backup": str(place), **_figures(manifest), "removed": [str(path) for path in gone]})
        return
    made = {
        "files": len(manifest.files),
        "mb": f"{manifest.bytes / 1e6:.1f}",
        "took": f"{manifest.took_s:.1f}",
    }
    click.echo(_say(language, "made", place=str(place), spread=f"{manifest.spread_ms:.1f}", **made))
    if manifest.store != "sqlite":
        click.echo(_say(language, "not_the_servers", kind=manifest.store))
    if manifest.strangers:
        click.echo(_say(language, "not_strangers", names=", ".join(manifest.strangers)))
    for path in gone:
        click.echo(_say(language, "removed", path=str(path), keep=keep))


@click.command("verify", short_help="is a backup, or the hub's data, whole")
@click.argument(
    "backup_dir", metavar="[BACKUP]", required=False, type=click.Path(path_type=Path, file_okay=False)
)
@settings_and_data
@lang_option
@json_option
def verify(
    backup_dir: Path | None,
    config_file: Path | None,
    data_dir: Path,
    lang: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Look through a backup; without one, through the data folder, also while the hub works.

    Every file against its digest, every database page, every packed block unpacked, every report decoded, the ledger against what
    is there. Ends with 1 when anything is wrong.

    Example: tatpar store verify /srv/backups/tatpar-20261126T083000Z
    """
    from tatpar.store.backups.manifest import BackupError  # noqa: PLC0415
    from tatpar.store.backups.verifying import verify_backup, verify_data  # noqa: PLC0415

    language = lang or config_language(config_file)
    if backup_dir is None:
        existing_folder(data_dir, language)
    else:
        _existing_backup(backup_dir)
    try:
        with ProgressLine(language) as bar:
            found = (
                verify_data(data_dir, bar.share)
                if backup_dir is None
                else verify_backup(backup_dir, bar.share)
            )
    except BackupError as error:
        failed(f"tatpar store verify: {error}")
    _say_verified(found, language, as_json=as_json)
    if found.faults:
        raise SystemExit(1)


@click.command("restore", short_help="put a backup into an empty data folder")
@click.argument("backup_dir", metavar="BACKUP", type=click.Path(path_type=Path, file_okay=False))
@settings_and_data
@click.option(
    "--restore-config",
    "config_dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="An empty folder for the settings, offices, meetings that the backup holds; without it they stay there.",
)
@lang_option
@json_option
def restore(  # noqa: PLR0913, PLR0917 - one argument an option
    backup_dir: Path,
    config_file: Path | None,
    data_dir: Path,
    config_dir: Path | None,
    lang: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Put a backup into an empty data folder. Then start the hub: the probes' spools fill what they still have.

    Killed, it goes on when it is started again. Tokens of enrolment that were not redeemed end, and everybody is signed out.
    What root puts back belongs to whoever owns the data folder.

    Example: tatpar store restore /srv/backups/tatpar-20261126T083000Z --data /var/lib/tatpar --restore-config /etc/tatpar
    """
    from tatpar.data_folder.ownership import give_to_owner  # noqa: PLC0415
    from tatpar.store.backups.manifest import BackupError, NotEmptyError  # noqa: PLC0415
    from tatpar.store.backups.restoring import restore as put_back  # noqa: PLC0415

    _existing_backup(backup_dir)
    language = lang or config_language(config_file)
    try:
        with ProgressLine(language) as bar:
            done = put_back(backup_dir, data_dir, config_dir, bar.copied)
    except NotEmptyError as error:
        wrong_input(f"tatpar store restore: {error}")
    except BackupError as error:
        failed(f"tatpar store restore: {error}")
    if config_dir is not None:
        give_to_owner(config_dir, data_dir)
    if as_json:
        import msgspec  # noqa: PLC0415

        say_json(msgspec.to_builtins(done))
    else:
        click.echo("\n".join(_restored(done, language, config_zone(config_file))))


def _existing_backup(backup_dir: Path) -> None:
    if not backup_dir.is_dir():
        wrong_input(f"{backup_dir}: no such folder; name the one that `tatpar store backup` printed")


def _restored(done: Restored, language: str, zone: ZoneInfo) -> list[str]:
    back = {"files": done.files, "mb": f"{done.bytes / 1e6:.1f}", "moment": done.moment_ns}
    lines = [_say(language, "put_back", zone=zone, data=str(done.data), **back)]
    if done.was_there:
        lines.append(_say(language, "was_there"))
    if not done.is_sealed:
        lines.append(_say(language, "not_sealed"))
    if done.config:
        key = "config_with_settings" if done.settings else "config"
        lines.append(_say(language, key, config=str(done.config), settings=str(done.settings)))
    lines += [
        _say(language, "elsewhere", origin=str(origin), config=str(done.config or "config"))
        for origin in done.elsewhere
    ]
    if _is_roots(done):
        lines.append(_say(language, "is_roots", folders=" ".join(filter(None, (done.data, done.config)))))
    lines += [_say(language, key) for key in ("reports_again", "revoked_again", "enrolled_again")]
    if done.tokens_ended:
        lines.append(_say(language, "tokens_ended", count=done.tokens_ended))
    if done.waiting_messages:
        lines.append(_say(language, "messages_again", count=done.waiting_messages))
    return lines


def _is_roots(done: Restored) -> bool:
    """Whether the data folder was made by this very root: services of another user could not open it."""
    from tatpar.data_folder.ownership import is_root  # noqa: PLC0415

    return is_root() and Path(done.data).stat().st_uid == 0


def _say(language: str, key: str, **values: Any) -> str:  # noqa: ANN401 - as `say` takes them
    from telemetry.words import say  # noqa: PLC0415 - keeps --help fast

    return say(language, f"store.{key}", **values)


def _say_verified(found: Verified, language: str, *, as_json: bool) -> None:
    if as_json:
        import msgspec  # noqa: PLC0415

        say_json(msgspec.to_builtins(found))
        return
    for fault in found.faults:
        click.echo(fault)
    for what in found.unchecked:
        click.echo(_say(language, "not_checked", what=what))
    looked = {
        "files": found.files,
        "blocks": found.blocks,
        "reports": found.reports,
        "accounts": found.accounts,
    }
    click.echo(_say(language, "damaged" if found.faults else "whole", where=str(found.where), **looked))


def _figures(manifest: Manifest) -> dict[str, object]:
    from tatpar.terminal.json_time import rfc3339  # noqa: PLC0415

    return {
        "moment": rfc3339(manifest.moment_ns),
        "files": len(manifest.files),
        "bytes": manifest.bytes,
        "took_s": manifest.took_s,
        "spread_ms": manifest.spread_ms,
        "store": manifest.store,
    }
