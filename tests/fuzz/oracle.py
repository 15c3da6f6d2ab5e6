"""What may be in the store, said a second time and in other words than the codec's: plain functions over plain values."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from telemetry.messages import Opaque

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telemetry.store.protocol import Received

NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
TOPIC: Final = re.compile(r"tatpar/1/([a-z0-9-]{1,63})/([a-z0-9-]{1,63})/(report|backlog)")
HEX16: Final = re.compile(r"[0-9a-f]{16}")
KINDS: Final = {"stream", "ping", "reach", "link", "call", "rehearsal", "tombstone"}
GRID_NS: Final = 15_000_000_000
SAFE: Final = 2**53 - 1
DAY_NS: Final = 86_400_000_000_000


def rubbish(report: Received, sites: set[str]) -> list[str]:
    """Everything about a report that must not be in a store; empty for a sound one."""
    e = report.envelope
    wrong: list[str] = []
    if e.site not in sites or not NAME.fullmatch(e.site):
        wrong.append(f"site {e.site!r}")
    if not NAME.fullmatch(e.probe):
        wrong.append(f"probe {e.probe!r}")
    if not HEX16.fullmatch(e.epoch):
        wrong.append(f"epoch {e.epoch!r}")
    if type(e.seq) is not int or not 0 <= e.seq <= SAFE:
        wrong.append(f"seq {e.seq!r}")
    if not 0 < len(e.boot) <= 64:
        wrong.append(f"boot {e.boot!r}")
    if e.start_ns % GRID_NS:
        wrong.append(f"start_ns {e.start_ns} is off the grid")
    if not report.received_ns - e.start_ns >= -60_000_000_000:
        wrong.append(f"start_ns {e.start_ns} lies after {report.received_ns}")
    if not 0 <= e.start_ns < 2**63 or not 0 <= e.mono_ns < 2**63 or e.v < 1:
        wrong.append("a time or version out of range")
    if len(e.items) > 256:
        wrong.append(f"{len(e.items)} items")
    for item in e.items:
        wrong += _of_item(item)
    wrong += [f"envelope: {text}" for text in _of_values(msgspec.to_builtins((e.clock, e.self_report)))]
    return wrong


def _of_item(item: Any) -> Iterator[str]:
    if isinstance(item, Opaque):
        if not item.raw or not item.reason or "\n" in item.reason:
            yield f"an opaque item without bytes or reason: {item.reason!r}"
        return
    plain = msgspec.to_builtins(item)
    kind = plain["type"]
    if kind not in KINDS:
        yield f"an item of kind {kind!r}"
    yield from _of_values(plain)
    if kind == "stream":
        yield from _of_stream(plain)
    elif kind == "ping" and plain["received"] > plain["sent"]:
        yield "ping: more answers than questions"
    elif kind == "tombstone" and (
        plain["first_seq"] > plain["last_seq"] or plain["from_ns"] > plain["until_ns"]
    ):
        yield "tombstone: backwards"


def _of_stream(s: dict[str, Any]) -> Iterator[str]:
    up, down = s["up"], s["down"]
    if s["sent"] - s["received"] != s["lost"]:
        yield "stream: sent, received and lost do not add up"
    if up["lost"] + down["lost"] + s.get("lost_unattributed", 0) != s["lost"]:
        yield "stream: directions and lost do not add up"
    if s.get("longest_loss_run", 0) > s["lost"]:
        yield "stream: a run of more losses than there were"
    for name, way in (("up", up), ("down", down)):
        if way["received"] > way["sent"] - way["lost"]:
            yield f"{name}: more received than left"
        for hist in ("pdv_hist", "ipdv_hist"):
            if sum(way.get(hist, ())[1::2]) > way["received"] + way.get("duplicated", 0):
                yield f"{name}.{hist}: more samples than packets"
    for name, one in (("stream", s), ("up", up), ("down", down)):
        if one.get("worst_200ms_lost", 0) > one.get("worst_200ms_sent", 0):
            yield f"{name}: more lost than sent in 200 ms"
    rtt = s.get("rtt")
    if rtt is not None:
        if sum(rtt.get("hist", ())[1::2]) > s["received"]:
            yield "rtt.hist: more samples than packets"
        steps = [rtt[f"{name}_ms"] for name in ("min", "p50", "p95", "p99", "max")]
        if steps != sorted(steps):
            yield f"rtt: {steps}"


def _of_values(value: Any) -> Iterator[str]:
    """Numbers that no store can hold, negative counts, histograms that are none."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith("hist"):
                yield from _of_histogram(key, inner)
            elif (isinstance(inner, int) and not isinstance(inner, bool) and not 0 <= inner < 2**63) or (
                isinstance(inner, float) and inner < 0 and key not in ("offset_ms", "delay_growth_ms")
            ):
                yield f"{key} {inner}"
            else:
                yield from _of_values(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _of_values(inner)
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield f"the number {value}"
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            yield f"text that is none: {value!r}"


def _of_histogram(key: str, pairs: Any) -> Iterator[str]:
    bins, counts = list(pairs[0::2]), list(pairs[1::2])
    if len(bins) != len(counts) or bins != sorted(set(bins)):
        yield f"{key}: bins do not rise"
    if any(not 0 <= b < 1000 for b in bins) or any(not 0 < c < 2**32 for c in counts):
        yield f"{key}: a bin or count out of range"
