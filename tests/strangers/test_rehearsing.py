"""An enrolled office rehearses, through TLS, its own credentials and the access list; and nobody else speaks for it."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from collector.enrolment.issuing import reflector_keys
from collector.rehearsing import conducting
from tatpar.hub import reflecting as reflecting_room
from tatpar.hub.reflecting import reflecting
from telemetry.codec import encode_control
from telemetry.rehearsing import OfficeProgress, OfficeState, RehearsalState, new_request, said_by
from telemetry.signing import signed_answer
from telemetry.store.protocol import Selection
from telemetry.windows import SECOND_NS
from tests.strangers.rotating import rotate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from telemetry.rehearsing import RehearsalRecord

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server
ROOT = "tatpar/1"
NOT_AUTHORIZED = 0x87
TRIES = 4
"""A rehearsal that a busy machine spoilt proves nothing, and is asked for again."""
BUSY = ("own-load", "hub-load", "silent", "start")
EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//t//EN
BEGIN:VEVENT
UID:review
SUMMARY:review
DTSTART:{start:%Y%m%dT%H%M%SZ}
DTEND:{end:%Y%m%dT%H%M%SZ}
ATTENDEE:site:agra
X-TATPAR-PROFILE:zoom-audio
X-TATPAR-END:state
END:VEVENT
END:VCALENDAR
"""


@asynccontextmanager
async def headquarters(hub: Any, folder: Path) -> AsyncIterator[None]:
    """The reflector that `tatpar up` serves, with the keys of who is enrolled; its address and a meeting in the settings."""

    def keys() -> str:
        return "\n".join(reflector_keys(hub.state, hub.keys, time.time_ns()))

    async with reflecting(
        {"state": ("127.0.0.1", 0)}, folder / "logs" / "r.log", keys=keys, rehearsal_bps=2e6
    ) as bound:
        settings = folder / "config" / "tatpar.toml"
        text = settings.read_text(encoding="utf-8").replace("127.0.0.1:862", f"127.0.0.1:{bound['state'][1]}")
        start = datetime.now(tz=UTC) + timedelta(hours=2)
        event = EVENT.format(start=start, end=start + timedelta(hours=1))
        (folder / "config" / "meetings" / "m.ics").write_text(event.replace("\n", "\r\n"), encoding="utf-8")
        settings.write_text(text + "[rehearsal]\nrung_s = 0.6\n", encoding="utf-8")
        hub.live.refresh()
        assert hub.live.problem is None
        yield


def asked(hub: Any) -> str:
    (one,) = hub.live.current.calendar.occurrences(time.time_ns(), time.time_ns() + 3 * 3600 * SECOND_NS)
    request = new_request(
        meeting="review", recurrence_ns=one.recurrence_ns, who="asha", now_ns=time.time_ns()
    )
    hub.state.ask_rehearsal(request)
    return request.id


def the_office(hub: Any, rehearsal_id: str) -> OfficeProgress:
    record: RehearsalRecord = hub.state.rehearsal(rehearsal_id)
    return record.offices[0] if record.offices else OfficeProgress(site="agra", probe="p1")


async def strangers_speak(hub: Any, meerut: Any, insider: Any, rehearsal_id: str) -> None:
    """Another office tries to command agra and to answer for it; then somebody whom no broker holds back."""
    forged = OfficeProgress(site="agra", probe="p1", state=OfficeState.HELD, rung_up="forged", step=99)
    told = said_by(rehearsal_id, forged)
    key = hub.keys.command_key(hub.state.credentials("meerut")[-1])
    for leaf in ("command", "answer"):
        topic = f"{ROOT}/agra/p1/{leaf}"
        assert await meerut.publish(topic, encode_control(told)) == NOT_AUTHORIZED
    own = signed_answer(key, "meerut", "p1", told)
    assert await meerut.publish(f"{ROOT}/meerut/p1/answer", encode_control(own)) == 0
    for answer in (told, signed_answer(key, "agra", "p1", told), own):
        await insider.publish(f"{ROOT}/agra/p1/answer", encode_control(answer))


async def test_an_enrolled_office_rehearses_and_nobody_speaks_for_it(  # noqa: PLR0917 - the whole house
    hub: Any,
    running_probe: Any,
    quiet_measurer: Any,
    eventually: Eventually,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Asked, commanded, admitted by its key, climbed, reported; its keys change in the middle; forgers change nothing."""
    monkeypatch.setattr(conducting, "AHEAD_NS", 3 * SECOND_NS)
    monkeypatch.setattr(reflecting_room, "KEYS_S", 0.2)
    async with running_probe(hub, quiet_measurer) as agent, headquarters(hub, tmp_path):
        office = agent.offices["agra/p1"]
        meerut, insider = await hub.enter("meerut"), await hub.insider()
        await eventually(lambda: office.course.targets and office.course.plan.busy)
        for turn in range(TRIES):
            rehearsal_id = asked(hub)
            await eventually(lambda number=rehearsal_id: the_office(hub, number).command)
            if not turn:
                await strangers_speak(hub, meerut, insider, rehearsal_id)
                row = await rotate(hub)
                assert row.ok, row
            await eventually(lambda number=rehearsal_id: hub.state.rehearsal(number).ended_ns is not None)
            if not the_office(hub, rehearsal_id).why.startswith(BUSY):
                break
        said = the_office(hub, rehearsal_id)
        assert (said.state, said.why) == (OfficeState.HELD, ""), said
        assert (said.rung_up, said.rung_down) == ("zoom-audio", "zoom-audio")
        assert said.up_bps == pytest.approx(60e3, rel=0.1)
        record = hub.state.rehearsal(rehearsal_id)
        assert (record.state, record.hub.stages[0].offices) == (RehearsalState.DONE, 1)
        assert hub.counts["orders"]["answers_forged"] == 3
        assert office.counters.commands_refused == 0
        quiet_measurer.close_window()
        await eventually(lambda: hub.store.items("rehearsal", Selection(0, 2**62)))
        items = [one.item for one in hub.store.items("rehearsal", Selection(0, 2**62))]
        assert items[-1].aborted is None
        assert [rung.held for rung in items[-1].up] == [True]
