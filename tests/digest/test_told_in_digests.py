"""Whom a digest names as told, of which fault: what left the outbox, and the alert of the fault that the verdict names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from telemetry.alerting import Kind, Post
from telemetry.decisions import Action, Evidence, Factor, FactorKind, Incident, Reason, ReasonCode, State
from tests.digest.desk import ns

if TYPE_CHECKING:
    from telemetry.alerting import Alert
    from tests.digest.desk import Desk

PROVIDER = Factor(kind=FactorKind.PROVIDER, name="provider-b")
END = Factor(kind=FactorKind.END, name="state")


def before(desk: Desk, recipient: str = "john@hq.example") -> str:
    """The digest before the meeting, as plain text."""
    desk.look("10:00")
    return desk.body(recipient, "before").replace("\u00a0", " ")


def message(alert: str, person: str) -> Post:
    """What is to be sent of an alert."""
    return Post(
        key=f"{alert}/{person}", person=person, channel="mail", recipient=f"{person}@noc.example",
        subject="s", body="b", due_ns=ns("09:42"), alert=alert,
    )  # fmt: skip


def of_fault(factor: Factor, suffer: int, since: str = "09:40") -> dict[str, Any]:
    """What a verdict says of a shared fault."""
    reason = Reason(
        code=ReasonCode.SHARED_FAULT, value=suffer, limit=suffer, factor=factor, since_ns=ns(since)
    )
    return {"reasons": (reason,), "action": Action.WAIT_HEADQUARTERS}


def shared(desk: Desk, alert_id: str, factor: Factor, *sites: str) -> Alert:
    """The alert of a shared fault, of which the desk was told."""
    made = desk.alert(alert_id, "", "review", told=("asha",))
    return replace(made, kind=Kind.SHARED, sites=sites, factor=factor, incident=alert_id)


def test_who_is_told_is_who_was_sent_something(desk: Desk) -> None:
    """A message that waits (no mail server) has told nobody, nor has one that was given up; each is said as what it is."""
    desk.says()
    told = desk.alert("K7M2PQ", "mathura", "review", told=("asha", "raj", "neha"))
    desk.state.put_alerts([told], [message("K7M2PQ", one) for one in ("asha", "raj", "neha")], ns("09:50"))
    desk.state.mark_sent("K7M2PQ/raj", ns("09:51"))
    desk.state.mark_waiting("K7M2PQ/asha", "alerts.smtp_host is empty")
    desk.state.mark_dead("K7M2PQ/neha", "refused", ns("09:52"))
    text = before(desk)
    assert "Told: raj; not taken up yet (K7M2PQ)" in text
    assert "To be told: Asha Verma; the message waits, it is not sent yet (K7M2PQ)" in text
    assert "Not told: neha; the message was given up (K7M2PQ)" in text
    hindi = desk.body("meena@hq.example", "before")
    assert "बताया जाना बाक़ी: Asha Verma; संदेश रुका है, अभी भेजा नहीं गया (K7M2PQ)" in hindi
    assert "नहीं बताया जा सका: neha; संदेश भेजने की कोशिश छोड़ दी गई (K7M2PQ)" in hindi


def test_one_shared_fault_stands_as_one_with_its_own_alert(desk: Desk) -> None:
    """Whatever else is open about an office, however many offices each look counted: one card, and who was told of that fault."""
    desk.says()
    desk.state.put_verdicts(
        [
            desk.verdict("agra", State.NOT_READY, 0.11, **of_fault(END, 12), issued_ns=ns("09:57")),
            desk.verdict("mathura", State.NOT_READY, 0.11, **of_fault(END, 13), issued_ns=ns("09:58")),
            desk.verdict("hathras", State.NOT_READY, 0.10, **of_fault(END, 12), issued_ns=ns("09:57")),
        ]
    )
    faults = [
        shared(desk, "E2DANJ", PROVIDER, "agra", "mathura"),
        shared(desk, "X5DANJ", END, "agra", "hathras"),  # mathura was hit a look later
    ]
    desk.state.put_alerts(faults, [], ns("09:56"))
    text = before(desk)
    assert "• Hathras, Agra, Mathura: not ready\n" in text
    assert text.count("X5DANJ") == 1
    assert "E2DANJ" not in text
    assert "(13 of 13 offices)" in text, "the newest count stands for all"
    assert "(12 of 12 offices)" not in text
    assert "K7M2PQ" not in text, "its own alert is of another trouble"


def test_an_office_whose_fault_has_no_alert_is_not_laid_to_another(desk: Desk) -> None:
    """What was told of the provider's fault says nothing of one at headquarters."""
    desk.says()
    desk.state.put_verdicts([desk.verdict("etah", State.AT_RISK, 0.7, **of_fault(END, 12))])
    desk.state.put_alerts([shared(desk, "E2DANJ", PROVIDER, "etah")], [], ns("09:56"))
    assert "E2DANJ" not in before(desk)


def test_a_headquarters_is_called_by_its_name(desk: Desk) -> None:
    """No organiser knows the id that the settings have for it."""
    desk.says()
    desk.state.put_verdicts([desk.verdict("etah", State.AT_RISK, 0.7, **of_fault(END, 12))])
    name = desk.live.current.headquarters["state"]
    assert f"Fault at {name.name('en')}" in before(desk)
    assert name.name("hi") in desk.body("meena@hq.example", "before")


def test_who_knows_from_an_earlier_meeting_is_not_nobody(desk: Desk) -> None:
    """An office has one alert, about its first meeting in danger: the digest of the next one names who heard, and of what."""
    desk.meets("early", "10:30", minutes=20)
    desk.says()
    told = desk.alert("E7M2PQ", "etah", "early", told=("asha",))
    desk.state.put_alerts([told], [], ns("09:50"))
    text = before(desk)
    told_of = "Told: Asha Verma; not taken up yet (E7M2PQ)\n  This was about the meeting of Tuesday 24 November, 10:30"
    assert told_of in text
    assert "Nobody has been told yet" not in text
    assert text.count("This was about") == 1, "only of the office that was told with another meeting in mind"
    hindi = desk.body("meena@hq.example", "before").replace("\u00a0", " ")
    assert "यह 24 नवंबर, मंगलवार, 10:30 बजे की मीटिंग के बारे में था" in hindi


def test_the_office_s_own_goes_before_a_fault_that_its_verdict_does_not_name(desk: Desk) -> None:
    """Both were told with the earlier meeting in mind: who heard of its own trouble is named."""
    desk.meets("early", "10:30", minutes=20)
    desk.says()
    own = desk.alert("E7M2PQ", "etah", "early", told=("asha",))
    fault = shared(desk, "S4DANJ", Factor(kind=FactorKind.AT_ONCE), "etah")
    fault = replace(fault, meeting=own.meeting, occurrence_ns=own.occurrence_ns, starts_ns=own.starts_ns)
    desk.state.put_alerts([own, fault], [], ns("09:56"))
    text = before(desk)
    assert "(E7M2PQ)\n  This was about" in text
    assert "S4DANJ" not in text


def test_who_took_it_up_for_an_earlier_meeting_is_named(desk: Desk) -> None:
    """Taken up is taken up, and of what is said beside it."""
    desk.meets("early", "10:30", minutes=20)
    desk.says()
    desk.state.put_alerts([desk.alert("E7M2PQ", "etah", "early", told=("asha",))], [], ns("09:50"))
    desk.state.acknowledge("E7M2PQ", "asha", "", ns("09:55"))
    assert "Taken up by Asha Verma at 09:55 (E7M2PQ)\n  This was about" in before(desk)


def test_not_your_line_of_an_earlier_meeting_tells_nobody_of_their_own(desk: Desk) -> None:
    """Who heard that it is not their line has heard nothing of a trouble that is."""
    desk.meets("early", "10:30", minutes=20)
    desk.says()
    eased = replace(desk.alert("E7M2PQ", "etah", "early", told=("asha",)), kind=Kind.NOT_YOUR_LINE)
    desk.state.put_alerts([eased], [], ns("09:50"))
    text = before(desk)
    assert "E7M2PQ" not in text
    assert "Nobody has been told yet" in text


@pytest.mark.parametrize("until", ["09:45", None])
def test_a_shared_fault_that_is_over_is_not_what_is_done_about_another_trouble(
    desk: Desk, until: str | None
) -> None:
    """Its alert stands until it has been well for a while; what the office suffers from now, nobody was told of."""
    desk.says()
    until_ns = None if until is None else ns(until)
    fault = Incident(
        id="S4DANJ", factor=Factor(kind=FactorKind.AT_ONCE), since_ns=ns("09:40"), told_ns=ns("09:41"),
        seen_ns=ns("09:44"), until_ns=until_ns, sites=("etah",),
        evidence=Evidence(members=12, suffer=12, others=0, others_suffer=0, log_odds=9.0),
    )  # fmt: skip
    desk.state.put_incidents([fault])
    alert = shared(desk, "S4DANJ", Factor(kind=FactorKind.AT_ONCE), "etah")
    desk.state.put_alerts([alert], [], ns("09:56"))
    text = before(desk)
    assert ("S4DANJ" in text) is (until is None)
    assert ("Nobody has been told yet" in text) is (until is not None)


def test_a_fault_of_another_headquarters_is_not_what_is_done(desk: Desk) -> None:
    """The review connects to the state's: what has been told of the national one says nothing of an office's own trouble."""
    desk.says()
    national = Factor(kind=FactorKind.END, name="national")
    desk.state.put_alerts([shared(desk, "N4DANJ", national, "etah")], [], ns("09:56"))
    text = before(desk)
    assert "N4DANJ" not in text
    assert "Nobody has been told yet" in text
