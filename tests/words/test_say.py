"""Saying a key: numbers, durations, times, plurals; what is wrong is said."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from telemetry import words
from telemetry.decisions import Factor, FactorKind, Reason, ReasonCode
from telemetry.windows import HOUR_NS
from telemetry.words import format as form
from telemetry.words.speak import MissingNumberError

ZONE = ZoneInfo("Asia/Kolkata")
TUESDAY_11_NS = 1_763_962_200_000_000_000  # 2025-11-24 11:00 IST, a Monday
N = "\u00a0"


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        (0.0, f"0{N}%"),
        (0.041, f"4.1{N}%"),
        (0.0405, f"4.1{N}%"),
        (0.31, f"31{N}%"),
        (0.996, f"99{N}%"),
        (1.0, f"100{N}%"),
        (0.00042, f"0.042{N}%"),
        (0.095, f"9.5{N}%"),
        (0.9999999, f"99{N}%"),
        (0.000058, f"<{N}0.01{N}%"),
        (1e-12, f"<{N}0.01{N}%"),
    ],
)
def test_percent_has_at_most_two_significant_digits(ratio: float, shown: str) -> None:
    """A ratio is shown with two significant digits, and 100 % is kept for all of it, 0 % for none of it."""
    assert form.percent("en", ratio) == shown
    assert form.percent("hi", ratio) == shown


def test_a_record_is_told_as_a_record_and_a_chance_as_a_chance() -> None:
    """An hour that failed every week has not failed 61 % of the time; that is the chance that it fails again."""
    chance = Reason(code=ReasonCode.USUAL_HOUR, value=0.61, unit="ratio")
    record = Reason(code=ReasonCode.USUAL_HOUR, value=0.61, unit="ratio", record=(5, 5))
    assert words.say_reason("en", record) == "Bottleneck at this hour (failed in 5 of 5 weeks)"
    assert words.say_reason("hi", record) == "इस समय भीड़ (5 में से 5 हफ़्तों में नहीं चली)"
    assert (
        words.say_reason("en", chance) == f"Bottleneck at this hour (chance of failing by past weeks: 61{N}%)"
    )
    assert "संभावना" in words.say_reason("hi", chance)


@pytest.mark.parametrize(
    ("seconds", "english", "hindi"),
    [
        (0, f"0{N}s", f"0{N}सेकंड"),
        (42.4, f"42{N}s", f"42{N}सेकंड"),
        (60, f"1{N}min", f"1{N}मिनट"),
        (38 * 60 + 20, f"38{N}min", f"38{N}मिनट"),
        (7200, f"2{N}h", f"2{N}घंटे"),
        (7800, f"2{N}h 10{N}min", f"2{N}घंटे 10{N}मिनट"),
        (112 * 60, f"1{N}h 52{N}min", f"1{N}घंटा 52{N}मिनट"),
        (47 * 3600 + 17 * 60, f"1{N}day 23{N}h", f"1{N}दिन 23{N}घंटे"),
        (3 * 86400, f"3{N}days", f"3{N}दिन"),
    ],
)
def test_durations_use_the_units_that_matter(seconds: float, english: str, hindi: str) -> None:
    """A span is said in seconds, minutes, hours or days, in the language's words."""
    assert form.duration("en", seconds) == english
    assert form.duration("hi", seconds) == hindi


@pytest.mark.parametrize(("ratio", "n"), [(0.0, 0), (0.0004, 1), (0.041, 4), (0.996, 99), (1.0, 100)])
def test_so_many_of_a_hundred_keeps_none_and_all_for_themselves(ratio: float, n: int) -> None:
    """A line that loses nearly everything is not said to lose everything, nor one that loses little nothing."""
    assert form.of_hundred(ratio) == n


def test_a_negative_number_has_a_true_minus_sign() -> None:
    """U+2212, not the hyphen."""
    assert form.milliseconds("en", -3.21) == f"−3.2{N}ms"
    assert form.decimal("hi", -1234567) == "−12,34,567"


def test_rates_change_unit_where_the_digits_roll_over() -> None:
    """999.6 kbit/s is 1 Mbit/s at two significant digits, never `1,000 kbit/s`."""
    assert form.rate("en", 999.6e3) == f"1{N}Mbit/s"
    assert form.rate("hi", 640e3) == f"640{N}kbps"
    assert form.rate("en", 3.24e6) == f"3.2{N}Mbit/s"


def test_a_moment_is_written_as_the_language_writes_it() -> None:
    """Day, weekday and time in the deployment's zone, with Latin digits in both languages."""
    assert form.moment("hi", TUESDAY_11_NS, ZONE) == "24 नवंबर, सोमवार, 11:00 बजे"
    assert form.moment("en", TUESDAY_11_NS, ZONE) == "Monday 24 November, 11:00"
    assert form.clock(TUESDAY_11_NS, ZoneInfo("UTC")) == "05:30"


def test_a_reason_is_said_with_its_number_and_since_when() -> None:
    """The screen's voice: what, how much, since when."""
    reason = Reason(code=ReasonCode.LOSS_UP, value=0.041, unit="ratio", since_ns=TUESDAY_11_NS)
    assert words.say_reason("en", reason) == f"Loss, uplink 4.1{N}%, since 11:00"
    assert words.say_reason("hi", reason) == f"डेटा खो रहा है (ऊपर) 4.1{N}%, 11:00 से"


def test_what_is_not_of_today_is_told_with_its_day() -> None:
    """Half an hour before midnight is another day an hour later, in both languages; of the same day the clock is enough."""
    late_ns = TUESDAY_11_NS + 12 * HOUR_NS + HOUR_NS // 2
    dark = Reason(code=ReasonCode.DARK, value=60.0, unit="s", since_ns=late_ns)
    same, next_day = late_ns + HOUR_NS // 3, late_ns + HOUR_NS
    assert words.say_reason("en", dark, now_ns=same) == "No contact, since 23:30"
    assert words.say_reason("en", dark, now_ns=next_day) == "No contact, since 24 Nov 23:30"
    assert words.say_reason("hi", dark, now_ns=next_day) == "संपर्क नहीं, 24 नवंबर 23:30 से"
    over = Reason(code=ReasonCode.OUTAGE, since_ns=late_ns, until_ns=late_ns + HOUR_NS)
    assert words.say_reason("en", over, now_ns=next_day + HOUR_NS) == (
        "Line is down from 24 Nov 23:30 to 00:30, fine since"
    )
    assert words.say_down("en", dark, 0.3, now_ns=next_day).startswith("No contact, since 24 Nov 23:30")


def test_what_was_over_within_the_minute_has_one_time() -> None:
    """Nobody reads "from 20:30 to 20:30"."""
    brief = Reason(code=ReasonCode.OUTAGE, since_ns=TUESDAY_11_NS, until_ns=TUESDAY_11_NS + 20 * 10**9)
    assert words.say_reason("en", brief) == "Line is down at 11:00, fine since"
    assert words.say_reason("hi", brief) == "11:00 बजे थोड़ी देर लाइन बंद, उसके बाद ठीक"
    longer = Reason(code=ReasonCode.OUTAGE, since_ns=TUESDAY_11_NS, until_ns=TUESDAY_11_NS + 60 * 10**9)
    assert words.say_reason("en", longer) == "Line is down from 11:00 to 11:01, fine since"
    day_ns = 24 * HOUR_NS
    a_day = Reason(code=ReasonCode.OUTAGE, since_ns=TUESDAY_11_NS, until_ns=TUESDAY_11_NS + day_ns)
    assert words.say_reason("en", a_day, now_ns=TUESDAY_11_NS + day_ns) == (
        "Line is down from 24 Nov 11:00 to 11:00, fine since"
    )


def test_an_outage_that_nobody_saw_begin_has_no_beginning() -> None:
    """While it lasts "or before"; afterwards until when, with no length and no beginning, whatever is known of them."""
    lasts = Reason(code=ReasonCode.OUTAGE, value=60.0, unit="s", since_ns=TUESDAY_11_NS, unseen=True)
    assert words.say_reason("en", lasts) == "Line is down, since 11:00 or before"
    assert words.say_reason("hi", lasts) == "लाइन बंद, 11:00 या उससे पहले से"
    until_ns = TUESDAY_11_NS + HOUR_NS
    known = Reason(
        code=ReasonCode.OUTAGE, value=3600.0, unit="s", since_ns=TUESDAY_11_NS, until_ns=until_ns, unseen=True
    )
    unknown = Reason(code=ReasonCode.OUTAGE, unit="s", until_ns=until_ns, unseen=True)
    for over in (known, unknown):
        assert words.say_reason("en", over) == "Line was down until 12:00, fine since"
        assert words.say_reason("hi", over) == "12:00 तक लाइन बंद रही, उसके बाद ठीक"
    next_day = until_ns + 24 * HOUR_NS
    assert words.say_reason("en", known, now_ns=next_day) == "Line was down until 24 Nov 12:00, fine since"


def test_a_fault_that_nobody_saw_begin_has_no_beginning() -> None:
    """What is no outage keeps its figure: while it lasts "or before", afterwards until when."""
    until_ns = TUESDAY_11_NS + HOUR_NS
    lasts = Reason(code=ReasonCode.LOSS, value=0.05, unit="ratio", since_ns=TUESDAY_11_NS, unseen=True)
    assert words.say_reason("en", lasts).replace("\u00a0", " ") == "Loss 5 %, since 11:00 or before"
    for since_ns in (TUESDAY_11_NS, None):
        over = replace(lasts, since_ns=since_ns, until_ns=until_ns)
        assert words.say_reason("en", over).replace("\u00a0", " ") == "Loss 5 % until 12:00, fine since"
        assert words.say_reason("hi", over).startswith("12:00 तक ")
        assert words.say_reason("hi", over).endswith(", उसके बाद ठीक")


def test_a_reason_without_a_number_is_said_in_brief() -> None:
    """A missing number is left out, not shown as 0."""
    assert words.say_reason("en", Reason(code=ReasonCode.LOSS)) == "Loss"
    dark = Reason(code=ReasonCode.DARK, value=300.0, unit="s", since_ns=TUESDAY_11_NS)
    assert words.say_reason("en", dark) == "No contact, since 11:00"


@pytest.mark.parametrize("unit", ["ratio", "ms", "bps", "s", ""])
def test_every_reason_can_be_said_in_every_unit(unit: str) -> None:
    """No code fails with any unit that a reason may carry, in either language."""
    for code in ReasonCode:
        for language in words.LANGUAGES:
            assert words.say_reason(language, Reason(code=code, value=0.5, unit=unit))


def test_an_unknown_key_names_itself() -> None:
    """A key without words is an error that says which, and in which language."""
    with pytest.raises(words.UnknownWordError, match=r"'no\.such'.*'hi'"):
        words.say("hi", "no.such")


def test_an_unknown_language_names_the_known_ones() -> None:
    """A language without a catalogue is an error that lists those that are there."""
    with pytest.raises(words.UnknownLanguageError, match="hi, en"):
        words.say("fr", "state.ready")


def test_a_missing_or_wrong_number_is_an_error() -> None:
    """A placeholder without its number is an error, never an empty hole; a text is no number."""
    with pytest.raises(MissingNumberError, match="'reason'"):
        words.say("en", "reason.since", since=0)
    with pytest.raises(MissingNumberError, match="clock"):
        words.say("en", "reason.since", reason="x", since="now")


def test_a_region_of_the_operators_own_keeps_its_name() -> None:
    """Known regions are translated, others shown as written."""
    assert words.say_region("hi", "awadh") == "अवध"
    assert words.say_region("hi", "my-zone") == "my-zone"


def test_the_plural_rule_is_the_languages_own() -> None:
    """Zero is `one` in Hindi and `other` in English (CLDR)."""
    assert form.is_one("hi", 0)
    assert not form.is_one("en", 0)
    assert form.is_one("en", 1)


@pytest.mark.parametrize(("ratio", "text"), [(1.0, "100"), (0.999999, "99.99"), (0.57, "57"), (0.0, "0")])
def test_an_exact_share_is_cut_not_rounded(ratio: float, text: str) -> None:
    """Only the whole reads 100 %."""
    for language in ("hi", "en"):
        assert form.exact_percent(language, ratio) == f"{text}\u00a0%"


@pytest.mark.parametrize("ratio", [3 / 40_320, 1e-12])
def test_next_to_nothing_is_not_nothing(ratio: float) -> None:
    """Only nothing reads 0 %."""
    for language in ("hi", "en"):
        assert form.exact_percent(language, ratio) == "<\u00a00.01\u00a0%"


def test_that_others_are_in_trouble_is_not_told_as_one_fault_of_all() -> None:
    """Without a common factor the figure is the share of other offices that are broken, of whatever cause."""
    others = Reason(code=ReasonCode.SHARED_FAULT, value=0.036, unit="ratio")
    assert words.say_reason("en", others) == f"Other offices are in trouble now (3.6{N}%)"
    assert words.say_reason("hi", others) == f"इस समय दूसरे कार्यालयों में ख़राबी (3.6{N}%)"


def test_a_share_of_broken_lines_says_of_whose() -> None:
    """Beside an empty list of shared faults "other offices are in trouble" was a contradiction: it is a share of the provider's lines, or of those to a headquarters, by its name."""
    share = {"code": ReasonCode.SHARED_FAULT, "value": 0.18, "unit": "ratio", "path": "main.state"}
    theirs = Reason(**share, among=Factor(FactorKind.PROVIDER, "provider-b"))
    there = Reason(**share, among=Factor(FactorKind.END, "state"))
    assert words.say_reason("en", theirs) == f"18{N}% of the other lines of provider-b are broken now"
    assert words.say_reason("hi", theirs) == f"इस समय provider-b की बाक़ी लाइनों में से 18{N}% ख़राब हैं"
    names = {"state": "State headquarters"}
    said = words.say_reason("en", there, names=names)
    assert said == f"18{N}% of the other lines to State headquarters are broken now"
    assert words.say_reason("hi", there) == f"इस समय state तक की बाक़ी लाइनों में से 18{N}% ख़राब हैं"


def test_a_watch_that_is_late_is_not_said_to_be_off() -> None:
    """A watch that is busy has not beaten for minutes either: told is when it was last heard, in both languages."""
    assert "last heard" in words.say("en", "table.stale", age=240.0)
    hindi = words.say("hi", "table.stale", age=240.0)
    assert "पहले मिली" in hindi
    assert "बंद" not in hindi


def test_an_outage_in_a_meeting_does_not_bend_its_hours() -> None:
    """A duration stands as it is: "1 घंटा" before a postposition would have to be "1 घंटे"."""
    for key, hindi, english in (
        (
            "outcome.lost_for",
            "लाइन {} बंद रही, कुल {}; सारे पैकेट खो गए",
            "Line down for {} of {}: all packets lost",
        ),
        ("outcome.unheard_for", "संपर्क {} नहीं रहा, कुल {}", "No contact for {} of {}"),
    ):
        for lasted, hi, en in ((600, "10 मिनट", "10 min"), (3600, "1 घंटा", "1 h")):
            said = [words.say(each, key, lasted=lasted, whole=3600).replace(N, " ") for each in ("hi", "en")]
            assert said == [hindi.format(hi, "1 घंटा"), english.format(en, "1 h")]
