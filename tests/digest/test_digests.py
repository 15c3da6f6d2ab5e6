"""The digests of meetings, with time handed in: to whom, when, what they say, and that each goes once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from telemetry.alerting import Kind
from telemetry.decisions import Action, Factor, FactorKind, OutcomeState, Reason, ReasonCode, State
from tests.digest.desk import SITES, ns

if TYPE_CHECKING:
    from tests.digest.desk import Desk

HELD, FAILED, OPEN = OutcomeState.HELD, OutcomeState.FAILED, OutcomeState.UNSETTLED
ONE_ORGANISER = """id,name,role,about,language,email,phone,channels,quiet,per_hour,meetings
john,John Mathew,organiser,all,en,john@hq.example,,,{quiet},1,
"""
NOBODY = """id,name,role,about,language,email,phone,channels,quiet,per_hour,meetings
asha,Asha Verma,noc,all,en,asha@noc.example,,,none,,
"""


def test_an_hour_before_and_an_hour_after_once_each(desk: Desk) -> None:
    """Not a minute early; each organiser once, in their language; nothing in between; again after a restart nothing."""
    desk.says()
    assert desk.look("09:59") == 0
    assert desk.look("10:00") == 2
    desk.restart()
    assert [desk.look(at) for at in ("10:01", "10:59", "11:30", "12:59")] == [0, 0, 0, 0]
    desk.came_out(agra=HELD, etah=HELD, mathura=FAILED, hathras=FAILED)
    assert desk.look("13:00") == 2
    desk.restart()
    desk.came_out(final=True, agra=HELD, etah=FAILED, mathura=FAILED, hathras=FAILED)
    assert [desk.look(at) for at in ("13:01", "23:00", "+1 09:00")] == [0, 0, 0]
    assert desk.sent == [
        "meena@hq.example: समीक्षा बैठक, 24 नवंबर, मंगलवार, 11:00 बजे: क्या उम्मीद है",
        "john@hq.example: Review, Tuesday 24 November, 11:00: what to expect",
        "meena@hq.example: समीक्षा बैठक, 24 नवंबर, मंगलवार, 11:00 बजे: क्या हुआ",
        "john@hq.example: Review, Tuesday 24 November, 11:00: what happened",
    ]


def test_before_says_who_is_not_ready_and_what_is_done(desk: Desk) -> None:
    """Worst first with reason and action, who was told or has taken it up, and how many are expected to hold."""
    desk.says()
    desk.look("10:00")
    text = desk.body("john@hq.example", "before")
    lines = [line for line in text.replace("\u00a0", " ").splitlines() if line]
    start = lines.index("Who is not ready, and what is being done")
    assert "Of 4 offices that there is a forecast for, about 2 are expected to hold" in text
    assert "1 more invited office is not linked yet." in lines
    assert lines[start + 1 : -1] == [
        "• Hathras: not ready",
        "  No contact, since 09:40",
        "  To do: check the power of router and probe",
        "  Taken up by Asha Verma at 09:55 (B3X9RT): power is back at noon",
        "• Mathura: not ready (31 %)",
        "  Loss, uplink 4.1 %",
        "  To do: switch the router off and on again after 1 minute",
        "  Told: Asha Verma; not taken up yet (K7M2PQ)",
        "• Etah: at risk (72 %)",
        "  Loss, uplink 4.1 %",
        "  To do: keep an eye on it",
        "  Nobody has been told yet",
    ]
    assert "Agra" not in text


def test_a_room_device_that_is_off_is_nobody_who_holds(desk: Desk) -> None:
    """The line's 99 % is no chance of an office that cannot join: it counts 0, and stands without a number."""
    desk.says()
    off = Reason(code=ReasonCode.ROOM_DEVICE, value=900.0, unit="s", since_ns=ns("09:40"))
    desk.state.put_verdicts(
        [desk.verdict("agra", State.NOT_READY, 0.99, reasons=(off,), action=Action.SWITCH_ON_DEVICE)]
    )
    desk.look("10:00")
    text = desk.body("john@hq.example", "before").replace("\u00a0", " ")
    assert "about 1 is expected to hold" in text or "about 1 are expected to hold" in text
    assert "• Agra: not ready\n" in text
    assert "99" not in text


def test_an_office_with_minutes_of_history_is_remarked_on(desk: Desk) -> None:
    """Ready or not; by the time that the digest is made; one that is known for a day is not."""
    desk.says()
    desk.state.put_verdicts(
        [
            desk.verdict("agra", State.READY, 0.97, known_since_ns=ns("09:48")),
            desk.verdict("etah", State.READY, 0.97, known_since_ns=ns("-1 10:00")),
        ]
    )
    desk.look("10:00")
    text = desk.body("john@hq.example", "before").replace("\u00a0", " ")
    assert "so little stands behind what is said of them: Agra (12 min)." in text
    assert "आगरा (12 मिनट)" in desk.body("meena@hq.example", "before").replace("\u00a0", " ")


def test_offices_of_one_shared_fault_are_told_of_together(desk: Desk) -> None:
    """The cause and what to do stand once; an office with a fault of its own keeps its own lines."""
    desk.says()
    fault = Reason(
        code=ReasonCode.SHARED_FAULT,
        value=2,
        limit=3,
        factor=Factor(kind=FactorKind.PROVIDER, name="provider-b"),
    )
    told = {"reasons": (fault,), "action": Action.CALL_PROVIDER}
    desk.state.put_verdicts(
        [
            desk.verdict("agra", State.AT_RISK, 0.78, **told),
            desk.verdict("etah", State.AT_RISK, 0.7, **told),
        ]
    )
    desk.look("10:00")
    text = desk.body("john@hq.example", "before").replace("\u00a0", " ")
    assert text.count("provider-b") == 1
    assert "• Etah, Agra: at risk\n" in text
    assert "• Mathura: not ready (31 %)" in text


def test_who_was_told_of_a_shared_fault_is_named_where_an_offices_own_word_is_kept_back(desk: Desk) -> None:
    """Of a shared fault the desk is told once; "nobody has been told yet" would have the organiser ring everybody up."""
    desk.says()
    shared = replace(
        desk.alert("S7M2PQ", "", "review", told=("asha",)), kind=Kind.SHARED, sites=("etah", "mathura")
    )
    kept_back = replace(desk.alert("N7M2PQ", "etah", "review"), kind=Kind.NOT_YOUR_LINE)
    desk.state.put_alerts([kept_back, shared], [], ns("09:51"))
    desk.look("10:00")
    text = desk.body("john@hq.example", "before").replace("\u00a0", " ")
    assert "Nobody has been told yet" not in text
    assert "Told: Asha Verma; not taken up yet (S7M2PQ)" in text
    assert "Told: Asha Verma; not taken up yet (K7M2PQ)" in text, "its own word goes first where it was said"


def test_the_hindi_digest_speaks_as_everything_else_does(desk: Desk) -> None:
    """A meeting is मीटिंग, but in its own title; what nobody has pressed stands in quotes, as on the button."""
    desk.says()
    desk.look("10:00")
    desk.came_out(agra=HELD, etah=FAILED, mathura=FAILED, hathras=FAILED)
    desk.look("13:00")
    before, after = (desk.body("meena@hq.example", each) for each in ("before", "after"))
    assert "अभी किसी ने “देख लिया” नहीं कहा" in before
    assert "मीटिंग ठीक चलने की उम्मीद" in before
    assert "मीटिंग ठीक चली" in after
    assert "बैठक" not in (before + after).replace("समीक्षा बैठक", "")


def test_a_contact_without_a_name_is_called_after_the_office(desk: Desk) -> None:
    """In prose nobody reads an identity."""
    sites = (
        SITES.replace("status\n", "status,contact_email\n")
        .replace("linked\n", "linked,\n")
        .replace("planned\n", "planned,\n")
    )
    sites = sites.replace("77.67,linked,", "77.67,linked,mathura@office.example")
    (desk.folder / "sites.csv").write_text(sites, encoding="utf-8")
    desk.says()
    desk.state.put_alerts(
        [desk.alert("K7M2PQ", "mathura", "review", told=("site:mathura",))], [], ns("09:51")
    )
    desk.look("10:00")
    assert "Told: Mathura; not taken up yet (K7M2PQ)" in desk.body("john@hq.example", "before")


def test_after_says_whether_the_forecast_was_right(desk: Desk) -> None:
    """By office what was said and what came, by horizon how many were right; open is open, and not counted."""
    desk.says()
    desk.forecasts()
    desk.came_out(agra=HELD, etah=FAILED, mathura=FAILED, hathras=OPEN)
    desk.look("13:00")
    text = desk.body("john@hq.example", "after").replace("\u00a0", " ")
    assert "1 of 4 invited offices held the meeting, 2 did not." in text
    assert "1 office is still open: its data may still come." in text
    assert "3 results may still change until a day after the meeting" in text
    assert "• 30 min before: said ready, held 1 of 2; said trouble, failed 1 of 1; right 2 of 3" in text
    assert "• Etah: failed\n  25 % of the time below what the call needs, 10 % without data" in text
    assert "30 min before we said ready (93 %): wrong" in text
    assert "30 min before we said not ready (31 %): right" in text
    assert "24 h before" not in text
    assert "Hathras" not in text


def test_after_tells_an_outage_as_one(desk: Desk) -> None:
    """How long the line was down or nothing was heard, of how long, in both languages; what else was below stands beside it."""
    desk.says()
    desk.forecasts()
    desk.failed_as("etah", windows=200, broken=96, missing=0, lost=96)
    desk.failed_as("agra", windows=200, broken=120, missing=80, unheard=80, lost=20, final=True)
    desk.look("13:00")
    text = desk.body("john@hq.example", "after").replace("\u00a0", " ")
    assert "• Etah: failed\n  Line down for 24 min of 50 min: all packets lost\n  30 min before" in text
    assert (
        "• Agra: failed\n  Line down for 5 min of 50 min: all packets lost\n  No contact for 20 min of 50 min\n"
        "  Besides, 10 % of the time below what the call needs, 0 % without data\n" in text
    )
    hindi = desk.body("meena@hq.example", "after").replace("\u00a0", " ")
    assert "लाइन 24 मिनट बंद रही, कुल 50 मिनट; सारे पैकेट खो गए" in hindi
    assert "संपर्क 20 मिनट नहीं रहा, कुल 50 मिनट" in hindi


def test_a_result_that_nobody_knows_yet_is_waited_for_and_then_told_as_open(desk: Desk) -> None:
    """Without any outcome the digest waits half an hour; then it says that nothing is there."""
    desk.forecasts()
    assert desk.look("13:00") == 0
    assert desk.look("13:29") == 0
    assert desk.look("13:30") == 2
    text = desk.body("john@hq.example", "after")
    assert "0 of 4 invited offices held the meeting, 0 did not." in text
    assert "4 offices are still open" in text
    assert "There is no forecast with a result to compare yet." in text


def test_a_meeting_before_our_time(desk: Desk) -> None:
    """A hub that was set up after a meeting has nothing to tell of it, and tells nothing."""
    assert [desk.look(at) for at in ("13:00", "13:30", "20:00")] == [0, 0, 0]
    desk.came_out(agra=OPEN, etah=OPEN, mathura=OPEN, hathras=OPEN)
    assert desk.look("20:01") == 0
    desk.came_out(agra=HELD, etah=OPEN, mathura=OPEN, hathras=OPEN)  # imported, or stored late
    assert desk.look("20:02") == 0
    desk.state.put_verdicts([desk.verdict("agra", State.READY, 0.97, issued_ns=ns("12:00"))])
    assert desk.look("20:03") == 0


def test_a_meeting_that_we_came_late_to(desk: Desk) -> None:
    """A hub that began in the middle of a meeting was there: what came of it is told."""
    desk.state.put_verdicts([desk.verdict("agra", State.READY, 0.97, issued_ns=ns("11:59"))])
    desk.came_out(agra=HELD, etah=OPEN, mathura=OPEN, hathras=OPEN)
    assert desk.look("13:00") == 2


def test_late_as_long_as_it_helps(desk: Desk) -> None:
    """A hub that was down sends what is due when it comes back: before until the start, after for twelve hours."""
    desk.says()
    assert desk.look("10:59") == 2
    desk.came_out(agra=HELD)
    desk.restart()
    assert desk.look("+1 00:59") == 2
    desk.meets("early", "09:00")
    desk.says("early")
    assert desk.look("09:00") == 0
    desk.came_out(uid="early", agra=HELD)
    assert desk.look("+1 00:00") == 0  # of a meeting that ended at 10:00, due at 11:00


def test_nothing_is_said_before_the_analysis_has(desk: Desk) -> None:
    """A watch that has just begun has no verdicts yet: the digest waits for them."""
    assert desk.look("10:00") == 0
    desk.says()
    assert desk.look("10:04") == 2


def test_a_short_meeting_and_two_that_overlap(desk: Desk) -> None:
    """A quarter of an hour is enough for both digests; meetings that overlap have each their own."""
    desk.people(ONE_ORGANISER.format(quiet="none"))
    desk.meets("short", "11:30", minutes=15)
    desk.says()
    desk.says("short")
    for clock in ("10:00", "10:30", "12:45", "13:00"):
        desk.came_out(agra=HELD)
        desk.came_out(uid="short", agra=HELD)
        desk.look(clock)
    assert [line.partition(": ")[2].replace(", Tuesday 24 November", "") for line in desk.sent] == [
        "Review, 11:00: what to expect",
        "Short, 11:30: what to expect",
        "Short, 11:30: what happened",
        "Review, 11:00: what happened",
    ]


def test_a_meeting_that_is_moved_or_cancelled(desk: Desk) -> None:
    """What waits for the old time is given up; the new time has its own; a cancelled one has none."""
    desk.people(ONE_ORGANISER.format(quiet="none"))
    desk.says()
    assert desk.look("10:00") == 1
    desk.meets("review", "15:00")
    assert desk.look("10:05") == 0
    assert [row.error for row in desk.state.dead(10)] == ["the meeting was moved or cancelled"]
    desk.says()
    assert desk.look("14:00") == 1
    desk.cancels("review")
    assert [desk.look(at) for at in ("14:30", "17:00", "17:45")] == [0, 0, 0]
    assert len(desk.state.dead(10)) == len(desk.sent) == 2


def test_what_went_out_is_not_taken_back(desk: Desk) -> None:
    """A digest that was sent stays as it is when the calendar changes."""
    desk.people(ONE_ORGANISER.format(quiet="none"))
    desk.says()
    desk.look("10:00")
    for row in desk.state.outbox(10):
        desk.state.mark_sent(row.key, ns("10:00"))
    desk.cancels("review")
    desk.look("10:05")
    assert desk.state.dead(10) == []


@pytest.mark.parametrize(
    ("people", "more", "settings", "expected"),
    [
        (ONE_ORGANISER.format(quiet="none"), "ORGANIZER:mailto:boss@hq.example\n", "", "john@hq.example"),
        (NOBODY, "ORGANIZER:mailto:boss@hq.example\n", "", "boss@hq.example"),
        (NOBODY, "", '[digest]\nto = ["list@hq.example"]\n', "list@hq.example"),
        (NOBODY, "", "", "asha@noc.example"),
    ],
    ids=["people.csv", "calendar", "settings", "NOC"],
)
def test_who_gets_it(desk: Desk, people: str, more: str, settings: str, expected: str) -> None:
    """The organiser that is named nearest to the meeting; the NOC where nobody is."""
    desk.people(people)
    desk.configure(settings)
    desk.meets("review", "11:00", more=more)
    desk.says()
    desk.look("10:00")
    assert [line.partition(":")[0] for line in desk.sent] == [expected]


def test_a_limit_of_alerts_does_not_swallow_a_digest(desk: Desk) -> None:
    """It is nobody's alert: it counts towards no limit, and is never folded into `n alerts`."""
    desk.says()
    desk.look("10:00")
    assert {row.person for row in desk.state.outbox(10)} == {""}


def test_quiet_hours_are_waited_for_while_it_still_helps(desk: Desk) -> None:
    """A digest that falls into the night comes in the morning, unless the meeting begins before."""
    desk.people(ONE_ORGANISER.format(quiet="22:00-06:30"))
    desk.meets("review", "07:00")
    desk.says()
    assert desk.look("06:00") == 0
    assert desk.look("06:30") == 1
    desk.meets("dawn", "06:15")
    desk.says("dawn")
    assert desk.look("05:15") == 1


def test_switched_off(desk: Desk) -> None:
    """With 0 minutes there is none."""
    desk.configure("[digest]\nbefore_min = 0\nafter_min = 0\n")
    desk.says()
    desk.came_out(agra=HELD)
    assert [desk.look(at) for at in ("10:00", "13:00")] == [0, 0]


def test_a_chat_gets_the_text_and_an_sms_nothing(desk: Desk) -> None:
    """Half a page goes by mail, or into a chat; it does not fit an SMS."""
    rows = (
        "id,name,role,about,language,email,phone,channels,quiet,per_hour,meetings\n"
        "a,A,organiser,all,en,,+915550100,chat,none,,\n"
        "b,B,organiser,all,en,,+915550101,sms,none,,\n"
    )
    desk.people(rows)
    channels = 'channels = {chat = "https://chat.example/{phone}", sms = "https://sms.example/{phone}"}'
    desk.configure("", channels)
    desk.says()
    desk.look("10:00")
    (row,) = desk.state.outbox(10)
    assert (row.channel, row.recipient) == ("chat", "+915550100")
    assert desk.state.attachments(row.key) == ()


def test_many_offices_stay_half_a_page(desk: Desk) -> None:
    """Eight offices are named, the rest is counted."""
    more = "".join(f"extra-{n},Extra {n},अतिरिक्त {n},braj,27,78,linked\n" for n in range(20))
    sites = desk.folder / "sites.csv"
    sites.write_text(sites.read_text(encoding="utf-8") + more, encoding="utf-8")
    desk.says()
    desk.state.put_verdicts([desk.verdict(f"extra-{n}", State.NOT_READY, 0.2) for n in range(20)])
    desk.look("10:00")
    text = desk.body("john@hq.example", "before")
    assert text.count("• ") == 8
    assert "and 15 more offices" in text
