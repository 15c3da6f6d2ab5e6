"""The hub: broker, store, decisions, and who is at work."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

from collector.broker import mosquitto
from collector.broker.knock import Answered, TurnedAway, knock
from collector.outcome import RefusalCode
from collector.planner import MAX_PROBES
from collector.tls import client_context
from tatpar.data_folder.clocks import clocks_in
from tatpar.examination.clocks import clocks
from tatpar.examination.finding import broken, fine, less
from tatpar.examination.phrase import Figure, as_it_is, phrase
from tatpar.examination.readiness import readiness
from tatpar.examination.starts import starts
from tatpar.hub.failures import PREFIX, failures_in, is_failing
from tatpar.importing.told import ROLE as IMPORT
from telemetry.state.db import StateDb
from telemetry.state.errors import StateError
from telemetry.state.file import STATE_FILE
from telemetry.state.heard import heard_until_ns
from telemetry.state.held_back import held_back
from telemetry.store.errors import StoreError
from telemetry.store.open import open_reader, store_file
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from config.settings import Broker, Settings, Store
    from tatpar.examination.finding import Finding
    from tatpar.examination.phrase import Given, Phrase
    from telemetry.state.heartbeats import Beat

_SILENT_AFTER_NS: Final = 60 * SECOND_NS
_BROKER: Final = phrase("broker")


def broker(settings: Broker) -> Finding:
    """Is there a broker, or the program to bring one."""
    if settings.bring == "none":
        return _outside(settings)
    if mosquitto.find():
        return fine(_BROKER, phrase("broker.here"))
    if settings.bring == "mosquitto":
        return broken(_BROKER, phrase("broker.not_here"), phrase("broker.do_install_or_auto"))
    return less(_BROKER, phrase("broker.embedded"), phrase("broker.do_install"))


def _outside(settings: Broker) -> Finding:
    where = f"{settings.host}:{settings.port or 1883}"
    tls = client_context(settings.ca) if settings.ca else None
    port = settings.port or 1883
    answer = asyncio.run(knock(settings.host, port, settings.user, settings.password, tls=tls))
    match answer:
        case Answered():
            return fine(_BROKER, phrase("broker.answers_with_tls" if tls else "broker.answers", where=where))
        case TurnedAway(reason):
            text = phrase("broker.refuses", where=where, reason=f"0x{reason:02x}")
            return broken(_BROKER, text, phrase("broker.do_check_user"))
        case _:
            return broken(_BROKER, as_it_is(f"{where}: {answer.why}"), phrase("broker.do_check_place"))


def store(settings: Settings, data_dir: Path, now_ns: int) -> Finding:
    """Can the store be read, and how old is the newest window in it."""
    subject = phrase("store")
    if not store_file(settings.store, data_dir).exists():
        return fine(subject, phrase("store.empty"))
    try:
        with contextlib.closing(open_reader(settings.store, data_dir)) as reader:
            newest = reader.latest().columns["start_ns"]
    except StoreError as error:
        return broken(subject, as_it_is(str(error)), phrase("store.do_restore"))
    if not len(newest):
        return fine(subject, phrase("store.no_window"))
    age_s = (now_ns - int(newest.max())) / 1e9
    text = phrase("store.age", age_s=Figure(age_s))
    return less(subject, text, phrase("store.do_see")) if age_s > 120 else fine(subject, text)


def database(settings: Store, data_dir: Path) -> list[Finding]:
    """Does the database server answer, and is it set up as the store needs it; nothing for a store in a file."""
    from telemetry.store.server.connect import connect  # noqa: PLC0415 - only with a server, its client is the hub's

    subject = phrase("database")
    try:
        with contextlib.closing(connect(settings, data_dir)) as server:
            problems = server.examine()
            where = server.where
            lost = server.lost()
    except StoreError as error:
        text = phrase("database.away", error=str(error))
        return [broken(subject, text, phrase("database.do_see"))]
    found = [
        (broken if problem.grave else less)(
            subject,
            phrase(f"wrong.{problem.kind}", where=where, text=problem.text),
            phrase("wrong.do", remedy=problem.remedy),
        )
        for problem in problems
    ]
    for reason, number in lost.items():
        text = phrase("database.lost", where=where, number=number, reason=reason)
        found.append(less(subject, text, phrase("database.do_compare")))
    return found or [fine(subject, phrase("database.fine", where=where))]


def state(data_dir: Path, sites: Iterable[str], now_ns: int) -> list[Finding]:
    """Can the decisions be read, who is at work, and which of these offices' clocks are wrong."""
    subject = phrase("decisions")
    if not (data_dir / STATE_FILE).exists():
        return [fine(subject, phrase("decisions.none"))]
    try:
        with contextlib.closing(StateDb(data_dir / STATE_FILE)) as opened:
            beats, presence = opened.beats(), opened.presence()
            wrong = clocks_in(opened, sites, now_ns)
    except StateError as error:
        return [broken(subject, as_it_is(str(error)), phrase("decisions.do_restore"))]
    failures = failures_in(beats, now_ns)
    findings = [
        fine(subject, phrase("decisions.readable")),
        *(_failed(room, failures[room], now_ns) for room in failures),
    ]
    for role, beat in sorted(beats.items()):
        if role == IMPORT:
            continue  # done once, and over
        if role.startswith(PREFIX) or (role in failures and is_failing(failures[role], now_ns)):
            continue  # told above; what it beats between two failures says nothing
        age_ns = now_ns - beat.at_ns
        if age_ns > _SILENT_AFTER_NS:
            findings.append(
                less(as_it_is(role), phrase("role.silent", age_s=Figure(age_ns / 1e9)), _start(role))
            )
            findings += _refused(role, beat)
            continue  # what was withheld then is not withheld now
        if "leader" in beat.detail:
            at_work = phrase("role.led", leader=str(beat.detail["leader"]))
        else:
            at_work = phrase("role.at_work")
        findings.append(fine(as_it_is(role), at_work))
        if address := beat.detail.get("metrics_address"):
            findings.append(readiness(role, str(address)))
        findings += [*_refused(role, beat), *_withheld(role, beat)]
    return [*findings, *_held_back(beats, now_ns), *starts(presence), *clocks(wrong, now_ns)]


def _start(role: str) -> Phrase:
    """How to start what is silent."""
    if role.startswith("collector") and role != "collector":
        return phrase("role.do_share")
    return phrase("role.do_start_or_up", command="collect" if role == "collector" else role)


def _refused(role: str, beat: Beat) -> list[Finding]:
    """What a collector has refused since its start, by kind."""
    found = beat.detail.get("refused")
    if not isinstance(found, dict) or not found:
        return []
    kinds = tuple(
        phrase("refused.kind", count=int(count), kind=_kind(kind)) for kind, count in sorted(found.items())
    )
    return [
        less(
            phrase("refused", role=role), phrase("refused.since_start", kinds=kinds), phrase("refused.do_see")
        )
    ]


def _kind(code: str) -> Phrase:
    """In English the code is the word, as in the logs."""
    return phrase(f"refusal.{code}") if code in set(RefusalCode) else as_it_is(code)


def _withheld(role: str, beat: Beat) -> list[Finding]:
    """Probes above what one site may have, which are told no plan now."""
    found, sites = beat.detail.get("withheld"), beat.detail.get("withheld_sites")
    if not isinstance(found, dict) or not isinstance(sites, int) or not found:
        return []
    named: Given = tuple(phrase("plans.last", site=site, probe=probe) for site, probe in found.items())
    if sites > len(found):
        named = phrase("plans.and_more", named=named, more=sites - len(found))
    text = phrase("plans.withheld", most=MAX_PROBES, named=named)
    return [less(phrase("plans", role=role), text, phrase("plans.do_revoke"))]


def _held_back(beats: Mapping[str, Beat], now_ns: int) -> list[Finding]:
    """Whether people wait for an all-clear, because the watch has not seen yet that all is well."""
    held = held_back(beats, now_ns)
    if held is None:
        return []
    age_s = Figure(max(now_ns - held.since_ns, 0) / SECOND_NS)
    heard_ns = heard_until_ns(beats) or now_ns
    text = phrase("held", count=held.count, age_s=age_s, behind_s=Figure((now_ns - heard_ns) / SECOND_NS))
    return [less(phrase("all_clears"), text, phrase("held.do_see"))]


def _failed(room: str, beat: Beat, now_ns: int) -> Finding:
    count = beat.detail.get("count")
    age_s, why = Figure(max(now_ns - beat.at_ns, 0) / SECOND_NS), str(beat.detail.get("why", "?"))
    times = phrase("failed.once") if count == 1 else phrase("failed.times", times=str(count))
    how = phrase("failed.how", times=times, age_s=age_s, why=why)
    if is_failing(beat, now_ns):
        return broken(as_it_is(room), phrase("failed.now", how=how), phrase("failed.do_undo"))
    return less(
        phrase("failed.earlier", room=room), phrase("failed.was", how=how), phrase("failed.do_see_log")
    )


def now_ns() -> int:
    """Real time, ns since the Unix epoch."""
    return time.time_ns()
