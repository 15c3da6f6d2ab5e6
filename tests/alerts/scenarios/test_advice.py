"""What an in-charge was told to do no longer helps: who hears of it, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import Action, Reason, ReasonCode

if TYPE_CHECKING:
    from tests.alerts.scenarios.house import House

A_LITTLE = (Reason(code=ReasonCode.LOSS_UP, value=0.03, limit=0.01, unit="ratio"),)
A_LOT = (Reason(code=ReasonCode.LOSS_UP, value=0.2, limit=0.01, unit="ratio"),)


def partly_broken(house: House, at: str = "10:36") -> House:
    """The first window of a heavy fault, of which a second or two was broken: sound alone would hold."""
    return house.at(at).not_ready("agra", severe=True, reasons=A_LITTLE, action=Action.AUDIO_ONLY).look()


def wholly_broken(house: House, at: str) -> House:
    """From here on the line carries nothing."""
    return house.at(at).not_ready("agra", severe=True, reasons=A_LOT, action=Action.CALL_PROVIDER)


def test_who_was_told_to_join_with_sound_hears_that_sound_will_not_hold(house: House) -> None:
    """From the second window on the whole of the fault is seen: one message more to the office, and the ladder goes on as it was."""
    wholly_broken(partly_broken(house), "10:36:15").run("10:50")
    assert house.told == [
        "10:36:00 site:agra raised not_ready agra",
        "10:36:30 site:agra worse not_ready agra",
        "10:41:00 ravi escalated not_ready agra",
        "10:46:00 noc-desk escalated not_ready agra",
    ]
    said = [(facts.step, facts.action, facts.reason) for facts, *_ in house.facts[:2]]
    assert said == [("raised", "audio_only", A_LITTLE[0]), ("worse", "call_provider", A_LOT[0])]


def test_an_advice_that_wavers_is_corrected_once(house: House) -> None:
    """Sound seems to hold in every third look: no word more than the one."""
    partly_broken(house)
    for minute in range(37, 41):
        wholly_broken(house, f"10:{minute}").run(f"10:{minute}:30")
        house.at(f"10:{minute}:45").not_ready("agra", severe=True, action=Action.AUDIO_ONLY).look()
    assert house.told == [
        "10:36:00 site:agra raised not_ready agra",
        "10:37:15 site:agra worse not_ready agra",
    ]


def test_a_single_window_corrects_nothing(house: House) -> None:
    """Worse for one look, then as it was told: nobody hears of it."""
    wholly_broken(partly_broken(house), "10:36:15").look()
    house.at("10:36:30").not_ready("agra", severe=True, action=Action.AUDIO_ONLY).look()
    wholly_broken(house, "10:38").look()
    house.at("10:38:15").not_ready("agra", severe=True, action=Action.AUDIO_ONLY).run("10:40")
    assert house.told == ["10:36:00 site:agra raised not_ready agra"]


def test_who_has_taken_it_up_is_corrected_and_still_has(house: House) -> None:
    """The in-charge has acknowledged the first message: corrected all the same, and the region need not hear."""
    partly_broken(house).takes_up("site:agra")
    wholly_broken(house, "10:37").run("10:59")
    assert house.told == [
        "10:36:00 site:agra raised not_ready agra",
        "10:37:15 site:agra worse not_ready agra",
    ]
    assert [(alert.state, alert.acknowledged_by) for alert in house.open] == [("acknowledged", "site:agra")]


def test_a_milder_advice_and_another_line_correct_nothing(house: House) -> None:
    """What was told still does: less picture instead of sound alone, another line, a device that is off."""
    partly_broken(house)
    for minute, action in (
        (37, Action.LOWER_PROFILE),
        (38, Action.SECOND_LINE),
        (39, Action.SWITCH_ON_DEVICE),
    ):
        house.at(f"10:{minute}").not_ready("agra", severe=True, action=action).run(f"10:{minute}:45")
    assert house.told == ["10:36:00 site:agra raised not_ready agra"]


def test_a_reminder_that_says_it_is_the_correction(house: House) -> None:
    """The advice changes with the reminder ten minutes before the start: one message, not two."""
    partly_broken(house, "10:33").run("10:49:45")
    wholly_broken(house, "10:50").run("10:53")
    assert house.told_of("site:agra") == [
        "10:33:00 site:agra raised not_ready agra",
        "10:50:00 site:agra reminded not_ready agra",
    ]


def test_during_the_meeting_nothing_is_corrected(house: House) -> None:
    """It runs: whoever has joined hears for themselves."""
    partly_broken(house, "10:52").takes_up("site:agra")
    wholly_broken(house, "11:00").run("11:05")
    assert house.told == ["10:52:00 site:agra raised not_ready agra"]


def test_who_was_told_that_there_is_nothing_to_do_hears_at_once_that_there_is(house: House) -> None:
    """Two hours before: the fault was at headquarters, now the line itself is broken; told once, however the advice wavers, and not with the next reminder."""
    house.at("08:50").not_ready("agra", severe=True, action=Action.WAIT_HEADQUARTERS).run("09:10")
    assert house.told_of("site:agra") == ["08:50:00 site:agra raised not_ready agra"]
    house.not_ready("agra", severe=True, action=Action.CALL_PROVIDER).run("09:12")
    house.not_ready("agra", severe=True, action=Action.WAIT_HEADQUARTERS).run("09:14")
    house.not_ready("agra", severe=True, action=Action.CALL_PROVIDER).run("09:20")
    assert house.told_of("site:agra")[1:] == ["09:10:15 site:agra worse not_ready agra"]
    assert house.facts[-1][0].action is Action.CALL_PROVIDER


def test_that_there_is_nothing_to_do_any_more_can_wait(house: House) -> None:
    """The other way round nobody does anything wrong: the next reminder says it."""
    house.at("08:50").not_ready("agra", severe=True, action=Action.CALL_PROVIDER).run("08:55")
    house.not_ready("agra", severe=True, action=Action.WAIT_HEADQUARTERS).run("08:59")
    assert house.told_of("site:agra") == ["08:50:00 site:agra raised not_ready agra"]
