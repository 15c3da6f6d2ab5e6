"""The mapping file: which columns of a CSV or Parquet file are our figures, in which units, of which office and path."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Final, Literal

import pandas as pd  # type: ignore[import-untyped,unused-ignore]
from msgspec import Meta, Struct, field

from config.names import ID_RULE, is_id
from config.toml_file import TomlFile
from config.zones import similar_zone, zone_names

if TYPE_CHECKING:
    from pathlib import Path

Text = Annotated[str, Meta(min_length=1)]
LOSSES: Final = ("loss", "loss_up", "loss_down")
ROUND_TRIPS: Final = ("rtt_min", "rtt_mean", "rtt_p50", "rtt_p95", "rtt_p99", "rtt_max")
JITTERS: Final = ("jitter_up", "jitter_down")
COUNTS: Final = ("sent", "lost", "received")
MOST_PACKETS: Final = 1_000_000
"""Of a row."""
OF_LOSS: Final = ("lost", "received", "loss")
"""Each of them says how many were lost."""
MARKS: Final = ("timeout", "lost", "true", "1", "*")
"""What commonly stands where a packet was lost."""


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the mapping file."""


UNIX_NS: Final = {"unix_s": 1_000_000_000, "unix_ms": 1_000_000, "unix_us": 1_000, "unix_ns": 1}
"""Ways of counting time since 1970, and how long a step of each is."""


class File(_Table, frozen=True, kw_only=True):
    """How the file is written; by its name's end where `form` is absent (`.parquet`, else CSV)."""

    form: Literal["csv", "parquet", "trace"] | None = None
    """`trace`: `epoch;rtt;cp`, as labelled traces are published; it needs neither `[time]` nor a table of figures."""
    separator: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    columns: tuple[str, ...] = ()
    """Names of the columns, for a CSV file whose first line is no header."""
    comment: Annotated[str, Meta(min_length=1, max_length=1)] | None = None
    """From this sign on a line of CSV is a comment."""
    shift_weeks: Annotated[int, Meta(ge=-5_000, le=5_000)] = 0
    """All times are moved by whole weeks, so that the hour of the week stays: to replay an old trace as if it were recent."""


class Time(_Table, frozen=True, kw_only=True):
    """A column of times."""

    column: Text
    format: Text = "iso"
    """`iso`, `unix_s`, `unix_ms`, `unix_us`, `unix_ns`, or a pattern as `%d/%m/%Y %H:%M`."""
    zone: Text | None = None
    """Of times that do not say it themselves; absent, they count as UTC."""


class Named(_Table, frozen=True, kw_only=True):
    """Which office, or which path: one for the whole file, or by a column."""

    is_: Text | None = field(default=None, name="is")
    column: Text | None = None
    file_name: bool = False
    """The file's name without its ending."""
    ours: dict[str, str] = field(default_factory=dict, name="values")
    """What stands in the file, and what we call it."""
    skip_others: bool = False
    """Rows of a name that is not listed are passed over instead of refused."""


class Duration(_Table, frozen=True, kw_only=True):
    """A column of round trips or jitter."""

    column: Text
    unit: Literal["ns", "us", "ms", "s"] = "ms"


class Durations(_Table, frozen=True, kw_only=True):
    """Several columns, one packet each."""

    columns: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=1_000)]
    unit: Literal["ns", "us", "ms", "s"] = "ms"


class Share(_Table, frozen=True, kw_only=True):
    """A column of losses as a share of what was sent."""

    column: Text
    unit: Literal["ratio", "pct"]


class Count(_Table, frozen=True, kw_only=True):
    """A column of numbers of packets, or the number that is always the same."""

    column: Text | None = None
    is_: Annotated[int, Meta(ge=1, le=MOST_PACKETS)] | None = field(default=None, name="is")


class Lost(_Table, frozen=True, kw_only=True):
    """A column that says which packets were lost."""

    column: Text
    marks: tuple[str, ...] = MARKS
    """The words that mean lost, in small letters."""


class Ping(_Table, frozen=True, kw_only=True):
    """A row is one packet (`rtt`) or several (`rtts`). Lost: no number, 0 or less, at the timeout, or said so by `lost`."""

    rtt: Duration | None = None
    rtts: Durations | None = None
    timeout_ms: Annotated[float, Meta(ge=1.0, le=60_000.0)] = 60_000.0
    lost: Lost | None = None


class Summary(_Table, frozen=True, kw_only=True):
    """A row is the figures of several packets over `cadence_s`; what is not there stays absent."""

    cadence_s: Annotated[float, Meta(ge=1.0, le=86_400.0)]
    time_is: Literal["start", "end"] = "start"
    """What the row's time is of the span that it tells of."""
    sent: Count
    lost: Count | None = None
    received: Count | None = None
    loss: Share | None = None
    loss_up: Share | None = None
    loss_down: Share | None = None
    rtt_min: Duration | None = None
    rtt_mean: Duration | None = None
    rtt_p50: Duration | None = None
    rtt_p95: Duration | None = None
    rtt_p99: Duration | None = None
    rtt_max: Duration | None = None
    jitter_up: Duration | None = None
    jitter_down: Duration | None = None


class Mapping(_Table, frozen=True, kw_only=True):
    """A mapping file. Exactly one of `ping` and `summary`, but for a trace, which needs neither."""

    probe: Text = "imported"
    """The probe's name that the rows get, so that everybody sees where they are from."""
    file: File = File()
    time: Time | None = None
    arrived: Time | None = None
    """When the figures were known, not before they were measured; absent: with the end of the window."""
    site: Named = Named()
    path: Named
    ping: Ping | None = None
    summary: Summary | None = None

    def columns(self) -> tuple[str, ...]:
        """The columns of the file that are needed, each once."""
        found = [each.column for each in (self.time, self.arrived, self.site, self.path) if each is not None]
        if self.ping is not None:
            found += [each.column for each in (self.ping.rtt, self.ping.lost) if each is not None]
            found += self.ping.rtts.columns if self.ping.rtts is not None else ()
        if self.summary is not None:
            parts = (getattr(self.summary, name) for name in (*COUNTS, *LOSSES, *ROUND_TRIPS, *JITTERS))
            found += [part.column for part in parts if part is not None]
        return tuple(dict.fromkeys(name for name in found if name is not None))


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        ConfigError: with the line, for any mistake in it.
    """
    file = TomlFile(path)
    mapping = file.convert(file.tables, Mapping)
    if not is_id(mapping.probe):
        raise file.wrong(("probe",), f'probe "{mapping.probe}" is not made of {ID_RULE}', 'write "imported"')
    _check_file(file, mapping.file)
    _check_rows(file, mapping)
    for key in ("time", "arrived"):
        _check_time(file, key, getattr(mapping, key))
    for key in ("site", "path"):
        _check_named(file, key, getattr(mapping, key))
    return mapping


def _check_file(file: TomlFile, told: File) -> None:
    """Signs that can part cells or lines of CSV, and columns that can be told apart."""
    for key, sign in (("separator", told.separator), ("comment", told.comment or "#")):
        if not (sign == "\t" or (sign.isascii() and sign.isprintable())) or sign == '"':
            raise file.wrong(
                ("file", key), f"{key} is {sign!r}", "write one sign of ASCII that is no quote, as ; or \\t"
            )
    if told.comment == told.separator:
        raise file.wrong(("file", "comment"), "comment and separator are the same sign", "write another")
    twice = [name for name, count in Counter(told.columns).items() if count > 1]
    if twice:
        raise file.wrong(
            ("file", "columns"), f'the column "{twice[0]}" stands twice', "give one of them another name"
        )


def _check_rows(file: TomlFile, mapping: Mapping) -> None:
    """One kind of row, with what it needs."""
    is_trace = mapping.file.form == "trace"
    for key in ("time", "arrived", "ping", "summary"):
        if is_trace and getattr(mapping, key) is not None:
            raise file.wrong(
                (key,), f"a trace is always read the same way, without [{key}]", f"leave [{key}] out"
            )
    if is_trace:
        _check_trace_names(file, mapping)
        return
    if mapping.time is None:
        raise file.wrong((), "the file has no [time]", 'add [time] with column = "…"')
    if (mapping.ping is None) == (mapping.summary is None):
        which = "both [ping] and [summary]" if mapping.ping else "neither [ping] nor [summary]"
        raise file.wrong(
            ("summary",),
            f"the file has {which}",
            "write [ping] for a packet a row, [summary] for figures of several",
        )
    if mapping.ping is not None and (mapping.ping.rtt is None) == (mapping.ping.rtts is None):
        raise file.wrong(
            ("ping",),
            "[ping] needs the round trips",
            'write rtt = { column = "…" }, or rtts = { columns = […] }',
        )
    if mapping.summary is not None:
        _check_summary(file, mapping.summary)


def _check_trace_names(file: TomlFile, mapping: Mapping) -> None:
    """Of a trace only times and round trips are read."""
    for key, named in (("site", mapping.site), ("path", mapping.path)):
        if named.column is not None:
            raise file.wrong(
                (key, "column"),
                f"a trace has no column that could name the {'office' if key == 'site' else 'path'}",
                "write is, or file_name = true",
            )


def _check_summary(file: TomlFile, summary: Summary) -> None:
    for key in COUNTS:
        count: Count | None = getattr(summary, key)
        if count is not None and (count.column is None) == (count.is_ is None):
            raise file.wrong(
                ("summary", key), f"{key} needs either a column or a number", f"write {key} = {{ is = 20 }}"
            )
    told = [key for key in OF_LOSS if getattr(summary, key) is not None]
    if len(told) > 1:
        raise file.wrong(
            ("summary", told[-1]), f"{' and '.join(told[-2:])} say the same thing", "keep one of the two"
        )


def _check_time(file: TomlFile, key: str, time: Time | None) -> None:
    if time is None:
        return
    if time.zone is not None and time.zone not in zone_names():
        raise file.wrong(
            (key, "zone"), f'"{time.zone}" is no time zone', f'write "{similar_zone(time.zone)}", or "UTC"'
        )
    if time.format not in (*UNIX_NS, "iso") and not _is_pattern(time.format):
        raise file.wrong(
            (key, "format"),
            f'"{time.format}" is no way of writing times',
            f"write one of: iso, {', '.join(UNIX_NS)}, or a pattern like %d/%m/%Y %H:%M",
        )


def _is_pattern(form: str) -> bool:
    """Whether times can be read by it; pandas says so only when it is used."""
    try:
        pd.to_datetime(pd.Series([""]), format=form, errors="coerce", utc=True)
    except (ValueError, re.error):
        return False
    return "%" in form


def _check_named(file: TomlFile, key: str, named: Named) -> None:
    told = (named.is_ is not None) + (named.column is not None) + named.file_name
    if told > 1 or (key == "path" and not told):
        raise file.wrong(
            (key,),
            f"[{key}] needs exactly one of is, column and file_name",
            'write is = "main.state"' if key == "path" else 'write is = "agra", or column = "…"',
        )
    if named.skip_others and not named.ours:
        raise file.wrong(
            (key, "skip_others"),
            f"[{key}] skips others than it lists, and lists none",
            f"add [{key}.values]",
        )
