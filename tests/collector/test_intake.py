"""What a message is taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.intake import Bounds, examine
from collector.message import Message
from collector.outcome import Accepted, Answered, Misdated, RefusalCode, Refused, Said
from config.sites import Registry, Site, SiteStatus
from telemetry.codec import MAX_REPORT_BYTES, encode
from telemetry.messages import Opaque
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from telemetry.messages import Envelope

ROOT = "tatpar/1"
NOW = window_start(1_790_000_000_000_000_000) + 20 * SECOND_NS
BOUNDS = Bounds()


def site(name: str, status: SiteStatus) -> Site:
    return Site(id=name, name_en=name, name_hi=name, region="west", lat=27.0, lon=78.0, status=status)


OFFICES = (site("agra", SiteStatus.LINKED), site("unnao", SiteStatus.PLANNED))
REGISTRY = Registry(OFFICES, {office.id: office for office in OFFICES})


def message(payload: bytes, topic: str = "agra/p1/report", **changes: Any) -> Message:
    return Message(topic=f"{ROOT}/{topic}", payload=payload, received_ns=NOW, **changes)


def look(found: Message, bounds: Bounds = BOUNDS) -> object:
    return examine(found, ROOT, REGISTRY, bounds)


@pytest.fixture
def report(make_envelope: Callable[..., Envelope]) -> Envelope:
    return make_envelope(start_ns=NOW - 20 * SECOND_NS - WINDOW_NS)


def refusal(outcome: object) -> RefusalCode:
    assert isinstance(outcome, Refused)
    return outcome.code


def test_a_sound_report_is_accepted_with_its_time_of_receipt(report: Envelope) -> None:
    """A report on its own topic becomes a `Received` with the time at which it was read."""
    outcome = look(message(encode(report)))
    assert isinstance(outcome, Accepted)
    assert outcome.report.envelope == report
    assert (outcome.report.received_ns, outcome.report.backlog) == (NOW, False)


def test_the_backlog_topic_marks_a_report_as_late(report: Envelope) -> None:
    """What came on the backlog topic is known as backlog."""
    outcome = look(message(encode(report), "agra/p1/backlog"))
    assert isinstance(outcome, Accepted)
    assert outcome.report.backlog


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("agra/p2/report", RefusalCode.FOREIGN),
        ("mathura/p1/report", RefusalCode.UNKNOWN_SITE),
        ("unnao/p1/report", RefusalCode.NOT_LINKED),
        ("agra/p1/stored", RefusalCode.TOPIC),
        ("agra/p1/report/extra", RefusalCode.TOPIC),
        ("AGRA/p1/report", RefusalCode.TOPIC),
        ("agra/p1/gossip", RefusalCode.TOPIC),
    ],
)
def test_a_report_on_another_topic_is_refused(report: Envelope, topic: str, code: RefusalCode) -> None:
    """Who may speak where is decided by topic, registry and envelope together."""
    assert refusal(look(message(encode(report), topic))) is code


def test_a_topic_outside_the_root_is_refused(report: Envelope) -> None:
    """Another root is none of ours."""
    strange = Message(topic="other/agra/p1/report", payload=encode(report), received_ns=NOW)
    assert refusal(look(strange)) is RefusalCode.TOPIC


def test_a_retained_copy_of_a_report_is_refused(report: Envelope) -> None:
    """What the broker had kept is old news to every new subscriber."""
    assert refusal(look(message(encode(report), retained=True))) is RefusalCode.RETAINED


def test_too_large_a_report_is_refused_unread() -> None:
    """One byte too many is too many."""
    assert refusal(look(message(b" " * (MAX_REPORT_BYTES + 1)))) is RefusalCode.TOO_LARGE


@pytest.mark.parametrize("payload", [b"", b"null", b"{}", b"[1,2", b"\xff\xfe", b"[" * 100_000, b'{"v":1}'])
def test_what_is_no_report_is_refused_as_malformed(payload: bytes) -> None:
    """Whatever the bytes, the answer is one line."""
    outcome = look(message(payload))
    assert refusal(outcome) is RefusalCode.MALFORMED
    assert isinstance(outcome, Refused)
    assert outcome.envelope is None
    assert "\n" not in outcome.detail


def test_a_report_off_the_grid_is_refused_with_its_number(report: Envelope) -> None:
    """Its envelope goes along, so that its number can be accounted for."""
    outcome = look(message(encode(replace(report, start_ns=report.start_ns + 1))))
    assert refusal(outcome) is RefusalCode.OFF_GRID
    assert isinstance(outcome, Refused)
    assert outcome.envelope is not None


def test_a_tombstone_that_runs_backwards_does_not_hinder_its_report(report: Envelope) -> None:
    """A range from 9 to 3 is none: the item is kept as it came, and nothing is written off."""
    payload = encode(report).replace(
        b'"items":[',
        b'"items":[{"type":"tombstone","first_seq":9,"last_seq":3,"from_ns":0,"until_ns":1,"reason":"x"},',
    )
    outcome = look(message(payload))
    assert isinstance(outcome, Accepted)
    assert isinstance(outcome.report.envelope.items[0], Opaque)


def test_an_unknown_item_does_not_hinder_its_report(report: Envelope) -> None:
    """A newer probe's item is kept as it came."""
    payload = encode(report).replace(b'"type":"stream"', b'"type":"hologram"')
    outcome = look(message(payload))
    assert isinstance(outcome, Accepted)
    assert isinstance(outcome.report.envelope.items[0], Opaque)


@pytest.mark.parametrize(
    ("age_ns", "fits"),
    [(0, True), (-60 * SECOND_NS, True), (-75 * SECOND_NS, False), (90 * DAY_NS, True), (91 * DAY_NS, False)],
)
def test_a_date_that_cannot_be_makes_a_report_misdated(report: Envelope, age_ns: int, *, fits: bool) -> None:
    """From a minute ahead to the retention behind, a date is believed; outside, the report is set aside, not lost."""
    now_on_grid = window_start(NOW)
    found = Message(
        topic=f"{ROOT}/agra/p1/report",
        payload=encode(replace(report, start_ns=now_on_grid - age_ns)),
        received_ns=now_on_grid,
    )
    assert isinstance(look(found), Accepted if fits else Misdated)


def test_presence_is_taken_from_the_site_s_own_topic() -> None:
    """Presence, retained or not, belongs to the site of its topic."""
    outcome = look(message(b'{"online":true,"since_ns":5,"new":1}', "agra/p1/presence", retained=True))
    assert isinstance(outcome, Said)
    assert outcome.presence is not None
    assert (outcome.site, outcome.probe, outcome.presence.online, outcome.at_ns) == ("agra", "p1", True, NOW)


def test_a_cleared_presence_says_nothing() -> None:
    """An empty retained payload withdraws the word."""
    outcome = look(message(b"", "agra/p1/presence"))
    assert isinstance(outcome, Said)
    assert outcome.presence is None


def test_presence_of_a_site_that_is_none_is_refused() -> None:
    """Presence is checked like reports are."""
    assert (
        refusal(look(message(b'{"online":true,"since_ns":5}', "x/p1/presence"))) is RefusalCode.UNKNOWN_SITE
    )


def test_control_messages_have_a_bound_of_their_own() -> None:
    """Nobody needs 16 kB to say that he is there."""
    payload = b'{"online":true,"since_ns":5,"version":"' + b"9" * 20_000 + b'"}'
    assert refusal(look(message(payload, "agra/p1/presence"))) is RefusalCode.TOO_LARGE


def test_an_answer_is_taken() -> None:
    """Answers to commands are typed as such."""
    assert isinstance(look(message(b'{"ok":true}', "agra/p1/answer")), Answered)


@given(
    payload=st.binary(max_size=300) | st.text(max_size=300).map(str.encode),
    topic=st.text(max_size=60) | st.sampled_from(["agra/p1/report", "agra/p1/presence", "agra/p1/answer"]),
)
def test_nothing_that_may_be_sent_raises(payload: bytes, topic: str) -> None:
    """Any topic with any payload has an outcome."""
    assert look(message(payload, topic)) is not None
