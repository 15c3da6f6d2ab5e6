"""`tatpar probe`: the office's agent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import data_option, explains_config, failed, log_option

if TYPE_CHECKING:
    from probes.publishing.office_settings import OfficeSettings

ONCE_S = 75.0


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    default=Path("probe.toml"),
    show_default=True,
    envvar="TATPAR_PROBE_CONFIG",
    help="The office's settings.",
)
@data_option
@click.option(
    "--enrolment",
    "enrolment_file",
    type=click.Path(path_type=Path),
    default=None,
    help="The file that the hub gave out: redeem it, once, and use the settings that come of it.",
)
@click.option("--check", is_flag=True, help="Read the settings, say what they mean, and end.")
@click.option(
    "--once",
    is_flag=True,
    help="Try the probe out: end with 0 when the hub has stored a report in which every headquarters and ping target"
    " answered; after 75 s say what is missing, with status 1 when no report arrived or a headquarters is silent.",
)
@log_option
@explains_config
def command(  # noqa: PLR0913 - one argument an option
    config_file: Path,
    data_dir: Path,
    enrolment_file: Path | None,
    *,
    check: bool,
    once: bool,
    log_format: str | None,
) -> None:
    """Measure this office's lines, keep the reports on disk, and publish them to the hub, for ever.

    Ends with 0 when stopped (SIGTERM, Ctrl-C), 1 when another probe uses the same spool, 2 when the settings are wrong.

    Example: tatpar probe --enrolment agra.enrolment.toml --data data
    """
    import logging  # noqa: PLC0415 - keeps --help fast

    from config.address import is_loopback  # noqa: PLC0415
    from probes.publishing.probe_file import load_probe_file  # noqa: PLC0415
    from probes.publishing.spool import Spool  # noqa: PLC0415
    from probes.publishing.spool_file import SpoolError  # noqa: PLC0415
    from tatpar import office_process  # noqa: PLC0415
    from tatpar.service.logs import set_up  # noqa: PLC0415

    if enrolment_file is not None:
        config_file = _redeemed(enrolment_file, data_dir)
    office = load_probe_file(config_file, data_dir)
    if check:
        click.echo(_described(office))
        return
    set_up(log_format or "text")
    if office.tls_ca is None and not is_loopback(office.broker_host):
        logging.getLogger(__name__).warning(
            "%s: broker.insecure: reports and password go to %s without TLS",
            office.key,
            office.broker_host,
            extra={"event": "broker.insecure", "subject": office.key},
        )
    try:  # what is wrong from the start is for the operator; what goes wrong later the agent outlives
        Spool(office.spool, site=office.site, probe=office.probe).close()
    except SpoolError as error:
        failed(str(error))
    if not once and office_process.can_become():
        try:
            office_process.become(config_file, data_dir, log_format or "text")
        except OSError as error:
            failed(f"the agent cannot be started: {error.strerror}: {sys.executable}; install tatpar again")
    try:
        told = office_process.run(office, once_s=ONCE_S if once else None)
    except office_process.OfficeError as error:
        failed(str(error))
    if told is not None:
        click.echo(told)


def _redeemed(enrolment_file: Path, data_dir: Path) -> Path:
    """The settings that came of an enrolment file; redeems it when that has not been done."""
    from probes.enrolment.credentials import CredentialsError  # noqa: PLC0415
    from probes.enrolment.desk_client import DeskError  # noqa: PLC0415
    from probes.enrolment.redeem import PROBE_FILE, is_redeemed, load_enrolment, redeem_into  # noqa: PLC0415

    settings = data_dir / PROBE_FILE
    if not enrolment_file.exists() and settings.exists():
        return settings  # redeemed and deleted, as it should be
    enrolment = load_enrolment(enrolment_file)
    if is_redeemed(enrolment, data_dir):
        return settings
    try:
        kept = redeem_into(enrolment, data_dir)
    except (DeskError, CredentialsError) as error:
        if not settings.exists():
            failed(f"{enrolment_file}: {error}")
        click.echo(f"{enrolment_file}: {error}; going on with the credentials of before", err=True)
    else:
        click.echo(f"{kept.site}/{kept.probe}: enrolled; delete {enrolment_file}", err=True)
    return settings


def _described(office: OfficeSettings) -> str:
    ends = (
        ", ".join(f"{end} at {address}" for end, address in office.ends.items()) or "those of the hub's plan"
    )
    speech = "TLS" if office.tls_ca else "no TLS"
    return f"{office.key}: broker {office.broker_host}:{office.broker_port} ({speech}), ends: {ends}, spool {office.spool}"
