"""`probe.toml`, the one file that the operator writes for an office: read strictly, explained by line when wrong.

The reference of every key is `config/defaults/probe.toml`.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from config.address import is_loopback, parse_address
from config.names import ID_RULE, is_id, suggested_id
from config.plain_file import NotPlainError, must_be_plain
from config.reach import CHECK_RULE, MOST_CHECKS, parse_check
from config.text import read_text
from config.toml_file import TomlFile, shown
from probes.call.ports import PLATFORM_PORTS, port_ranges
from probes.call.sides import networks
from probes.enrolment.credentials import CredentialsError, load_credentials
from probes.publishing.office_settings import (
    WINDOWS_PER_DAY,
    BacklogPace,
    OfficeSettings,
    RehearsalLimits,
    SpoolLimits,
)
from probes.publishing.plan import MAX_ENDS
from telemetry.topics import DEFAULT_ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from config.errors import ConfigError

Text = Annotated[str, Meta(min_length=1)]
Pace = Annotated[float, Meta(ge=0.01, le=1000)]


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; a key that is none is refused."""


class BrokerTable(_Table, frozen=True, kw_only=True):
    """Where the hub's broker is."""

    host: Text
    port: Annotated[int, Meta(ge=1, le=65535)] = 1883
    user: str = ""
    password: str = ""
    password_file: str = ""
    ca: str = ""
    insecure: bool = False
    credentials: str = ""
    root: Text = DEFAULT_ROOT


class PingTable(_Table, frozen=True, kw_only=True):
    """Who is pinged."""

    targets: tuple[Literal["gateway", "ends"], ...] = ("gateway", "ends")


class LinkTable(_Table, frozen=True, kw_only=True):
    """Whose interface counters are reported."""

    interface: str = "auto"


class CallTable(_Table, frozen=True, kw_only=True):
    """Where live calls are seen."""

    interface: str = ""
    hosts: tuple[str, ...] = ()
    ports: tuple[str, ...] = PLATFORM_PORTS


class StampTable(_Table, frozen=True, kw_only=True):
    """What test packets are like."""

    signed: bool = False
    dscp: Annotated[int, Meta(ge=0, le=63)] = 0
    timestamps: Literal["ntp", "ptp"] = "ntp"


class ReachTable(_Table, frozen=True, kw_only=True):
    """What is asked for an answer beside the line."""

    enabled: bool = True
    room: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()


class RehearsalTable(_Table, frozen=True, kw_only=True):
    """What rehearsals may do to the line."""

    enabled: bool = True
    most_up_bps: Annotated[float, Meta(ge=0, le=1e12)] = 0
    most_down_bps: Annotated[float, Meta(ge=0, le=1e12)] = 0
    day_megabytes: Annotated[float, Meta(ge=0, le=1_000_000)] = 300


class SpoolTable(_Table, frozen=True, kw_only=True):
    """How much is kept."""

    days: Annotated[float, Meta(ge=0.001, le=3650)] = 30
    megabytes: Annotated[float, Meta(ge=1, le=1_000_000)] = 1200


class BacklogTable(_Table, frozen=True, kw_only=True):
    """How fast old reports follow."""

    per_second: Pace = 20
    per_second_in_meeting: Pace = 2


class ProbeTables(_Table, frozen=True, kw_only=True):
    """The whole of `probe.toml`."""

    site: Text
    broker: BrokerTable
    probe: Text = "p1"
    ends: dict[str, object] = {}
    ping: PingTable = PingTable()
    link: LinkTable = LinkTable()
    call: CallTable = CallTable()
    stamp: StampTable = StampTable()
    reach: ReachTable = ReachTable()
    rehearsal: RehearsalTable = RehearsalTable()
    spool: SpoolTable = SpoolTable()
    backlog: BacklogTable = BacklogTable()


def load_probe_file(path: Path, data_dir: Path) -> OfficeSettings:
    """The office's settings; its spool lies in the data folder.

    Raises:
        ConfigError: the file is missing or wrong: where, what, and what to write instead.
    """
    return _ProbeFile(path).settings(data_dir)


class _ProbeFile:
    def __init__(self, path: Path) -> None:
        self._toml = TomlFile(path)
        self._folder = path.parent
        self._tables = self._toml.convert(self._toml.tables, ProbeTables)

    def settings(self, data_dir: Path) -> OfficeSettings:
        tables = self._tables
        broker = tables.broker
        for key, value in (("site", tables.site), ("probe", tables.probe)):
            self._check_id(key, value)
        self._check_root()
        self._check_transport()
        return OfficeSettings(
            site=tables.site,
            probe=tables.probe,
            broker_host=broker.host,
            broker_port=broker.port,
            user=broker.user,
            password=self._password(),
            tls_ca=self._authority(),
            credentials=self._credentials(),
            root=broker.root,
            spool=data_dir / "spool" / f"{tables.site}.db",
            ends=self._ends(),
            ping_targets=tables.ping.targets,
            interface=tables.link.interface,
            call_interface=tables.call.interface,
            call_hosts=self._call_hosts(),
            call_ports=self._call_ports(),
            signed=self._signed(),
            dscp=tables.stamp.dscp,
            ptp=tables.stamp.timestamps == "ptp",
            reach_enabled=tables.reach.enabled,
            reach_room=self._questions("room", tables.reach.room),
            reach_edges=self._questions("edges", tables.reach.edges),
            rehearsal=RehearsalLimits(
                enabled=tables.rehearsal.enabled,
                most_up_bps=tables.rehearsal.most_up_bps,
                most_down_bps=tables.rehearsal.most_down_bps,
                day_octets=round(tables.rehearsal.day_megabytes * 1e6),
            ),
            spool_limits=SpoolLimits(
                max_reports=max(1, round(tables.spool.days * WINDOWS_PER_DAY)),
                max_bytes=round(tables.spool.megabytes * 1e6),
            ),
            backlog=BacklogPace(
                per_second=tables.backlog.per_second,
                per_second_in_meeting=tables.backlog.per_second_in_meeting,
            ),
        )

    def _check_root(self) -> None:
        root = self._tables.broker.root
        if "+" in root or "#" in root or root.startswith(("/", "$")) or root.endswith("/"):
            raise self._toml.wrong(
                ("broker", "root"),
                f"broker.root is {shown(root)}",
                'write levels without + # $, as "tatpar/1"',
            )

    def _check_transport(self) -> None:
        """Whatever leaves this machine is encrypted, unless the operator says by name that it need not be."""
        broker = self._tables.broker
        if not (broker.ca or broker.insecure or is_loopback(broker.host)):
            raise self._toml.wrong(
                ("broker", "host"),
                f"broker.host {shown(broker.host)} is another machine and broker.ca is empty: there would be no TLS",
                "enrol this probe (tatpar probe --enrolment FILE), add ca, or insecure = true",
            )

    def _credentials(self) -> Path | None:
        """The file of the enrolment, tried now."""
        name = self._tables.broker.credentials
        if not name:
            return None
        try:
            kept = load_credentials(self._folder / name)
        except CredentialsError as error:
            raise self._toml.wrong(
                ("broker", "credentials"),
                f"broker.credentials is {shown(name)}: {error}",
                "name the file that the enrolment wrote",
            ) from error
        if (kept.site, kept.probe) != (self._tables.site, self._tables.probe):
            raise self._toml.wrong(
                ("broker", "credentials"),
                f"broker.credentials is {shown(name)}, which is of {kept.site}/{kept.probe}",
                "enrol this probe for itself",
            )
        return self._folder / name

    def _call_hosts(self) -> tuple[str, ...]:
        hosts = self._tables.call.hosts
        try:
            networks(hosts)
        except ValueError as error:
            raise self._toml.wrong(
                ("call", "hosts"),
                f"call.hosts: {error}",
                'write addresses or networks of the room\'s devices, as ["10.1.2.3", "10.1.3.0/24"]',
            ) from error
        return hosts

    def _call_ports(self) -> tuple[str, ...]:
        ports = self._tables.call.ports
        try:
            port_ranges(ports)
        except ValueError as error:
            raise self._toml.wrong(
                ("call", "ports"), f"call.ports: {error}", 'write ports or ranges, as ["9000", "8801-8810"]'
            ) from error
        return ports

    def _questions(self, key: str, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            if parse_check(text) is None:
                raise self._toml.wrong(
                    ("reach", key), f"reach.{key} has {shown(text)}", f"write {CHECK_RULE}"
                )
        if len(texts) > MOST_CHECKS:
            raise self._toml.wrong(
                ("reach", key), f"reach.{key} has {len(texts)} entries", f"keep at most {MOST_CHECKS}"
            )
        return texts

    def _signed(self) -> bool:
        if self._tables.stamp.signed and not self._tables.broker.credentials:
            raise self._toml.wrong(
                ("stamp", "signed"),
                "stamp.signed is true, but there is no key: broker.credentials is empty",
                "enrol this probe, or write false",
            )
        return self._tables.stamp.signed

    def _check_id(self, key: str, value: str) -> None:
        if not is_id(value):
            raise self._toml.wrong(
                (key,), f"{key} is {shown(value)}, but an id is {ID_RULE}", f'write "{suggested_id(value)}"'
            )

    def _ends(self) -> dict[str, str]:
        ends: dict[str, str] = {}
        for key, value in self._tables.ends.items():
            uplink, dot, end = key.partition(".")
            if not all(is_id(part) for part in ((uplink, end) if dot else (uplink,))):
                raise self._wrong_end(
                    key, f"ends has {shown(key)}", f'write an end, or "uplink.end"; each is {ID_RULE}'
                )
            if not isinstance(value, str) or parse_address(value) is None:
                raise self._wrong_end(
                    key, f"ends.{key} is {shown(value)}", 'write host:port in quotes, as "10.20.0.5:862"'
                )
            ends[key] = value
        if len(ends) > MAX_ENDS:
            raise self._toml.wrong(("ends",), f"ends has {len(ends)} entries", f"keep at most {MAX_ENDS}")
        return ends

    def _wrong_end(self, key: str, problem: str, remedy: str) -> ConfigError:
        return self._toml.wrong(("ends", key), problem, remedy)

    def _password(self) -> str:
        broker = self._tables.broker
        if not broker.password_file:
            return broker.password
        if broker.password:
            raise self._toml.wrong(
                ("broker", "password"), "broker has a password and a password_file", "keep one of the two"
            )
        return (read_text(self._folder / broker.password_file).splitlines() or [""])[0]

    def _authority(self) -> Path | None:
        """The authority's file, tried now so that a wrong one is not found out at night."""
        ca = self._tables.broker.ca
        if not ca:
            return None
        file = self._folder / ca
        try:
            must_be_plain(file)
            ssl.create_default_context(cafile=file)
        except OSError as error:  # SSLError among them
            why = (
                "there is no such file" if isinstance(error, FileNotFoundError) else "it holds no certificate"
            )
            why = f"it is {error.strerror}" if isinstance(error, NotPlainError) else why
            raise self._toml.wrong(
                ("broker", "ca"),
                f"broker.ca is {shown(ca)}: {why}",
                "name the PEM file that came with the enrolment",
            ) from error
        return file
