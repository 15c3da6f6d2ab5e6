"""The hub: broker, store, decisions, and who is at work."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

from collector.broker import mosquitto
from collector.broker.knock import Answered, TurnedAway, knock
from collector.tls import client_context
from tatpar.examination.finding import broken, fine, less
from tatpar.examination.starts import starts
from tatpar.hub.failures import PREFIX, failures_in, is_failing, told
from tatpar.importing.told import ROLE as IMPORT
from telemetry.state.db import StateDb
from telemetry.state.errors import StateError
from telemetry.store.errors import StoreError
from telemetry.store.open import open_reader, store_file
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Broker, Settings, Store
    from tatpar.examination.finding import Finding
    from telemetry.state.heartbeats import Beat

_SILENT_AFTER_NS: Final = 60 * SECOND_NS


def broker(settings: Broker) -> Finding:
    """Is there a broker, or the program to bring one."""
    if settings.bring == "none":
        return _outside(settings)
    if mosquitto.find():
        return fine("broker", "mosquitto is on this machine")
    if settings.bring == "mosquitto":
        return broken("broker", "mosquitto is not on this machine", "install it, or set broker.bring to auto")
    return less(
        "broker",
        "mosquitto is not on this machine: the embedded broker serves",
        "install mosquitto for real use",
    )


def _outside(settings: Broker) -> Finding:
    where = f"{settings.host}:{settings.port or 1883}"
    tls = client_context(settings.ca) if settings.ca else None
    port = settings.port or 1883
    answer = asyncio.run(knock(settings.host, port, settings.user, settings.password, tls=tls))
    match answer:
        case Answered():
            return fine("broker", f"{where} answers" + (" with TLS" if tls else ""))
        case TurnedAway(reason):
            remedy = "check broker.user and broker.password, and the broker's access list"
            return broken("broker", f"{where} refuses us (reason 0x{reason:02x})", remedy)
        case _:
            return broken(
                "broker", f"{where}: {answer.why}", "check broker.host and broker.port, and that it runs"
            )


def store(settings: Settings, data_dir: Path, now_ns: int) -> Finding:
    """Can the store be read, and how old is the newest window in it."""
    if not store_file(settings.store, data_dir).exists():
        return fine("store", "empty: it is made at the first start")
    try:
        with contextlib.closing(open_reader(settings.store, data_dir)) as reader:
            newest = reader.latest().columns["start_ns"]
    except StoreError as error:
        return broken("store", str(error), "restore it from a backup, or name another folder with --data")
    if not len(newest):
        return fine("store", "no window yet")
    age_s = (now_ns - int(newest.max())) / 1e9
    if age_s > 120:
        return less("store", f"the newest window is {age_s:.0f} s old", "see that collector and probes run")
    return fine("store", f"the newest window is {age_s:.0f} s old")


def database(settings: Store, data_dir: Path) -> list[Finding]:
    """Does the database server answer, and is it set up as the store needs it; nothing for a store in a file."""
    from telemetry.store.server.connect import connect  # noqa: PLC0415 - only with a server, its client is the hub's

    try:
        with contextlib.closing(connect(settings, data_dir)) as server:
            problems = server.examine()
            where = server.where
            lost = server.lost()
    except StoreError as error:
        text = f"{error}; reports wait in the journal"
        return [broken("database", text, "see that the server runs, and check store.url")]
    found = [
        (broken if problem.grave else less)("database", f"{where}: {problem.text}", problem.remedy)
        for problem in problems
    ]
    for reason, number in lost.items():
        remedy = (
            "compare the server's retention with store.raw_days and store.rollup_days, and the probes' clocks"
        )
        found.append(less("database", f"{where} has thrown {number} points away: {reason}", remedy))
    return found or [fine("database", f"{where} answers and is set up as it should be")]


def state(data_dir: Path, now_ns: int) -> list[Finding]:
    """Can the decisions be read, and who is at work."""
    if not (data_dir / "state.db").exists():
        return [fine("decisions", "none yet: the file is made at the first start")]
    try:
        with contextlib.closing(StateDb(data_dir / "state.db")) as opened:
            beats, presence = opened.beats(), opened.presence()
    except StateError as error:
        return [broken("decisions", str(error), "restore state.db from a backup")]
    failures = failures_in(beats, now_ns)
    findings = [
        fine("decisions", "can be read"),
        *(_failed(room, failures[room], now_ns) for room in failures),
    ]
    for role, beat in sorted(beats.items()):
        if role == IMPORT:
            continue  # done once, and over
        if role.startswith(PREFIX) or (role in failures and is_failing(failures[role], now_ns)):
            continue  # told above; what it beats between two failures says nothing
        age_ns = now_ns - beat.at_ns
        if age_ns > _SILENT_AFTER_NS:
            findings.append(less(role, f"silent for {age_ns / 1e9:.0f} s", _start(role)))
        elif "leader" in beat.detail:
            findings.append(fine(role, f"at work, led by {beat.detail['leader']}"))
        else:
            findings.append(fine(role, "at work"))
        findings += [*_refused(role, beat), *_withheld(role, beat)]
    return [*findings, *starts(presence)]


def _start(role: str) -> str:
    """How to start what is silent."""
    if role.startswith("collector") and role != "collector":
        return "start it again: tatpar collect --share (a member that does not come back is forgotten in 5 minutes)"
    return f"start it: tatpar up, or tatpar {'collect' if role == 'collector' else role}"


def _refused(role: str, beat: Beat) -> list[Finding]:
    """What a collector has refused since its start, by kind."""
    found = beat.detail.get("refused")
    if not isinstance(found, dict) or not found:
        return []
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.items()))
    return [
        less(
            f"{role} refused",
            f"messages since its start: {kinds}",
            "see which, and from whom: tatpar refused",
        )
    ]


def _withheld(role: str, beat: Beat) -> list[Finding]:
    """Probes above what one site may have, which are told no plan."""
    if not beat.detail.get("plans_withheld"):
        return []
    remedy = (
        "see which site: log event plans.withheld; revoke probes that are gone: tatpar revoke SITE --probe ID"
    )
    return [
        less(
            f"{role} plans", "since its start a site had more than 64 probes: those above get no plan", remedy
        )
    ]


def _failed(room: str, beat: Beat, now_ns: int) -> Finding:
    if is_failing(beat, now_ns):
        remedy = "see the log of `tatpar up`; undo the last change of the settings, or start it again"
        return broken(room, f"failing, {told(beat, now_ns)}", remedy)
    return less(f"{room} (earlier)", f"it failed {told(beat, now_ns)}", "see the log of `tatpar up`")


def now_ns() -> int:
    """Real time, ns since the Unix epoch."""
    return time.time_ns()
