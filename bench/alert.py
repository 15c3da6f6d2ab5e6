"""From the first lost packet to the message: how long until the mail server has it, and where the time goes.

`tatpar up --lab` with 92 emulated offices: real STAMP packets through relays, mosquitto, collector, watch, alerts, SMTP. A meeting
is 50 minutes away. Offices break one after the other, at random times within the 15 s window; the mail to an office's own
in-charge is timed at the SMTP server. Severe: half of the packets up are lost; mild: three in a hundred, where the call allows one.
"""

from __future__ import annotations

import contextlib
import csv
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from email import message_from_bytes
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from aiosmtpd.controller import Controller

from config.load import load_config
from lab.running.control import Break, Broken, Heal, Healed, ask
from lab.running.effect import Effect
from telemetry.state.db import StateDb
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteReader
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from telemetry.alerting import Alert

OFFICES: Final = 92
WARM_S: Final = 60
EACH: Final = 16
"""Onsets of each kind; they come one after the other, so that no two are taken for one shared fault."""
QUICK_EACH: Final = 3
GAP_S: Final = 14.0
PATIENCE_S: Final = 150.0
MEETING_MIN: Final = 50
KINDS: Final = {
    "severe": Effect(direction="up", loss_ratio=0.5),
    "mild": Effect(direction="up", loss_ratio=0.03),
}
TARGETS_S: Final = {"severe": 40.0, "mild": 60.0}
STAGES: Final = ("to_window_end", "to_stored", "to_seen", "to_fired", "to_handed_over")
REVISION_READS: Final = 2000
QUIET: Final = """[[kinds]]
id = "clear"
share = 1
access_ms = 5.0
jitter_ms = 0.5
loss_ratio = 0.0
spread = 0.0
"""
SETTINGS: Final = """[alerts]
smtp_host = "127.0.0.1"
smtp_port = {port}
default_quiet = []
default_per_hour = 1000
"""
MEETING: Final = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//bench//EN\nBEGIN:VEVENT\nUID:review\nSUMMARY:review\nDTSTART:{start}\n"
    "DURATION:PT60M\nATTENDEE:all\nX-TATPAR-END:state\nX-TATPAR-PROFILE:video-720p\nEND:VEVENT\nEND:VCALENDAR\n"
)


@dataclass
class Sink:
    """An SMTP server that notes when it had which office's first mail."""

    at_ns: dict[str, int] = field(default_factory=dict)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: ANN401, N802 - aiosmtpd's
        message_from_bytes(envelope.content)
        for recipient in envelope.rcpt_tos:
            self.at_ns.setdefault(recipient.partition("@")[0], time.time_ns())
        return "250 taken"


@dataclass
class Onset:
    """One office that begins to lose packets."""

    site: str
    kind: str
    began_ns: int
    healed: bool = False


def arguments(parser: argparse.ArgumentParser) -> None:
    """`--quick`: a few onsets; `--offices N`: a smaller fleet; `--onsets N`: of each kind."""
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EACH} onsets of each kind")
    parser.add_argument(
        "--offices", type=int, default=OFFICES, help=f"how many are linked (default {OFFICES})"
    )
    parser.add_argument("--onsets", type=int, default=None, help=f"of each kind (default {EACH})")
    parser.add_argument("--seed", type=int, default=1, help="of the offices' order and the times")


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """Seconds from the onset to the hand-over by kind, and the mean of each stage; `missed` got no mail within the patience."""
    each = options.onsets or (QUICK_EACH if options.quick else EACH)
    figures: dict[str, object] = {"cores": os.cpu_count() or 1, "load_before": os.getloadavg()[0]}
    sink = Sink()
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-alert-") as name:
            folder = Path(name)
            sites = _deployment(folder, options.offices, port)
            with _hub(folder) as hub:
                _wait_until_heard(folder / "data", sites, hub, progress)
                onsets = _break_one_after_the_other(
                    folder / "data", sites, each, sink, options.seed, progress
                )
            figures |= _figures(folder / "data", onsets, sink)
            figures["revision_read_us"] = _revision_us(folder / "data")
    finally:
        controller.stop()
    return figures | {"offices": len(sites), "load_after": os.getloadavg()[0]}


def failed(figures: dict[str, object]) -> bool:
    """Whether a target was missed, or a mail did not come."""
    return any(
        float(str(figures.get(f"{kind}_p99_s", "inf"))) > target or figures.get(f"{kind}_missed") != 0
        for kind, target in TARGETS_S.items()
    )


def _deployment(folder: Path, count: int, port: int) -> list[str]:
    """So many linked offices, each with a provider and an in-charge of its own, and a meeting of them all."""
    with load_config(None).sources.sites.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))[:count]
    for row in rows:
        row |= {"status": "linked", "contact_email": f"{row['id']}@office.example"}
    with (folder / "sites.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    (folder / "meetings").mkdir()
    start = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + 60 * MEETING_MIN))
    text = MEETING.format(start=start).replace("\n", "\r\n")
    (folder / "meetings" / "review.ics").write_text(text, encoding="utf-8")
    (folder / "lab.toml").write_text(QUIET, encoding="utf-8")
    (folder / "tatpar.toml").write_text(SETTINGS.format(port=port), encoding="utf-8")
    return [row["id"] for row in rows]


@contextlib.contextmanager
def _hub(folder: Path) -> Any:  # noqa: ANN401 - a generator of a process
    command = [sys.executable, "-m", "tatpar", "up", "--lab", "--history", "0", "--port", "0"]
    place = ["--config", str(folder / "tatpar.toml"), "--data", str(folder / "data")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, *place], stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    except Exception:
        sys.stderr.write((folder / "log").read_text(encoding="utf-8", errors="replace")[-4000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait_until_heard(
    data: Path, sites: list[str], hub: subprocess.Popen[bytes], progress: Callable[[str], None]
) -> None:
    """Every office has reported, something has been said of each, and the start is over."""
    end_s = time.monotonic() + 300
    progress(f"{len(sites)} offices begin to measure")
    while time.monotonic() < end_s:
        time.sleep(3)
        if hub.poll() is not None:
            raise RuntimeError("the hub has ended")
        if not (data / "reports.db").exists():
            continue
        with contextlib.closing(StateDb(data / "state.db")) as state:
            ready = {each.site for each in state.verdicts(0, 2**62) if each.state.value == "ready"}
        if len(ready) == len(sites):
            progress(f"all are ready; {WARM_S} s more")
            time.sleep(WARM_S)
            return
    raise RuntimeError(f"{len(ready)} of {len(sites)} offices were ready after 300 s")


def _break_one_after_the_other(  # noqa: PLR0913, PLR0917 - what it works with
    data: Path, sites: list[str], each: int, sink: Sink, seed: int, progress: Callable[[str], None]
) -> list[Onset]:
    """Onsets at random times; an office is healed when its mail has come, and is not broken again."""
    draw = random.Random(seed)
    kinds = [kind for kind in KINDS for _ in range(each)]
    draw.shuffle(kinds)
    chosen = draw.sample(sites, len(kinds))
    onsets: list[Onset] = []
    for number, (site, kind) in enumerate(zip(chosen, kinds, strict=True), 1):
        answer = ask(data, Break(scope=site, effect=KINDS[kind]), Broken)
        onsets.append(Onset(site, kind, answer.fault.since_ns))
        if number % 4 == 0:
            progress(
                f"{number} of {len(kinds)} offices broken, {sum(one.site in sink.at_ns for one in onsets)} told"
            )
        _heal_while(time.monotonic() + GAP_S * draw.uniform(0.6, 1.4), data, onsets, sink)
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s and not all(one.healed for one in onsets):
        _heal_while(time.monotonic() + 1, data, onsets, sink)
    return onsets


def _heal_while(until_s: float, data: Path, onsets: list[Onset], sink: Sink) -> None:
    while (left_s := until_s - time.monotonic()) > 0:
        time.sleep(min(left_s, 1.0))
        for one in onsets:
            late = time.time_ns() - one.began_ns > PATIENCE_S * SECOND_NS
            if not one.healed and (one.site in sink.at_ns or late):
                ask(data, Heal(scope=one.site), Healed)
                one.healed = True


def _figures(data: Path, onsets: list[Onset], sink: Sink) -> dict[str, object]:
    figures: dict[str, object] = {}
    with (
        contextlib.closing(StateDb(data / "state.db")) as state,
        contextlib.closing(SqliteReader(data / "reports.db")) as reader,
    ):
        alerts = state.alerts(0, 2**62)
        for kind in KINDS:
            ours = [one for one in onsets if one.kind == kind]
            told = [one for one in ours if sink.at_ns.get(one.site, 0) > one.began_ns]
            took = [(sink.at_ns[one.site] - one.began_ns) / SECOND_NS for one in told]
            figures |= {f"{kind}_onsets": len(ours), f"{kind}_missed": len(ours) - len(told)}
            if not took:
                continue
            figures |= {
                f"{kind}_p50_s": median(took),
                f"{kind}_p99_s": float(np.quantile(took, 0.99)),
                f"{kind}_longest_s": max(took),
                f"{kind}_target_p99_s": TARGETS_S[kind],
            }
            stages = [found for one in told if (found := _stages(one, alerts, reader, sink))]
            figures |= {
                f"{kind}_{name}_s": mean(found[at] for found in stages)
                for at, name in enumerate(STAGES)
                if stages
            }
    return figures


def _stages(one: Onset, alerts: list[Alert], reader: SqliteReader, sink: Sink) -> tuple[float, ...] | None:
    """Seconds: to the end of the window; until it was stored; until the alerts saw the verdict; until it was held long enough; to the mail."""
    own = [alert for alert in alerts if alert.site == one.site and alert.pending_ns > one.began_ns]
    if not own or own[0].fired_ns is None:
        return None
    ends_ns = -(-one.began_ns // WINDOW_NS) * WINDOW_NS
    rows = reader.streams(Selection(ends_ns - WINDOW_NS, ends_ns, sites=(one.site,)), histograms=False)
    if not len(rows):
        return None
    stored_ns = int(np.min(rows.columns["received_ns"]))
    times = (one.began_ns, ends_ns, stored_ns, own[0].pending_ns, own[0].fired_ns, sink.at_ns[one.site])
    return tuple((later - earlier) / SECOND_NS for earlier, later in pairwise(times))


def _revision_us(data: Path) -> float:
    """What a look whether another process has written costs, median of many."""
    took = []
    with contextlib.closing(StateDb(data / "state.db")) as state:
        for _ in range(REVISION_READS):
            began = time.perf_counter()
            state.revision()
            took.append(time.perf_counter() - began)
    return 1e6 * median(took)
