"""`tatpar store backup`, `verify` and `restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import (
    data_option,
    existing_folder,
    failed,
    json_option,
    say_json,
    settings_and_data,
    unused_config_option,
    wrong_input,
)
from tatpar.terminal.progress_line import ProgressLine

if TYPE_CHECKING:
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
@json_option
def backup(
    folder: Path,
    config_file: Path | None,
    data_dir: Path,
    keep: int | None,
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

    existing_folder(data_dir)
    try:
        with ProgressLine() as bar:
            place, manifest = make(load_config(config_file), data_dir, folder, bar.copied)
        gone = [] if keep is None else forget_old(folder, keep, place)
    except BackupError as error:
        failed(f"tatpar store backup: {error}")
    if as_json:
        say_json({"backup": str(place), **_figures(manifest), "removed": [str(path) for path in gone]})
        return
    click.echo(
        f"{place}: {len(manifest.files)} files, {manifest.bytes / 1e6:.1f} MB in {manifest.took_s:.1f} s,"
        f" all as of one moment (databases within {manifest.spread_ms:.1f} ms)"
    )
    if manifest.store != "sqlite":
        click.echo(
            f"not in it: what the {manifest.store} server has; back that up with the server's own tool"
        )
    if manifest.strangers:
        click.echo(f"not in it, since nobody has said what it is: {', '.join(manifest.strangers)}")
    for path in gone:
        click.echo(f"{path}: removed, --keep {keep}")


@click.command("verify", short_help="is a backup, or the hub's data, whole")
@click.argument(
    "backup_dir", metavar="[BACKUP]", required=False, type=click.Path(path_type=Path, file_okay=False)
)
@unused_config_option
@data_option
@json_option
def verify(backup_dir: Path | None, data_dir: Path, as_json: bool) -> None:  # noqa: FBT001
    """Look through a backup; without one, through the data folder, also while the hub works.

    Every file against its digest, every database page, every packed block unpacked, every report decoded, the ledger against what
    is there. Ends with 1 when anything is wrong.

    Example: tatpar store verify /srv/backups/tatpar-20261126T083000Z
    """
    from tatpar.store.backups.manifest import BackupError  # noqa: PLC0415
    from tatpar.store.backups.verifying import verify_backup, verify_data  # noqa: PLC0415

    existing_folder(backup_dir or data_dir)
    try:
        with ProgressLine() as bar:
            found = (
                verify_data(data_dir, bar.share)
                if backup_dir is None
                else verify_backup(backup_dir, bar.share)
            )
    except BackupError as error:
        failed(f"tatpar store verify: {error}")
    _say_verified(found, as_json=as_json)
    if found.faults:
        raise SystemExit(1)


@click.command("restore", short_help="put a backup into an empty data folder")
@click.argument("backup_dir", metavar="BACKUP", type=click.Path(path_type=Path, file_okay=False))
@unused_config_option
@data_option
@click.option(
    "--restore-config",
    "config_dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="An empty folder for the settings, offices, meetings that the backup holds; without it they stay there.",
)
@json_option
def restore(backup_dir: Path, data_dir: Path, config_dir: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Put a backup into an empty data folder. Then start the hub: the probes' spools fill what they still have.

    Killed, it goes on when it is started again. Tokens of enrolment that were not redeemed end, and everybody is signed out.

    Example: tatpar store restore /srv/backups/tatpar-20261126T083000Z --data /var/lib/tatpar --restore-config /etc/tatpar
    """
    from tatpar.store.backups.manifest import BackupError, NotEmptyError  # noqa: PLC0415
    from tatpar.store.backups.restoring import restore as put_back  # noqa: PLC0415

    if not backup_dir.is_dir():
        wrong_input(f"{backup_dir}: no such folder; name the one that `tatpar store backup` printed")
    try:
        with ProgressLine() as bar:
            done = put_back(backup_dir, data_dir, config_dir, bar.copied)
    except NotEmptyError as error:
        wrong_input(f"tatpar store restore: {error}")
    except BackupError as error:
        failed(f"tatpar store restore: {error}")
    if as_json:
        import msgspec  # noqa: PLC0415

        say_json(msgspec.to_builtins(done))
    else:
        click.echo("\n".join(_restored(done)))


def _restored(done: Restored) -> list[str]:
    from tatpar.terminal.json_time import rfc3339  # noqa: PLC0415

    lines = [f"{done.data}: {done.files} files, {done.bytes / 1e6:.1f} MB, as of {rfc3339(done.moment_ns)}"]
    if done.was_there:
        lines.append(
            "it had been put back there already, and no hub has worked with it since: nothing was changed"
        )
    if not done.is_sealed:
        lines.append("manifest.json was not checked: the release that made this backup wrote no digest of it")
    if done.config:
        lines.append(
            f"{done.config}: what the operator wrote"
            + (f"; settings: {done.settings}" if done.settings else "")
        )
    lines += [
        f"{origin}: lay elsewhere; it is below {done.config or 'config'}/elsewhere"
        for origin in done.elsewhere
    ]
    lines.append(
        "reports that came after that moment come again where an office still has them; `tatpar gaps` tells the rest"
    )
    lines.append("who was revoked after that moment is let in again: revoke them anew (tatpar revoke SITE)")
    lines.append("probes enrolled after that moment are strangers: enrol them again (tatpar enroll SITE)")
    if done.tokens_ended:
        lines.append(
            f"{done.tokens_ended} enrolment tokens that were not redeemed by then have ended; make new ones"
        )
    if done.waiting_messages:
        lines.append(
            f"{done.waiting_messages} messages waited then and are sent again, though they may have gone out since:"
            " tatpar alerts list"
        )
    return lines


def _say_verified(found: Verified, *, as_json: bool) -> None:
    if as_json:
        import msgspec  # noqa: PLC0415

        say_json(msgspec.to_builtins(found))
        return
    for fault in found.faults:
        click.echo(fault)
    for what in found.unchecked:
        click.echo(f"not checked: {what}")
    looked = f"{found.files} files, {found.blocks} blocks, {found.reports} recent reports, {found.accounts} ledgers"
    click.echo(f"{found.where}: {'whole' if not found.faults else 'NOT WHOLE'}; looked at {looked}")


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
