"""The ladder: who is told what and when, up to the start of a meeting and through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.alerting import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest
    from conftest import Build

    from telemetry.alerting import Alert, Post
    from tests.alerts.scenarios.house import House

HEAD = "id,name,role,about,language,email,phone,channels,quiet,per_hour,meetings\n"
DESK = "noc-desk,NOC desk,noc,all,en,noc@office.example,,,none,,\n"


def test_unacknowledged_it_climbs_the_ladder(house: House) -> None:
    """In-charge first, the region within two hours, the NOC within one; the in-charge is reminded at T-2h, T-30, T-10."""
    house.at("07:00").not_ready("agra").run("11:00")
    assert house.told == [
        "07:00:15 site:agra raised not_ready agra",
        "09:00:00 ravi escalated not_ready agra",
        "09:00:15 site:agra reminded not_ready agra",
        "10:00:00 noc-desk escalated not_ready agra",
        "10:30:00 site:agra reminded not_ready agra",
        "10:50:00 site:agra reminded not_ready agra",
    ]
    assert [facts.unanswered for facts, *_ in house.facts] == ["", "Agra keeper", "", "Ravi", "", ""]


def test_a_contact_without_a_name_is_named_by_the_office(house: House) -> None:
    """An id means nothing to whoever is to ring; the office is named in the reader's language."""
    sites = house.folder / "sites.csv"
    text = sites.read_text(encoding="utf-8").replace(",Agra,Agra,", ",Agra,आगरा,").replace("Agra keeper", "")
    sites.write_text(text, encoding="utf-8")
    house.at("07:00").not_ready("agra").run("10:05")
    assert [(language, facts.unanswered) for facts, language, _ in house.facts if facts.unanswered] == [
        ("hi", "आगरा"),
        ("en", "Ravi"),
    ]


def test_an_acknowledgement_stops_the_climb(house: House) -> None:
    """Nobody further is told, nobody is reminded; who was told hears that it is over."""
    house.at("08:30").not_ready("agra").run("08:40").takes_up("site:agra").run("10:55")
    house.ready("agra").run("10:58")
    assert house.told == [
        "08:30:15 site:agra raised not_ready agra",
        "10:57:00 site:agra resolved not_ready agra",
    ]


def test_near_the_start_the_ladder_is_climbed_in_minutes(house: House) -> None:
    """A fault eight minutes before the start: severe, so told within the window; then every five minutes a rung."""
    house.at("10:52").not_ready("agra", severe=True).run("11:05")
    assert house.told == [
        "10:52:00 site:agra raised not_ready agra",
        "10:57:00 ravi escalated not_ready agra",
        "11:02:00 noc-desk escalated not_ready agra",
    ]


def test_nothing_is_said_before_it_is_time_to_act(build: Build) -> None:
    """A meeting in more than a day moves nobody; a day before it the in-charge hears."""
    house = build(meeting="2026-11-26 11:00").at("09:00").not_ready("agra")
    house.run("2026-11-25 10:59", every_s=300).run("2026-11-25 11:02")
    assert house.told == ["+1d 11:00:30 site:agra raised not_ready agra"]


def test_an_office_without_a_meeting_is_told_of_only_when_it_is_down(build: Build) -> None:
    """Half an hour of silence; then with patience up the ladder, and the all-clear to those who were told."""
    house = build(meeting="").at("09:12").silent("agra", since="09:10").run("12:00", every_s=60)
    house.heard("agra").run("12:03")
    assert house.told == [
        "09:40:00 site:agra raised down agra",
        "11:40:00 ravi escalated down agra",
        "12:02:00 site:agra resolved down agra",
        "12:02:00 ravi resolved down agra",
    ]


def test_a_meeting_that_draws_near_takes_the_place_of_the_silence(build: Build) -> None:
    """The office was told of as down; for the meeting it is told of anew, and nobody hears that contact is back."""
    house = build(meeting="23:00").at("09:12").silent("agra", since="09:10").run("11:00", every_s=60)
    house.dark("agra").run("11:10", every_s=60)
    assert house.told == [
        "09:40:00 site:agra raised down agra",
        "11:00:00 site:agra raised dark agra",
    ]
    assert [alert.kind for alert in house.open] == ["dark"]


def test_who_was_told_of_the_silence_alone_hears_when_all_is_well(build: Build) -> None:
    """The region was told that the office is down, and nothing of the meeting in danger: the word that it is over reaches it, once."""
    house = build(meeting="").at("09:41").silent("agra", since="09:10").run("11:45", every_s=60)
    house.meets("review", "13:00").dark("agra").run("11:46").takes_up("asha")
    house.ready("agra").run("11:50").run("12:10")
    assert sorted(house.told)[1:] == [
        "11:41:00 ravi escalated down agra",
        "11:45:00 site:agra raised dark agra",
        "11:48:00 ravi resolved dark agra",
        "11:48:00 site:agra resolved dark agra",
    ]
    assert house.open == []


def test_taken_up_while_it_takes_the_place_of_the_silence(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody acknowledges the meeting's alert between the look and what is written of it: the region still hears when all is well."""
    house = build(meeting="").at("09:41").silent("agra", since="09:10").run("11:45", every_s=60)
    house.meets("review", "13:00").dark("agra").look()
    put_alerts = house.state.put_alerts

    def too_late(alerts: Iterable[Alert], posts: Iterable[Post], now_ns: int) -> int:
        (new,) = (one for one in house.open if one.kind is Kind.DARK)
        house.state.acknowledge(new.id, "asha", "", now_ns)
        monkeypatch.undo()
        return put_alerts(alerts, posts, now_ns)

    monkeypatch.setattr(house.state, "put_alerts", too_late)
    house.run("11:46")
    assert [(one.kind, one.acknowledged_by) for one in house.open] == [("dark", "asha")]
    house.ready("agra").run("11:50")
    assert sorted(house.told)[-2:] == [
        "11:48:00 ravi resolved dark agra",
        "11:48:00 site:agra resolved dark agra",
    ]


def test_an_empty_rung_gives_its_place_to_the_next(build: Build) -> None:
    """No in-charge can be reached and the region has nobody: the NOC hears a day before, as the first."""
    people = HEAD + DESK + "asha,Asha,regional,site:agra,en,,,,none,,\n"
    house = build(people=people)
    text = (house.folder / "sites.csv").read_text(encoding="utf-8").replace("agra@office.example", "")
    (house.folder / "sites.csv").write_text(text, encoding="utf-8")
    house.at("07:00").not_ready("agra").run("07:10")
    assert house.told == ["07:00:15 noc-desk raised not_ready agra"]


def test_who_cannot_be_reached_is_named_once(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    """A person on a rung without an address on their channels: one line in the log."""
    house = build(people=HEAD + DESK + "asha,Asha,regional,site:agra,en,,,,none,,\n")
    house.at("07:00").run("07:05")
    house.configure("urgent_min = 20\n").run("07:10")
    (line,) = [one for one in caplog.messages if "asha" in one]
    assert line == "no address on any of their channels: asha; the next rung is told instead"


def test_one_address_is_told_once(build: Build) -> None:
    """An office's contact stands in the table of people too, with a language of their own: that line counts."""
    people = HEAD + DESK + "asha,Asha,in_charge,site:agra,hi,agra@office.example,,,none,,\n"
    house = build(people=people).at("07:00").not_ready("agra").run("07:10")
    assert house.told == ["07:00:15 asha raised not_ready agra"]


def test_a_week(build: Build) -> None:
    """A daily meeting of three offices: a fault on Tuesday, a bad Wednesday, a quiet end of the week."""
    house = build(day="2026-11-23", meeting="")
    house.meets("review", "2026-11-23 11:00", more="RRULE:FREQ=DAILY;COUNT=7\n").at("00:00")
    house.run("2026-11-24 09:30", every_s=600)
    house.not_ready("agra").run("2026-11-24 09:40").takes_up("site:agra").run("2026-11-24 10:00")
    house.ready("agra").run("2026-11-24 10:05").run("2026-11-25 10:50", every_s=600)
    house.dark("etah").run("2026-11-25 11:10").ready("etah").run("2026-11-25 11:20")
    house.run("2026-11-29 23:00", every_s=600)
    assert house.told == [
        "+1d 09:30:15 site:agra raised not_ready agra",
        "+1d 10:02:00 site:agra resolved not_ready agra",
        "+2d 10:50:00 site:etah raised dark etah",
        "+2d 10:55:00 ravi escalated dark etah",
        "+2d 11:00:00 noc-desk escalated dark etah",
        "+2d 11:12:00 site:etah resolved dark etah",
        "+2d 11:12:00 ravi resolved dark etah",
        "+2d 11:12:00 noc-desk resolved dark etah",
    ]
    assert house.open == []


def test_better_but_not_well_is_no_all_clear(house: House) -> None:
    """At risk, or unknown, after not ready: nothing is said, up or down, until it is ready."""
    house.at("09:30").not_ready("agra").run("09:31").at_risk("agra").run("10:30")
    house.unknown("agra").run("10:40").ready("agra").run("10:45")
    assert house.told == [
        "09:30:15 site:agra raised not_ready agra",
        "10:42:00 site:agra resolved not_ready agra",
    ]


def test_an_office_at_risk_is_told_of_when_that_is_wished(build: Build) -> None:
    """By default never; with at_risk_min, so many minutes before the start."""
    quiet = build().at("10:20").at_risk("agra").run("11:00")
    assert quiet.told == []
    house = build(settings="at_risk_min = 30\n").at("10:20").at_risk("agra").run("10:34")
    assert house.told == ["10:30:15 site:agra raised at_risk agra"]


def test_acknowledged_then_worse_is_told_again(house: House) -> None:
    """Taken up, then the office falls dark: who was told hears it, and without an answer the ladder is climbed on."""
    house.at("09:30").not_ready("agra").run("09:31").takes_up("site:agra").run("09:40")
    (taken,) = house.open
    assert (taken.state, taken.acknowledged_by) == ("acknowledged", "site:agra")
    house.dark("agra").run("10:05")
    assert house.told == [
        "09:30:15 site:agra raised not_ready agra",
        "09:40:00 site:agra worse dark agra",
        "10:00:00 ravi escalated dark agra",
    ]
    house.takes_up("ravi").run("10:59")
    assert len(house.told) == 3
    assert house.open[0].acknowledged_by == "ravi"


def test_the_same_trouble_again_is_not_worse(house: House) -> None:
    """Dark, better, dark again while somebody is at it: that was told already."""
    house.at("09:30").dark("agra").run("09:31").takes_up("site:agra")
    house.not_ready("agra").run("09:40").dark("agra").run("09:50")
    assert house.told == ["09:30:00 site:agra raised dark agra"]


def test_only_the_next_meeting_is_told_of(house: House) -> None:
    """Not ready for three meetings of the day: one message, of the first; the second is told when the first is over."""
    house.meets("noon", "12:30").meets("evening", "16:00").at("09:30")
    for uid in ("review", "noon", "evening"):
        house.not_ready("agra", meeting=uid)
    house.run("09:40").takes_up("site:agra").run("11:59", every_s=60).run("12:01")
    assert house.told == [
        "09:30:15 site:agra raised not_ready agra",
        "12:00:15 site:agra raised not_ready agra",
    ]
    assert [facts.meeting for facts, *_ in house.facts] == ["review", "noon"]


def test_a_meeting_that_ends_ends_its_alert_without_a_word(house: House) -> None:
    """The digest tells how it went; an all-clear after the end helps nobody."""
    house.at("10:55").not_ready("agra", severe=True).run("10:56").takes_up("site:agra").run("12:10")
    assert house.told == ["10:55:00 site:agra raised not_ready agra"]
    assert house.open == []


def test_a_moved_meeting_keeps_its_alert_and_reminds_by_its_new_time(house: House) -> None:
    """Moved to the afternoon while the alert fires: it is the same alert, and the reminders follow the start."""
    house.at("09:30").not_ready("agra").run("09:45")
    house.meets("review", "11:00", more="")
    moved = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//tests//EN\n"
        "BEGIN:VEVENT\nUID:review\nSUMMARY:review\nDTSTART:20261124T053000Z\nDURATION:PT60M\nATTENDEE:all\n"
        "X-TATPAR-END:state\nRRULE:FREQ=DAILY;COUNT=1\nEND:VEVENT\n"
        "BEGIN:VEVENT\nUID:review\nRECURRENCE-ID:20261124T053000Z\nDTSTART:20261124T083000Z\nDURATION:PT60M\nEND:VEVENT\n"
        "END:VCALENDAR\n"
    )
    (house.folder / "meetings" / "review.ics").write_text(moved.replace("\n", "\r\n"), encoding="utf-8")
    house.not_ready("agra").run("12:02")
    assert house.told == [
        "09:30:15 site:agra raised not_ready agra",
        "12:00:00 ravi escalated not_ready agra",
        "12:00:15 site:agra reminded not_ready agra",
    ]
    assert len({facts.alert for facts, *_ in house.facts}) == 1


def test_a_cancelled_meeting_ends_its_alert_without_a_word(house: House) -> None:
    """Nothing is ready again, so nobody hears that it is."""
    house.at("09:30").not_ready("agra").run("09:45")
    house.meets("review", "11:00", more="STATUS:CANCELLED\n")
    house.state.void("review", house.open[0].occurrence_ns or 0, house.now_ns)
    house.run("10:30")
    assert house.told == ["09:30:15 site:agra raised not_ready agra"]
    assert house.open == []


def test_92_offices_fail_at_the_same_second(build: Build) -> None:
    """Told once each, and only after it was waited whether they share a fault; nobody twice, nobody forgotten."""
    offices = tuple(f"office-{number:02}" for number in range(92))
    house = build(offices=offices).at("09:30").not_ready(*offices, severe=True).run("09:34:45")
    assert sorted(house.told) == [f"09:30:30 site:{office} raised not_ready {office}" for office in offices]
    house.run("10:20", every_s=60)
    assert sorted(house.told_of("ravi")) == [
        f"09:50:45 ravi escalated not_ready {office}" for office in offices
    ]


def test_language_channel_and_address_are_the_persons(build: Build) -> None:
    """The first channel on which there is an address; words in the person's language, in the channel's form."""
    people = (
        HEAD
        + DESK
        + (
            "asha,Asha,in_charge,site:agra,hi,asha@office.example,+915550101,sms mail,none,,\n"
            "bela,Bela,in_charge,site:agra,en,bela@office.example,,sms mail,none,,\n"
            "chat,Group,in_charge,site:agra,en,,,group,none,,\n"
        )
    )
    channels = '[alerts.channels]\nsms = "json://sms.example/{phone}"\ngroup = "tgram://token/chat"\n'
    house = build(people=people, settings=channels).at("09:30").not_ready("agra").run("09:31")
    rows = {row.person: (row.channel, row.recipient) for row in house.state.outbox(10)}
    assert rows == {
        "asha": ("sms", "+915550101"),
        "bela": ("mail", "bela@office.example"),
        "chat": ("group", "group"),
        "site:agra": ("mail", "agra@office.example"),
    }
    assert [(language, form.value) for _, language, form in house.facts] == [
        ("hi", "sms"),
        ("en", "mail"),
        ("en", "chat"),
        ("en", "mail"),
    ]
