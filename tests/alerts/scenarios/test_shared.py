"""Faults that offices share: one message to the NOC, and the offices hear that it is not their line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.saying import headline
from telemetry.alerting import Step
from telemetry.decisions import Action, Factor, FactorKind, Reason, ReasonCode
from tests.alerts.scenarios.house import PEOPLE

if TYPE_CHECKING:
    from conftest import Build

PEOPLE_WITHOUT_NOC = "".join(line for line in PEOPLE.splitlines(keepends=True) if ",noc," not in line)
FIVE = ("agra", "etah", "hathras", "mainpuri", "mathura")
THIRTY = tuple(f"office-{number:02}" for number in range(30))


def test_a_provider_fails_over_thirty_offices(build: Build) -> None:
    """The incident is known 15 s after the first verdicts: nobody was sent to a router; afterwards all hear that it is over."""
    house = build(offices=(*THIRTY, "agra")).at("09:30").not_ready(*THIRTY, severe=True).run("09:30:15")
    house.incident(FactorKind.PROVIDER, "provider-b", *THIRTY).run("09:35")
    house.takes_up("asha", "provider-provider-b").run("10:00")
    assert sorted(house.told) == [
        "09:30:15 noc-desk raised shared 30-offices",
        *(f"09:30:15 site:{one} raised not_your_line {one}" for one in THIRTY),
    ]
    told = len(house.told)
    house.ready(*THIRTY).incident(FactorKind.PROVIDER, "provider-b", *THIRTY, until="now").run("10:10")
    assert sorted(house.told[told:]) == [
        "10:02:00 noc-desk resolved shared 30-offices",
        *(f"10:02:00 site:{one} resolved not_your_line {one}" for one in THIRTY),
    ]
    assert house.open == []


def test_a_fault_at_headquarters(build: Build) -> None:
    """The same for headquarters; the in-charges hear that there is nothing for them to do, the region hears nothing when the NOC has taken it up."""
    house = build().at("10:20").dark("agra", "etah").run("10:20:15")
    house.incident(FactorKind.END, "state", "agra", "etah").run("10:25")
    house.takes_up("asha", "end-state").run("10:59")
    assert sorted(house.told) == [
        "10:20:00 site:agra raised dark agra",
        "10:20:00 site:etah raised dark etah",
        "10:20:15 noc-desk raised headquarters 2-offices",
        "10:20:15 site:agra raised not_your_line agra",
        "10:20:15 site:etah raised not_your_line etah",
    ]


def test_the_hubs_own_deafness_is_told_to_the_noc_alone(build: Build) -> None:
    """Nothing is known of the lines then: whoever was told keeps what they were told, and nobody else hears of a line."""
    deaf = Reason(code=ReasonCode.SHARED_FAULT, value=5, limit=5, factor=Factor(FactorKind.HUB))
    unheard = (deaf, Reason(code=ReasonCode.NO_DATA))
    house = build(offices=FIVE).at("10:00").not_ready("agra").run("10:05")
    assert house.told == ["10:00:15 site:agra raised not_ready agra"]
    house.incident(FactorKind.HUB, "", *FIVE).not_ready(
        *FIVE, reasons=unheard, action=Action.WAIT_HEADQUARTERS
    )
    house.run("10:06").takes_up("asha").run("10:25")
    assert house.told[1:] == ["10:05:00 noc-desk raised headquarters 5-offices"]
    house.incident(FactorKind.HUB, "", *FIVE, until="now").ready(*FIVE[1:]).not_ready("agra").run("10:35")
    assert house.told[2:] == ["10:27:00 noc-desk resolved headquarters 5-offices"]


def test_the_wrong_headquarters_explains_nothing(build: Build) -> None:
    """A fault at the national end is no reason for a meeting at the state's."""
    house = build().at("09:30").not_ready("agra").incident(FactorKind.END, "national", "agra").run("09:31")
    assert sorted(house.told) == [
        "09:30:00 noc-desk raised headquarters 1-offices",
        "09:30:15 site:agra raised not_ready agra",
    ]


def test_an_office_that_stays_bad_when_the_rest_come_back_hears_of_its_own(build: Build) -> None:
    """The incident is over, one office is not well: after the clear time it is told as its own trouble."""
    house = build().at("09:30").not_ready("agra", "etah", severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:40")
    house.ready("etah").incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").run("10:10")
    assert sorted(house.told) == [
        "09:30:00 noc-desk raised shared 2-offices",
        "09:30:00 site:agra raised not_your_line agra",
        "09:30:00 site:etah raised not_your_line etah",
        "09:42:00 noc-desk resolved shared 2-offices",
        "09:42:00 site:agra raised not_ready agra",
        "09:42:00 site:etah resolved not_your_line etah",
        "10:02:00 ravi escalated not_ready agra",
    ]


def test_the_all_clear_is_about_all_that_were_hit_and_ends_with_the_fault(build: Build) -> None:
    """Offices come back one after the other, and an all-clear waits: neither changes how many were hit, nor until when."""
    house = (
        build(offices=FIVE).at("09:25:15").incident(FactorKind.PROVIDER, "provider-b", *FIVE[:3]).run("09:26")
    )
    house.incident(FactorKind.PROVIDER, "provider-b", *FIVE[1:4]).run("09:28")
    house.incident(FactorKind.PROVIDER, "provider-b", FIVE[3]).run("09:29")
    began_ns = house.open[0].since_ns
    house.incident(FactorKind.PROVIDER, "provider-b", *FIVE, until="09:28").run("09:29:15")
    healing = house.open[0]
    assert "5 offices" in headline(healing, house.live.current, "en", house.now_ns)
    said = house.run("09:35").facts[-1][0]
    assert (said.step, sorted(said.sites)) == (Step.RESOLVED, sorted(FIVE))
    assert (said.since_ns, said.ended_ns) == (began_ns, house._ns("09:28"))
    over = house.state.alert(healing.id)
    assert over is not None
    assert "5 offices" in headline(over, house.live.current, "en", house.now_ns)


def test_a_shared_fault_that_grows_to_the_whole_provider_is_told_once_more(build: Build) -> None:
    """Two offices of one region, then all five: who was told hears that it has grown, once, and not of a second fault."""
    house = build(offices=FIVE).at("09:25").incident(FactorKind.PROVIDER_REGION, "provider-b", *FIVE[:2])
    house.run("09:28").incident(FactorKind.PROVIDER_REGION, "provider-b", *FIVE[:3]).run("09:29")
    assert house.told == ["09:25:00 noc-desk raised shared 2-offices"]
    house.incident(FactorKind.PROVIDER, "provider-b", *FIVE, was="provider_region-provider-b").run("09:40")
    assert house.told[1:] == ["09:29:00 noc-desk worse shared 5-offices"]


def test_a_shared_fault_that_comes_back_is_about_those_that_suffer_now(build: Build) -> None:
    """Only the all-clear looks back."""
    house = build(offices=FIVE).at("09:25").incident(FactorKind.PROVIDER, "provider-b", *FIVE).run("09:26")
    house.incident(FactorKind.PROVIDER, "provider-b", *FIVE, until="now").run("09:27")
    assert (house.open[0].over_ns, house.open[0].sites) == (house._ns("09:26"), FIVE)
    house.incident(FactorKind.PROVIDER, "provider-b", *FIVE[:2]).run("09:28")
    assert (house.open[0].ended_ns, house.open[0].sites, house.open[0].hit) == (None, FIVE[:2], FIVE)


def test_an_offices_own_all_clear_ends_when_it_was_well(build: Build) -> None:
    """Not when the wait was over."""
    house = build().at("09:30").not_ready("agra", severe=True).run("09:35").ready("agra").run("09:40")
    said = house.facts[-1][0]
    assert (said.step, said.site, said.ended_ns) == (Step.RESOLVED, "agra", house._ns("09:35"))


def test_an_incident_with_no_meeting_near_is_for_the_noc_alone(build: Build) -> None:
    """The in-charges sleep."""
    house = build(meeting="").at("03:00").silent("agra", "etah", since="02:59")
    house.incident(FactorKind.REGION, "braj", "agra", "etah").run("05:00", every_s=60)
    assert house.told == ["03:00:00 noc-desk raised shared 2-offices"]


def test_down_then_explained(build: Build) -> None:
    """Told as down, then found to be a shared fault: it is not their line, and later that is over."""
    house = build(meeting="").at("09:41").silent("agra", since="09:10").run("09:50")
    house.incident(FactorKind.REGION, "braj", "agra", "etah").run("10:00")
    house.heard("agra").incident(FactorKind.REGION, "braj", "agra", "etah", until="now").run("10:05")
    assert house.told_of("site:agra") == [
        "09:41:00 site:agra raised down agra",
        "09:50:00 site:agra raised not_your_line agra",
        "10:02:00 site:agra resolved not_your_line agra",
    ]


def test_told_of_before_the_fault_that_hides_the_office(build: Build) -> None:
    """Told as not ready, then silent under an incident in which its meeting looks well: the word comes when it is heard again, once."""
    house = build().at("09:30").not_ready("agra", severe=True).run("09:35")
    house.ready("agra").silent("agra", since="09:00")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:50")
    assert house.told_of("site:agra") == ["09:30:00 site:agra raised not_ready agra"]
    assert [one.site for one in house.open if one.site] == ["agra"]
    house.heard("agra").incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").run("10:10")
    assert house.told_of("site:agra")[1:] == ["09:52:00 site:agra resolved not_ready agra"]
    assert house.open == []


def test_told_of_before_the_fault_and_never_heard_again(build: Build) -> None:
    """With its meeting the alert is over, as any; nothing is said of it afterwards."""
    house = build().at("09:30").not_ready("agra", severe=True).run("09:35")
    house.ready("agra").silent("agra", since="09:00")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("12:01", every_s=60)
    assert [one for one in house.open if one.site] == []
    house.heard("agra").incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").run("12:10")
    assert house.told_of("site:agra") == ["09:30:00 site:agra raised not_ready agra"]


def test_nobody_takes_up_a_shared_fault(build: Build) -> None:
    """The NOC is reminded before the meeting, the region hears of it from an hour before, and both hear that it is over."""
    house = build().at("09:20").dark("agra", "etah")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("10:55")
    house.ready("agra", "etah").incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").run(
        "11:00"
    )
    assert house.told_of("noc-desk") == [
        "09:20:00 noc-desk raised shared 2-offices",
        "10:30:00 noc-desk reminded shared 2-offices",
        "10:50:00 noc-desk reminded shared 2-offices",
        "10:57:00 noc-desk resolved shared 2-offices",
    ]
    assert house.told_of("ravi") == [
        "10:00:00 ravi escalated shared 2-offices",
        "10:57:00 ravi resolved shared 2-offices",
    ]


def test_a_shared_fault_that_somebody_has_taken_up(build: Build) -> None:
    """One message to the NOC, and no more until it is over."""
    house = build().at("09:20").dark("agra", "etah")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:30")
    house.takes_up("asha", "provider-provider-b").run("10:55")
    assert [line for line in house.told if "shared" in line] == ["09:20:00 noc-desk raised shared 2-offices"]


def test_without_a_noc_the_region_hears_of_a_shared_fault_at_once(build: Build) -> None:
    """A rung that has nobody gives its place to the one above, with a meeting near and without."""
    house = build(people=PEOPLE_WITHOUT_NOC, meeting="").at("09:20").silent("agra", "etah", since="09:19")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:21")
    assert house.told == ["09:20:00 ravi raised shared 2-offices"]


def test_a_ladder_of_its_own_for_shared_faults(build: Build) -> None:
    """The operator's ladder counts: the region first here, the NOC when nobody has taken it up for ten minutes."""
    ladder = 'incident_ladder = [{ role = "regional", from_min = 600, wait_warning_min = 10 }, { role = "noc", from_min = 600 }]'
    house = build(settings=ladder).at("09:20").dark("agra", "etah")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("09:40")
    assert [line for line in house.told if "shared" in line] == [
        "09:20:00 ravi raised shared 2-offices",
        "09:30:00 noc-desk escalated shared 2-offices",
    ]


def test_an_office_whose_own_device_is_off_is_told_so_whatever_others_share(build: Build) -> None:
    """There is something to do: it hears that, and not that it is not its line."""
    house = build().at("10:37:45").not_ready("etah", severe=True)
    off = Reason(code=ReasonCode.ROOM_DEVICE, since_ns=house.now_ns)
    house.not_ready("agra", reasons=(off,), action=Action.SWITCH_ON_DEVICE)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("10:45")
    assert [line for line in house.told if "site:" in line] == [
        "10:37:45 site:etah raised not_your_line etah",
        "10:38:00 site:agra raised room_device agra",
    ]
    told = {facts.site: facts for facts, *_ in house.facts if facts.site}
    assert told["agra"].action is Action.SWITCH_ON_DEVICE


def test_its_device_goes_off_after_it_was_told_to_do_nothing(build: Build) -> None:
    """It hears what there is to do as of a new trouble, once that has lasted."""
    house = build().at("10:30").not_ready("agra", "etah", severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("10:35")
    off = Reason(code=ReasonCode.ROOM_DEVICE, since_ns=house.now_ns)
    house.not_ready("agra", reasons=(off,), action=Action.SWITCH_ON_DEVICE).run("10:40")
    assert house.told_of("site:agra") == [
        "10:30:00 site:agra raised not_your_line agra",
        "10:37:00 site:agra raised room_device agra",
    ]


def test_an_end_threatens_every_meeting_that_is_held_there(build: Build) -> None:
    """The incident lists one office, the meeting at that end has invited others: its alert names the meeting all the same; another end's names none."""
    house = build(meeting="").meets("review", "11:00", who="site:etah").at("10:57")
    house.incident(FactorKind.END, "state", "agra").incident(FactorKind.END, "national", "agra").run("10:58")
    named = {alert.incident: (alert.meeting, alert.starts_ns) for alert in house.open}
    starts_ns = house._occurrence("review").starts_ns
    assert named == {"end-state": ("review", starts_ns), "end-national": ("", None)}


def test_a_fault_of_headquarters_that_is_one_ends_again_threatens_only_that_ones_meetings(
    build: Build,
) -> None:
    """The other end is well: neither its meeting nor every line is spoken of any more, in the same alert."""
    house = build(meeting="").meets("review", "11:00", who="site:agra", end="national").at("10:30")
    house.incident(FactorKind.HEADQUARTERS, "", "agra", "etah").run("10:32")
    (both,) = house.open
    assert both.meeting == "review"
    assert "every line" in headline(both, house.live.current, "en", house.now_ns)
    house.incident(FactorKind.END, "state", "agra", "etah", was="headquarters-").run("10:34")
    (one,) = house.open
    assert (one.id, one.meeting, one.starts_ns) == (both.id, "", None)
    assert "every line" not in headline(one, house.live.current, "en", house.now_ns)


def test_of_two_incidents_an_office_hears_of_the_one_that_explains_its_trouble(build: Build) -> None:
    """Its region has had a fault for 40 minutes when its provider fails and its line goes with it: the message names the provider."""
    house = build().at("08:50").incident(FactorKind.REGION, "braj", "agra", "etah").at("09:30")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "mathura")
    own = Reason(code=ReasonCode.LOSS_UP, value=0.2, limit=0.01, unit="ratio", since_ns=house.now_ns)
    house.not_ready("agra", severe=True, reasons=(own,)).run("09:31")
    (said,) = [facts for facts, _, _ in house.facts if facts.site == "agra"]
    assert (said.factor and said.factor.kind) == FactorKind.PROVIDER


def test_a_message_names_the_incident_that_the_verdict_names(build: Build) -> None:
    """The verdict has weighed what explains the line: whoever reads both reads the same."""
    house = build().at("08:50").incident(FactorKind.REGION, "braj", "agra", "etah").at("09:30")
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "mathura")
    shared = Reason(code=ReasonCode.SHARED_FAULT, value=2, limit=2, factor=Factor(FactorKind.REGION, "braj"))
    own = Reason(code=ReasonCode.LOSS_UP, value=0.2, limit=0.01, unit="ratio", since_ns=house.now_ns)
    house.not_ready("agra", severe=True, reasons=(shared, own)).run("09:31")
    (said,) = [facts for facts, _, _ in house.facts if facts.site == "agra"]
    assert (said.factor and said.factor.kind) == FactorKind.REGION
