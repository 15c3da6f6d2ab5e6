"""What a broker let through that it should not have: refused by the collector, counted, kept for inspection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from collector.enrolment.issuing import revoke
from telemetry.codec import encode_control
from telemetry.control import Answer, Presence
from telemetry.store.protocol import Selection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Eventually = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.server
ROOT = "tatpar/1"
NOT_AUTHORIZED = 0x87


async def test_a_report_that_names_another_site_inside_is_refused(
    hub: Any, eventually: Eventually, make_report: Any
) -> None:
    """On its own topic, which the broker permits: refused as foreign, counted, and in quarantine; nothing is stored for the other."""
    agra = await hub.enter("agra")
    await hub.enter("meerut")
    for forged in (make_report(site="meerut"), make_report(probe="p2")):
        assert await agra.publish(f"{ROOT}/agra/p1/report", forged) == 0
    await eventually(lambda: hub.counts["refused"].get("foreign") == 2)
    await eventually(lambda: len(hub.state.quarantined(10)) == 2)
    reasons = " ".join(kept.reason for kept in hub.state.quarantined(10))
    assert "topic says agra/p1, report says meerut/p1" in reasons
    assert hub.counts["stored"] == 0


async def test_a_probe_that_nobody_enrolled_is_refused_even_if_the_broker_lets_it_in(
    hub: Any, eventually: Eventually, make_report: Any
) -> None:
    """Its reports, presence and answers: refused, counted, with the command that would let it in; nothing is stored."""
    insider = await hub.insider()
    await insider.publish(f"{ROOT}/agra/p1/report", make_report())
    await insider.publish(f"{ROOT}/agra/p9/presence", encode_control(Presence(online=True, since_ns=1)))
    await insider.publish(f"{ROOT}/agra/p9/answer", encode_control(Answer(ok=True)))
    await eventually(lambda: hub.counts["refused"].get("not_enrolled") == 3)
    await eventually(lambda: len(hub.state.quarantined(10)) == 3)
    reasons = " ".join(kept.reason for kept in hub.state.quarantined(10))
    assert "agra/p1 is not enrolled: tatpar enroll agra --probe p1" in reasons
    assert hub.counts["stored"] == 0
    assert ("agra", "p9") not in hub.state.presence()


async def test_a_revoked_probe_is_cut_off_at_once_and_everywhere(
    hub: Any, eventually: Eventually, make_report: Any
) -> None:
    """Its live connection is cut, nobody else's is; it cannot come back, is refused behind the broker, and counts as off line."""
    agra, meerut = await hub.enter("agra"), await hub.enter("meerut")
    online = encode_control(Presence(online=True, since_ns=1))
    await agra.publish(f"{ROOT}/agra/p1/presence", online, retain=True)
    await agra.publish(f"{ROOT}/agra/p1/report", make_report(1))
    await eventually(lambda: hub.counts["stored"] == 1 and ("agra", "p1") in hub.state.presence())
    connects = hub.collector.bridge.connects
    assert revoke(hub.state, "agra", None, time.time_ns()) == [("agra", "p1")]
    await eventually(lambda: agra.lost)
    credential = hub.state.credentials("agra")[-1]
    await hub.connect(credential.user, hub.keys.password(credential), expect=NOT_AUTHORIZED)
    insider = await hub.insider()
    await eventually(lambda: hub.state.presence()["agra", "p1"].online is False)
    await insider.publish(f"{ROOT}/agra/p1/report", make_report(2))
    await eventually(lambda: hub.counts["refused"].get("revoked") == 1)
    await insider.subscribe(f"{ROOT}/agra/#")
    await insider.publish(f"{ROOT}/agra/p1/x", b"")
    await eventually(lambda: any(m.topic.endswith("/x") for m in insider.mail))
    assert not [m.topic for m in insider.mail if m.retain]
    assert await meerut.publish(f"{ROOT}/meerut/p1/report", make_report(1, site="meerut")) == 0
    await eventually(lambda: hub.counts["stored"] == 2)
    assert not meerut.lost
    assert hub.collector.bridge.connects == connects
    assert [event.what for event in hub.state.identity_events(1)] == ["revoke"]


async def test_a_revoked_probe_is_told_nothing_when_all_are_told_again(
    hub: Any, eventually: Eventually, make_report: Any
) -> None:
    """A new connection to the broker, say: its plan and its `stored` do not come back to stay there."""
    agra, meerut = await hub.enter("agra"), await hub.enter("meerut")
    await agra.publish(f"{ROOT}/agra/p1/report", make_report(1))
    await eventually(lambda: hub.counts["stored"] == 1)
    revoke(hub.state, "agra", None, time.time_ns())
    await eventually(lambda: ("agra", "p1") in hub.state.presence())  # seen off
    hub.collector._on_connected()
    await meerut.publish(f"{ROOT}/meerut/p1/report", make_report(1, site="meerut"))
    insider = await hub.insider()
    await insider.subscribe(f"{ROOT}/+/+/+")
    told = {f"{ROOT}/meerut/p1/plan", f"{ROOT}/meerut/p1/stored"}
    await eventually(lambda: told <= {m.topic for m in insider.mail})
    assert not [m.topic for m in insider.mail if m.payload and m.topic.startswith(f"{ROOT}/agra/")]


async def test_a_probe_that_was_revoked_while_nobody_collected_leaves_nothing_at_the_broker(
    door: Any, eventually: Eventually, make_report: Any
) -> None:
    """The next collector clears away what the broker kept of it, or kept for it."""
    async with door.collecting():
        agra = await door.enter("agra")
        online = encode_control(Presence(online=True, since_ns=1))
        await agra.publish(f"{ROOT}/agra/p1/presence", online, retain=True)
        await agra.publish(f"{ROOT}/agra/p1/report", make_report(1))
        await eventually(lambda: door.counts["stored"] == 1)
    insider = await door.insider()
    await insider.subscribe(f"{ROOT}/agra/#")
    await eventually(lambda: any(m.topic.endswith("/presence") for m in insider.mail))
    revoke(door.state, "agra", None, time.time_ns())
    async with door.collecting():
        await eventually(lambda: any(m.topic.endswith("/presence") and not m.payload for m in insider.mail))
        later = await door.insider()
        await later.subscribe(f"{ROOT}/agra/#")
        await later.publish(f"{ROOT}/agra/p1/x", b"")
        await eventually(lambda: any(m.topic.endswith("/x") for m in later.mail))
        assert not [m.topic for m in later.mail if m.retain and m.topic.endswith("/presence")]


async def test_old_reports_sent_again_are_stored_once(
    hub: Any, eventually: Eventually, make_report: Any
) -> None:
    """The same bytes, a hundred times, live and as backlog: one row, ninety-nine duplicates counted."""
    agra = await hub.enter("agra")
    for turn in range(100):
        leaf = "backlog" if turn % 2 else "report"
        assert await agra.publish(f"{ROOT}/agra/p1/{leaf}", make_report(7)) == 0
    await eventually(lambda: hub.counts["duplicates"] == 99)
    assert hub.counts["stored"] == 1
    assert len(hub.store.streams(Selection(0, 2**62))) == 1


async def test_a_retained_report_poisons_no_later_collector(
    door: Any, eventually: Eventually, make_report: Any
) -> None:
    """Said once it is stored once; the copy that the broker keeps is never taken for news by the next collector."""
    async with door.collecting():
        agra = await door.enter("agra")
        assert await agra.publish(f"{ROOT}/agra/p1/report", make_report(1), retain=True) == 0
        await eventually(lambda: door.counts["stored"] == 1)
    async with door.collecting():
        assert await agra.publish(f"{ROOT}/agra/p1/report", make_report(2)) == 0
        await eventually(lambda: door.counts["stored"] == 1)
        assert door.counts["duplicates"] == 0
        assert door.counts["refused"] == {}


async def test_an_answer_that_the_probe_did_not_sign_is_not_believed(
    hub: Any, eventually: Eventually
) -> None:
    """Forged by whoever can write the topic, or to nothing that was asked: counted, never noted as an answer."""
    credential, token = await hub.invite("agra")
    redeem(hub, token)
    agra = await hub.connect(credential.user, hub.keys.password(credential))
    await agra.publish(f"{ROOT}/agra/p1/answer", encode_control(Answer(ok=True, id="x", signature="00")))
    await eventually(lambda: hub.counts["orders"]["answers_forged"] == 1)
    from telemetry.signing import signed_answer

    honest = signed_answer(hub.keys.command_key(credential), "agra", "p1", Answer(ok=True, id="never asked"))
    await agra.publish(f"{ROOT}/agra/p1/answer", encode_control(honest))
    await eventually(lambda: hub.counts["orders"]["answers_unasked"] == 1)
    assert hub.counts["orders"]["answered"] == 0


def redeem(hub: Any, token: str) -> None:
    from collector.enrolment.issuing import token_hash

    hub.state.redeem_token(token_hash(token), b"nonce", time.time_ns(), 0)


async def test_a_second_process_of_the_hub_finds_its_way_in(
    door: Any, eventually: Eventually, make_report: Any
) -> None:
    """`tatpar collect --broker` beside the process that brought the broker: by the user of the hub's own making."""
    from msgspec.structs import replace

    from collector.broker import bring
    from collector.mqtt import Membership

    settings = door.live.current.settings.broker
    elsewhere = replace(settings, bring="none", host=door.broker.host, port=door.broker.port)
    async with bring(elsewhere, door.data_dir) as address:
        door.broker = address
        async with door.collecting(membership=Membership.member()):
            agra = await door.enter("agra")
            assert await agra.publish(f"{ROOT}/agra/p1/report", make_report(1)) == 0
            await eventually(lambda: door.counts["stored"] == 1)
