"""An office whose line is down for twenty seconds every three minutes, shorter than what windows show as a whole: what the watch says of it, look by look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from telemetry.decisions import Action, ReasonCode
from telemetry.windows import MINUTE_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from telemetry.decisions import Flag
    from telemetry.messages import Envelope, Stream
    from tests.watch.conftest import Town

LASTS_S = 20.0
EVERY_S = 180.0
FIRST_S = 127.0
OUTAGES = 4
LATE_S = 3.0
STEP_S = 2.5
AT_ONCE_NS = 15 * SECOND_NS
"""From the end of an outage until the window in which it lies has been judged: its rest, the late packets, the way to the store."""


def cut(stream: Stream, start_ns: int, outages_ns: list[int]) -> Stream:
    """A window of a line that is down from each of these times on, as a stateful reflector's session reports it."""
    gap_ns = WINDOW_NS // stream.sent
    sent_ns = [start_ns + i * gap_ns for i in range(stream.sent)]
    lost = [any(0 <= at - began < LASTS_S * SECOND_NS for began in outages_ns) for at in sent_ns]
    count = sum(lost)
    if not count:
        return stream
    end_ns = start_ns + WINDOW_NS
    unknown = any(
        began < end_ns and end_ns + LATE_S * SECOND_NS <= began + LASTS_S * SECOND_NS for began in outages_ns
    )
    up = structs.replace(stream.up, received=stream.sent - count, lost=0 if unknown else count)
    down_sent = stream.sent if unknown else stream.sent - count
    return structs.replace(
        stream,
        received=stream.sent - count,
        lost=count,
        lost_unattributed=count if unknown else 0,
        longest_loss_run=count,
        up=up,
        down=structs.replace(stream.down, sent=down_sent, received=stream.sent - count),
        rtt=None
        if count == stream.sent
        else structs.replace(stream.rtt, hist=(stream.rtt.hist[0], stream.sent - count)),  # type: ignore[union-attr,type-var]
    )


def fail(town: Town, outages_ns: list[int]) -> None:
    """The first office's line is down from each of these times on."""
    plain = type(town).envelope

    def envelope(site: str, start_ns: int) -> Envelope:
        made = plain(town, site, start_ns)
        if site != "agra":
            return made
        items = tuple(cut(item, start_ns, outages_ns) for item in made.items)  # type: ignore[arg-type]
        return structs.replace(made, items=items)

    town.envelope = envelope  # type: ignore[method-assign]


def flags(town: Town) -> list[Flag]:
    return [flag for flag in town.state.open_flags() if flag.site == "agra" and flag.path == "main.state"]


def test_it_is_down_was_down_and_comes_and_goes_and_never_lossy(town: Town) -> None:
    """At no look is a loss told, nor that the line is down once its being back was reported; from the third outage on it has a name."""
    outages_ns = [town.now_ns + round((FIRST_S + i * EVERY_S) * SECOND_NS) for i in range(OUTAGES)]
    fail(town, outages_ns)
    town.play(MINUTE_NS / SECOND_NS, step_s=STEP_S)  # until it is heard
    told: list[set[ReasonCode]] = []
    was_down, named = 0, 0
    for _ in range(round((FIRST_S - 60 + OUTAGES * EVERY_S) / STEP_S)):
        town.play(STEP_S, step_s=STEP_S)
        mine, said = flags(town), town.verdict("agra")
        reasons = [*(flag.reason for flag in mine), *said.reasons]
        told.append({reason.code for reason in reasons})
        past = [at for at in outages_ns if at <= town.now_ns]
        is_back = not past or town.now_ns - past[-1] > LASTS_S * SECOND_NS + WINDOW_NS + AT_ONCE_NS
        assert not is_back or not any(reason.is_down_now for reason in reasons), town.now_ns
        for reason in reasons:
            if reason.code is ReasonCode.OUTAGE:
                assert reason.since_ns is not None
                assert min(abs(reason.since_ns - at) for at in past) <= SECOND_NS
                was_down += reason.until_ns is not None
        if any(reason.code is ReasonCode.FLAPPING for reason in said.reasons):
            named += 1
            assert said.action is Action.CALL_PROVIDER
    assert set().union(*told) == {ReasonCode.OUTAGE, ReasonCode.FLAPPING}
    assert was_down
    assert named
    (news,) = flags(town)
    assert (news.reason.code, news.reason.value) == (ReasonCode.FLAPPING, OUTAGES)
    assert abs(news.since_ns - outages_ns[0]) <= SECOND_NS


def test_a_quarter_of_an_hour_after_the_last_outage_nothing_is_flagged(town: Town) -> None:
    """It has come back for good, as far as is known."""
    outages_ns = [town.now_ns + round((FIRST_S + i * 60) * SECOND_NS) for i in range(3)]
    fail(town, outages_ns)
    town.play(FIRST_S + 240, step_s=5.0)
    assert {flag.reason.code for flag in flags(town)} == {ReasonCode.FLAPPING}
    town.play(15 * MINUTE_NS / SECOND_NS, step_s=15.0)
    assert not flags(town)
