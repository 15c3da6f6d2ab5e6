"""Shared faults in a real Chromium: taken up by name, told by row, office and length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from telemetry.decisions import Factor, FactorKind, Reason, ReasonCode, State
from telemetry.words import say_reason
from tests.wall.conftest import text_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_whoever_types_a_note_is_not_disturbed(page: Page, faulty: Any, until: Any) -> None:
    """The fault changes meanwhile and is drawn anew: name and note stay, and so does the place where the next letter comes."""
    page.goto(f"{faulty.url}/?lang=en#/incidents/{faulty.lasting}")
    page.fill("#ack-name", "Ravi Kumar")
    page.focus("#ack-note")
    page.keyboard.type("provider called")
    page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model, takeChange} = await import(script);
        window.before = document.querySelector('.evidence');
        takeChange({incidents: model.incidents.map((one) => ({...one, told: (one.told ?? 0) + 1}))}); }"""
    )
    until(page, "!window.before.isConnected && document.querySelector('.evidence')")
    page.keyboard.type(", complaint 771")
    assert page.input_value("#ack-note") == "provider called, complaint 771"
    assert page.input_value("#ack-name") == "Ravi Kumar"


def test_a_shared_fault_is_taken_up_with_a_name_and_a_note(page: Page, faulty: Any, until: Any) -> None:
    """The badge and the foot lead there; the evidence is told; once taken up it is so on every open page, by name."""
    page.goto(f"{faulty.url}/?lang=en")
    page.wait_for_selector(".mark")
    assert page.inner_text(".badge") == "1"
    assert page.locator(".hull-inner").get_attribute("d")
    assert text_of(page, ".shared-causes") == "Fault at the provider provider-b · 7 offices"
    page.keyboard.press("3")
    page.wait_for_selector(".case form")
    assert text_of(page, ".evidence").split("\n") == [
        "Evidence", "Offices of this provider that suffer", "7 of 8", "All other offices that suffer", "1 of 48",
    ]  # fmt: skip
    assert page.locator(".office-chip").count() == 7
    assert page.locator(".case-line").count() == 2
    page.fill("#ack-name", "Ravi Kumar")
    page.fill("#ack-note", "provider called, complaint 771")
    page.keyboard.press("Enter")
    page.wait_for_selector(".case .taken")
    assert "Ravi Kumar is on it" in text_of(page, ".acknowledge")
    assert "complaint 771" in text_of(page, ".story-acknowledged")
    page.wait_for_selector(".case-ack.taken")
    page.wait_for_selector(".badge.taken")
    until(page, "document.querySelector('.bottom .incidents').textContent.includes('Ravi Kumar is on it')")
    (alert,) = [one for one in faulty.state.open_alerts() if one.incident == faulty.lasting]
    assert (alert.acknowledged_by, alert.note) == ("Ravi Kumar", "provider called, complaint 771")
    page.click(f'[data-case="{faulty.over}"]')
    page.wait_for_selector(".case .story-over")
    assert "Asha Verma took it up at 07:26" in text_of(page, ".acknowledge")
    assert page.locator(".case form").count() == 0
    page.keyboard.press("Escape")
    page.wait_for_selector(".mark")


def test_a_faults_length_is_that_between_the_minutes_beside_it(page: Page, faulty: Any) -> None:
    """00:42 to 00:47 is five minutes for whoever reads it, whatever the seconds were; never none."""
    page.goto(f"{faulty.url}/?lang=en")
    page.wait_for_selector(".mark")
    told = page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'causes.js');
        const {lengthText} = await import(script);
        const at = (minute, second) => (minute * 60 + second) * 1000;
        return [[at(42, 1), at(47, 50)], [at(42, 59), at(47, 0)], [at(42, 1), at(42, 59)]]
            .map(([since_ms, until_ms]) => lengthText({since_ms, until_ms})); }"""
    )
    assert [one.replace("\u00a0", " ") for one in told] == ["5 min", "5 min", "1 min"]


def test_a_spell_of_exactly_a_day_is_no_moment(page: Page, faulty: Any) -> None:
    """The clock is the same and the day is not; within one minute one time is enough. As `say_reason` says it."""
    page.goto(f"{faulty.url}/?lang=en")
    page.wait_for_selector(".mark")
    since_ms = 1_763_962_200_000
    spells = [since_ms + 20_000, since_ms + 86_400_000]
    told = page.evaluate(
        """async ([since_ms, spells]) => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'reasons.js');
        const {sayReason} = await import(script);
        return spells.map((until_ms) => sayReason({code: 'outage', since_ms, until_ms})); }""",
        [since_ms, spells],
    )
    now_ns = page.evaluate("Date.now()") * 10**6
    assert told == [
        say_reason(
            "en",
            Reason(code=ReasonCode.OUTAGE, since_ns=since_ms * 10**6, until_ns=until_ms * 10**6),
            now_ns=now_ns,
        )
        for until_ms in spells
    ]
    assert [" to " in one for one in told] == [False, True]


def test_an_outage_that_nobody_saw_begin_has_no_beginning(page: Page, faulty: Any) -> None:
    """While it lasts "or before", afterwards until when alone, though it says since when it was seen. As `say_reason` says it."""
    page.goto(f"{faulty.url}/?lang=en")
    page.wait_for_selector(".mark")
    since_ms = 1_763_962_200_000
    told = page.evaluate(
        """async (since_ms) => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'reasons.js');
        const {sayReason} = await import(script);
        const lasts = {code: 'outage', unit: 's', value: 90, since_ms, unseen: true};
        return [lasts, {...lasts, until_ms: since_ms + 90_000}].map(sayReason); }""",
        since_ms,
    )
    now_ns = page.evaluate("Date.now()") * 10**6
    lasts = Reason(code=ReasonCode.OUTAGE, unit="s", value=90.0, since_ns=since_ms * 10**6, unseen=True)
    over = replace(lasts, until_ns=(since_ms + 90_000) * 10**6)
    assert told == [say_reason("en", each, now_ns=now_ns) for each in (lasts, over)]
    assert ["or before" in one for one in told] == [True, False]


def test_a_loss_that_nobody_saw_begin_has_no_beginning(page: Page, faulty: Any) -> None:
    """As an outage, but with its figure; also where nothing at all is known of when it began. As `say_reason` says it."""
    page.goto(f"{faulty.url}/?lang=en")
    page.wait_for_selector(".mark")
    since_ms = 1_763_962_200_000
    told = page.evaluate(
        """async (since_ms) => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'reasons.js');
        const {sayReason} = await import(script);
        const lasts = {code: 'loss_up', unit: 'ratio', value: 0.05, since_ms, unseen: true};
        const over = {...lasts, until_ms: since_ms + 90_000};
        return [lasts, over, {...over, since_ms: null}].map(sayReason); }""",
        since_ms,
    )
    now_ns = page.evaluate("Date.now()") * 10**6
    lasts = Reason(code=ReasonCode.LOSS_UP, unit="ratio", value=0.05, since_ns=since_ms * 10**6, unseen=True)
    over = replace(lasts, until_ns=(since_ms + 90_000) * 10**6)
    said = [say_reason("en", each, now_ns=now_ns) for each in (lasts, over, replace(over, since_ns=None))]
    assert told == said
    assert ["or before" in one for one in told] == [True, False, False]


def test_a_share_of_others_lines_says_of_whose(page: Page, faulty: Any) -> None:
    """The provider, or the headquarters by its name. As `say_reason` says it."""
    page.goto(f"{faulty.url}/?lang=en")
    page.wait_for_selector(".mark")
    whose = [("provider", "provider-b"), ("end", "state")]
    told = page.evaluate(
        """async (whose) => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'reasons.js');
        const {sayReason} = await import(script);
        return whose.map(([kind, name]) => sayReason({code: 'shared_fault', value: 0.18, unit: 'ratio', among: {kind, name}})); }""",
        whose,
    )
    names = {"state": page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model} = await import(script);
        return model.scene.ends.find((end) => end.id === 'state').en; }"""
    )}  # fmt: skip
    reasons = [
        Reason(code=ReasonCode.SHARED_FAULT, value=0.18, unit="ratio", among=Factor(FactorKind(kind), name))
        for kind, name in whose
    ]
    assert names["state"] != "state"
    assert told == [say_reason("en", reason, names=names) for reason in reasons]


def test_a_row_names_the_cause_that_an_office_shares(page: Page, faulty: Any, until: Any) -> None:
    """The provider, in the list and in what is read out, not trouble at other offices; a meeting of tomorrow is called so."""
    factor = Factor(kind=FactorKind.PROVIDER, name="provider-b")
    reason = Reason(code=ReasonCode.SHARED_FAULT, value=7, limit=8, factor=factor)
    faulty.decide("agra", State.AT_RISK, 0.78, reason)
    page.goto(f"{faulty.url}/?lang=en")
    row = ".rows .row[href='#/site/agra']"
    page.wait_for_selector(row)
    assert page.text_content(f"{row} .reason") == "Fault at the provider provider-b"
    spoken = page.get_attribute(".mark[href='#/site/agra']", "aria-label") or ""
    assert "Fault at the provider provider-b" in spoken
    assert page.inner_text(".attention .subtitle").startswith("11:00 · Morning review")
    page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model, takeChange} = await import(script);
        const later = ([key, m]) => [key, {...m, starts_ms: m.starts_ms + 86_400_000, ends_ms: m.ends_ms + 86_400_000}];
        takeChange({meetings: Object.fromEntries(Object.entries(model.meetings).map(later))}); }"""
    )
    until(
        page,
        "document.querySelector('.attention .subtitle').textContent.startsWith('Tomorrow 11:00 · Morning review')",
    )
    faulty.decide("agra", State.READY, 0.95)
    until(page, "document.querySelector('.mark[href=\"#/site/agra\"]').classList.contains('is-ready')")


def test_a_faults_office_that_falls_silent_is_shown_without_contact(
    page: Page, faulty: Any, until: Any
) -> None:
    """In the minutes in which its verdict still says ready, and without a change of its tile: by shape, word and label."""
    page.goto(f"{faulty.url}/?lang=en#/incidents/{faulty.lasting}")
    page.wait_for_selector(".office-chip")
    site = page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model, now, takeChange} = await import(script);
        const site = document.querySelector('.office-chip').dataset.office;
        const heard = ([id, tile]) => [id, {shade: 'ready', newest_ms: id === site ? now() - 44_000 : now() + 3_600_000}];
        takeChange({
            tiles: Object.fromEntries(Object.entries(model.tiles).filter(([, tile]) => tile.shade !== 'planned').map(heard)),
            pulses: Object.fromEntries(Object.keys(model.pulses).map((key) => [key, null])),
        });
        return site; }"""
    )
    chip = f".office-chip[data-office='{site}']"
    until(page, f"""document.querySelector("{chip}").textContent.includes('no contact')""")
    assert page.get_attribute(f"{chip} use", "href") == "#shape-dark"
    assert ": no contact, old data, " in (page.get_attribute(chip, "aria-label") or "")
    assert page.locator(".office-chip use[href='#shape-ready']").count() == 6
