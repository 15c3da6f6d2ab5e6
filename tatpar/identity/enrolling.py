"""What `tatpar enroll`, `revoke` and `command` share: the hub's identity opened, the office's file, orders and answers."""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collector.enrolment.authority import Authority
from collector.enrolment.desk import Offer
from collector.enrolment.doorkeeper import FOLDER, applied, rules_for
from collector.enrolment.issuing import current, who
from collector.enrolment.keys import KeyRing
from config.address import HostPort
from config.settings_file import timezone_of
from tatpar.terminal.json_time import rfc3339
from telemetry.control import Command
from telemetry.signing import signed_command
from telemetry.state.commands import CommandRow
from telemetry.state.db import StateDb
from telemetry.state.file import STATE_FILE
from telemetry.windows import SECOND_NS
from telemetry.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from collector.enrolment.issuing import Issued
    from config.settings import Settings

APPLIED_WITHIN_S: Final = 8.0
_LOOK_S: Final = 0.1


@dataclass(frozen=True)
class Hub:
    """The identity of the hub in a data folder, open."""

    settings: Settings
    data_dir: Path
    state: StateDb
    keys: KeyRing
    authority: Authority

    @property
    def desks(self) -> tuple[str, ...]:
        """`host:port` of the enrolment desk, best first."""
        return addresses(self.settings.desk_names, self.settings.enrolment.port)

    def wait_for_broker(self) -> bool:
        """Whether the broker has been told what the state database says; at once true where we keep no broker's door."""
        if not self.settings.broker.is_public:
            return True
        end = time.monotonic() + APPLIED_WITHIN_S
        while True:
            wanted = rules_for(self.state, self.settings.broker.root, time.time_ns()).digest
            told = applied(self.data_dir)
            if told is not None and told.digest == wanted:
                return True
            if time.monotonic() > end:
                return False
            time.sleep(_LOOK_S)


@contextmanager
def opened(settings: Settings, data_dir: Path) -> Iterator[Hub]:
    """The identity in a data folder, made at the first need.

    Raises:
        AuthorityError, StateError, ValueError: something of it is damaged.
        OSError: the folder cannot be read or written: only whoever may is let to enrol, revoke and command.
    """
    folder = data_dir / FOLDER
    keys, authority = KeyRing(folder), Authority(folder, time.time_ns())
    state = StateDb(data_dir / STATE_FILE)
    try:
        yield Hub(settings, data_dir, state, keys, authority)
    finally:
        state.close()


def addresses(names: tuple[str, ...], port: int) -> tuple[str, ...]:
    """`host:port` of each name."""
    return tuple(str(HostPort(name, port)) for name in names)


def offer(settings: Settings, authority: Authority, own: tuple[str, int] | None) -> Offer:
    """What probes are told of the broker; `own`: where one that is for this machine only listens.

    Raises:
        OSError: the file of `broker.ca` cannot be read.
    """
    from pathlib import Path  # noqa: PLC0415

    from config.plain_file import read_plain  # noqa: PLC0415

    broker, language = settings.broker, settings.deployment.language
    if broker.is_public:
        brokers = addresses(broker.names, broker.public_port)
        return Offer(brokers, broker.root, authority.certificate_pem, language)
    vouching = read_plain(Path(broker.ca)).decode() if broker.ca else ""
    host, port = own or (broker.host, broker.port)
    return Offer((str(HostPort(host, port)),), broker.root, vouching, language)


def office_file(hub: Hub, issued: Issued) -> str:
    """The one file for the office: the desk's addresses, the pin, the token, and nothing else."""
    one = issued.credential
    hubs = ", ".join(f'"{address}"' for address in hub.desks)
    return (
        f"# Enrolment of {one.site}/{one.probe}: on its machine run\n"
        "#     tatpar probe --enrolment FILE\n"
        f"# Good once, until {rfc3339(one.expires_ns)}. Whoever has this file can become this probe: hand it over in person,\n"
        "# or by a channel that you trust, and delete it afterwards.\n"
        f'hub = [{hubs}]\npin = "{hub.authority.pin}"\ntoken = "{issued.token}"\n'
    )


def order(  # noqa: PLR0913, PLR0917 - to whom, what, until when
    hub: Hub, site: str, probe: str, verb: str, arguments: Mapping[str, str], within_s: float
) -> CommandRow:
    """Write an order down, signed if the probe is enrolled; a collector will send it.

    Raises:
        StateError: the state database cannot be written.
    """
    now_ns = time.time_ns()
    bare = Command(
        verb=verb,
        arguments=dict(arguments),
        id=uuid.uuid4().hex,
        issued_ns=now_ns,
        expires_ns=now_ns + round(within_s * SECOND_NS),
    )
    credential = current(hub.state, site, probe, now_ns)
    command = (
        bare if credential is None else signed_command(hub.keys.command_key(credential), site, probe, bare)
    )
    row = CommandRow(command.id, site, probe, who(), now_ns, command.expires_ns, command)
    hub.state.put_command(row)
    return row


def answered(hub: Hub, row: CommandRow) -> CommandRow:
    """The order once it is answered or has run out."""
    while True:
        now = hub.state.command(row.id) or row
        if now.answered_ns is not None or time.time_ns() > row.expires_ns + SECOND_NS // 2:
            return now
        time.sleep(_LOOK_S)


def silence(hub: Hub, row: CommandRow, language: str) -> str:
    """Why there is no answer, as far as we know."""
    whose = f"{row.site}/{row.probe}"
    if row.sent_ns is None:
        return say(language, "identity.not_sent", who=whose)
    presence = hub.state.presence().get((row.site, row.probe))
    if presence is not None and not presence.online:
        zone = timezone_of(hub.settings)
        return say(language, "identity.off_line", zone=zone, who=whose, since=presence.since_ns)
    return say(language, "identity.no_answer", who=whose)
