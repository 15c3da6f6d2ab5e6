"""Every message that can be sent, in both languages and all forms: whole, within its bounds, as the golden files have it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from msgspec import structs

from alerts.facts import Audience, Form
from alerts.words import UnsaidError, render
from alerts.words.bounds import WHOLE, bound
from alerts.words.pattern import filled, pattern, places
from alerts.words.sms import MOST_SEGMENTS, cost, units
from alerts.words.templates import BY_NUMBER, SAID, voice_of
from alerts.words.variables import Speaker
from telemetry.alerting import Kind, Step
from telemetry.decisions import Action, Factor, FactorKind, Reason, ReasonCode
from telemetry.windows import SECOND_NS
from telemetry.words import LANGUAGES, say
from tests.alerts.words.cases import (
    LINK,
    MEETING,
    NOW_NS,
    STARTS_NS,
    audiences,
    config,
    everything,
    facts,
    poor,
)
from tests.alerts.words.golden import FOLDER, messages, templates

if TYPE_CHECKING:
    from alerts.facts import Facts, Text

DAY_NS: Final = 86_400 * 10**9
PHONES: Final = {"hi": {Form.SMS: "NOC 0522000000"}, "en": {Form.SMS: "the NOC 0522000000"}}


def template_of(text: Text, language: str, form: Form) -> str:
    """The registered text that a message claims to be of."""
    number, linked, said_in = re.fullmatch(r"T(\d\d)(L?)-(hi|en)", text.template).groups()  # type: ignore[union-attr]
    assert said_in == language
    phone = "NOC 0522000000" if form is Form.SMS else "NOC 0522 000000"
    called = phone if language == "hi" else f"the {phone}"
    return pattern(BY_NUMBER[int(number)], language, form, called, linked=bool(linked))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", [Form.SMS, Form.CHAT])
def test_every_message_is_its_template_with_bounded_values(language: str, form: Form) -> None:
    """What goes out is the text on file, its places filled in their order, none empty, none past its bound."""
    seen = set()
    for found in everything():
        text = render(found, config(), language, form)
        on_file = template_of(text, language, form)
        names = places(on_file)
        assert filled(on_file, text.variables) == text.body
        assert len(names) == len(text.variables)
        for name, value in zip(names, text.variables, strict=True):
            assert value.strip() == value, (name, value)
            assert value, (name, found)
            assert "\n" not in value
            assert name in WHOLE or units(value) <= bound(name, form), (name, value)
        assert not re.search(r"[{}]|None|nan", text.body), text.body
        assert not text.subject
        if form is Form.SMS:
            assert cost(text.body).segments <= MOST_SEGMENTS, text.body
            assert "\n" not in text.body
        seen.add(text.template.removesuffix(f"-{language}").removesuffix("L"))
    assert seen == {template.name for template in BY_NUMBER.values()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_has_a_subject_and_names_the_reference(language: str) -> None:
    """Every mail can be told from the others in a list, and says what to name on the telephone."""
    for found in everything():
        mail = render(found, config(), language, Form.MAIL)
        assert ("K7M2PQ" in mail.subject) is (found.step is not Step.MANY)
        assert "\n" not in mail.subject
        assert ("K7M2PQ" in mail.body) is (found.step is not Step.MANY)
        assert mail.body.endswith("\n")
        assert "\n\n\n" not in mail.body
        assert not re.search(r"[{}]|None|nan\b", mail.subject + mail.body)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_messages_are_as_they_were_read(language: str) -> None:
    """Every sort of message is as a reader of the language has read it; `python -m tests.alerts.words.golden` writes anew."""
    assert messages(language) == (FOLDER / f"golden.{language}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_templates_are_as_providers_have_them(language: str) -> None:
    """A text on file changes only when somebody means it to."""
    assert templates(language) == (FOLDER / f"templates.{language}.txt").read_text(encoding="utf-8")


UNSAID: Final = {
    *((Audience.IN_CHARGE, kind, step) for kind in (Kind.SHARED, Kind.HEADQUARTERS) for step in list(Step)[:5]),
    *((who, Kind.NOT_YOUR_LINE, step) for who in (Audience.REGIONAL, Audience.NOC) for step in list(Step)[:5]),
    *((Audience.IN_CHARGE, Kind.NOT_YOUR_LINE, s) for s in (Step.REMINDED, Step.ESCALATED, Step.WORSE)),
}  # fmt: skip


@pytest.mark.parametrize("audience", list(Audience))
def test_what_is_never_said_is_an_error(audience: Audience) -> None:
    """An incident is no in-charge's business, "not your line" is nobody else's; all the rest has words."""
    for kind in Kind:
        for step in Step:
            found = facts(kind, step, audience)
            if (audience, kind, step) in UNSAID:
                with pytest.raises(UnsaidError, match=f"{kind.value}, {step.value}, to {audience.value}"):
                    render(found, config(), "hi", Form.SMS)
            else:
                assert render(found, config(), "hi", Form.SMS).body


def test_little_known_is_still_said() -> None:
    """Without office, meeting, reason and times every message is one that can be read."""
    for found in poor():
        for language in LANGUAGES:
            assert len(render(found, config(), language, Form.MAIL).body) > 20
    assert {(voice_of(found.audience), found.kind, found.step) for found in poor()} == set(SAID)
    assert all(audiences(voice) for voice, _, _ in SAID)


def alarm(**changes: object) -> Facts:
    return facts(Kind.NOT_READY, Step.RAISED, Audience.IN_CHARGE, **changes)


def sms(found: Facts, language: str = "hi") -> str:
    return render(found, config(), language, Form.SMS).body


def test_an_in_charge_reads_four_things_in_order() -> None:
    """Which meeting and when, what will happen, the one thing to do, whom to call."""
    said = sms(alarm(link=""))
    parts = [
        "आज 11:00",
        "प्रातः समीक्षा बैठक",
        "आगरा",
        "आपकी आवाज़ टूटकर जाएगी",
        "राउटर",
        "NOC 0522000000",
        "K7M2PQ",
    ]
    at = [said.index(part) for part in parts]
    assert at == sorted(at)


@pytest.mark.parametrize(("days", "hi", "en"), [
    (0, "आज 11:00", "Today 11:00"), (1, "कल 11:00", "Tomorrow 11:00"), (3, "27 नवंबर 11:00", "27 Nov 11:00"),
])  # fmt: skip
def test_the_day_is_said_as_people_say_it(days: int, hi: str, en: str) -> None:
    """Today and tomorrow by name, later days by date, all in the deployment's zone."""
    found = alarm(starts_ns=STARTS_NS + days * DAY_NS, link="")
    assert sms(found).startswith(hi)
    assert sms(found, "en").startswith(en)


def test_a_mail_gives_the_whole_date() -> None:
    """Date, weekday and time as the language writes them."""
    body = render(alarm(), config(), "hi", Form.MAIL).body
    assert "आज, 24 नवंबर, मंगलवार, 11:00 बजे" in body
    later = alarm(starts_ns=STARTS_NS + 2 * DAY_NS)
    assert "समय: 26 नवंबर, गुरुवार, 11:00 बजे" in render(later, config(), "hi", Form.MAIL).body


@pytest.mark.parametrize(("zone", "said"), [
    ("UTC", "Today 05:30"), ("America/New_York", "Tomorrow 00:30"), ("Pacific/Kiritimati", "Today 19:30"),
    ("Pacific/Honolulu", "Today 19:30"),
])  # fmt: skip
def test_times_are_those_of_the_deployment(zone: str, said: str) -> None:
    """What day it is follows the zone as well as the clock does."""
    settings = config().settings
    deployment = structs.replace(settings.deployment, timezone=zone)
    there = structs.replace(config(), settings=structs.replace(settings, deployment=deployment))
    assert render(alarm(link=""), there, "en", Form.SMS).body.startswith(said)


def test_midnight_divides_today_from_tomorrow() -> None:
    """Forty minutes later can be tomorrow."""
    midnight_ns = STARTS_NS - 11 * 3600 * 10**9
    found = alarm(starts_ns=midnight_ns + 20 * 60 * 10**9, now_ns=midnight_ns - 20 * 60 * 10**9, link="")
    assert sms(found).startswith("कल 00:20")


def test_what_runs_is_said_in_the_present() -> None:
    """Before the meeting it will break up, in the meeting it does."""
    assert "टूटकर जाएगी" in sms(alarm(link=""))
    assert "टूट रही है" in sms(alarm(link="", now_ns=STARTS_NS + 1))


def test_one_number_is_said_of_loss_and_none_of_the_rest() -> None:
    """Loss is so many of a hundred; a share that means little to a layman is left out, and so is one that is over."""
    assert "100 में 4 टुकड़े" in sms(alarm(link=""))
    jitter = Reason(code=ReasonCode.JITTER_UP, value=41.0, unit="ms")
    assert not re.search(r"41|ms", sms(alarm(reason=jitter, link="")))
    past = Reason(code=ReasonCode.LOSS_UP, value=0.041, unit="ratio", until_ns=NOW_NS)
    assert "टुकड़े" not in sms(alarm(reason=past, link=""))


def test_a_text_message_says_that_others_share_it_only_where_that_is_proved() -> None:
    """A share of broken lines proves nothing of this one."""
    share = Reason(code=ReasonCode.SHARED_FAULT, value=0.18, unit="ratio")
    over = structs.replace(share, until_ns=NOW_NS)
    fault = structs.replace(share, value=2.0, unit="", factor=Factor(FactorKind.PROVIDER, "provider-b"))
    for reason, hi, en in (
        (share, "दूसरी लाइनों में ख़राबी है", "other lines are broken"),
        (over, "दूसरी लाइनों में ख़राबी थी", "other lines were broken"),
        (fault, "दूसरों में भी यही ख़राबी है", "other offices have it too"),
    ):
        found = alarm(reason=reason)
        assert hi in render(found, config(), "hi", Form.SMS).body
        assert en in render(found, config(), "en", Form.SMS).body


def test_a_small_loss_is_one_and_never_none() -> None:
    """Nobody is told that 0 of 100 are lost."""
    tiny = Reason(code=ReasonCode.LOSS_DOWN, value=0.0004, unit="ratio")
    assert "100 में 1 " in sms(alarm(reason=tiny, link=""))


def test_a_link_goes_where_it_fits() -> None:
    """A text message without room for the link goes without it, within its budget; mail and chat always have it."""
    short, long = alarm(link="https://t.example/a/K7M2PQ"), alarm(link="https://t.example/a/" + "x" * 150)
    assert render(short, config(), "hi", Form.SMS).template == "T02L-hi"
    assert render(long, config(), "hi", Form.SMS).template == "T01-hi"
    for form in (Form.MAIL, Form.CHAT):
        assert long.link in render(long, config(), "hi", form).body
    assert LINK in render(alarm(), config(), "en", Form.SMS).body


def test_what_needs_no_answer_has_no_link() -> None:
    """What is over, or nobody's to do, cannot be acknowledged."""
    for kind, step in (
        (Kind.NOT_READY, Step.RESOLVED),
        (Kind.NOT_YOUR_LINE, Step.RAISED),
        (Kind.DARK, Step.MANY),
    ):
        for form in Form:
            found = facts(kind, step, Audience.IN_CHARGE)
            assert LINK not in render(found, config(), "hi", form).body


def test_a_mail_asks_for_an_answer_where_answers_are_taken() -> None:
    """Only where the settings name an address for them, and only of what can be acknowledged."""
    settings = config().settings
    delivery = structs.replace(settings.alerts.delivery, reply_to="ack@hub.example")
    taking = structs.replace(
        config(),
        settings=structs.replace(settings, alerts=structs.replace(settings.alerts, delivery=delivery)),
    )
    asks = "या इस मेल का जवाब दें"
    assert asks in render(alarm(), taking, "hi", Form.MAIL).body
    assert asks not in render(alarm(), config(), "hi", Form.MAIL).body
    assert asks not in render(facts(Kind.DARK, Step.RESOLVED, Audience.NOC), taking, "hi", Form.MAIL).body


def test_without_a_number_the_noc_is_named_all_the_same() -> None:
    """An operator who gave no telephone number gets whole sentences."""
    settings = config().settings
    deployment = structs.replace(settings.deployment, noc_phone="")
    mute = structs.replace(config(), settings=structs.replace(settings, deployment=deployment))
    assert render(alarm(link=""), mute, "hi", Form.SMS).body.endswith("मदद: NOC, संदर्भ K7M2PQ")


def test_a_regional_in_charge_is_told_whom_to_call_and_who_did_not_answer() -> None:
    """The office's in-charge by name and number; the silent one by name."""
    found = facts(Kind.NOT_READY, Step.ESCALATED, Audience.REGIONAL, unanswered="सुनीता देवी", link="")
    assert "सुनीता देवी का जवाब नहीं।" in sms(found)
    assert "फ़ोन: रमेश.. +915550100," in sms(found)


def test_a_telephone_number_is_never_cut() -> None:
    """One that does not fit beside the name stands alone; of one that does not fit at all the name remains."""
    agra = config().registry.by_id["agra"]
    for phone, shown in (
        ("+91 98765 43210 / 11", "+91987654321011"),
        ("+91 98765 43210, 98765 43211", "श्रीनिवासराघवन"),
    ):
        office = structs.replace(agra, contact_name="श्रीनिवासराघवन", contact_phone=phone)
        registry = structs.replace(config().registry, by_id={"agra": office})
        changed = structs.replace(config(), registry=registry)
        said = render(facts(Kind.DARK, Step.RAISED, Audience.REGIONAL, link=""), changed, "hi", Form.SMS).body
        assert f"फ़ोन: {shown}," in said


def test_a_meeting_that_was_taken_from_the_calendar_still_has_a_sentence() -> None:
    """The name is then said to be missing; an office that the registry has forgotten goes by its id."""
    assert "(नाम नहीं)" in render(alarm(meeting="gone@x"), config(), "hi", Form.MAIL).body
    assert "कार्यालय: gone" in render(alarm(site="gone", meeting=MEETING), config(), "hi", Form.MAIL).body


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "code",
    [ReasonCode.EXPECTED_STRAIN, ReasonCode.RISING_RTT, ReasonCode.RISING_JITTER, ReasonCode.RISING_LOSS],
)
def test_a_cause_without_its_figure_does_not_end_as_if_one_came(language: str, code: ReasonCode) -> None:
    """Where there is none, or no room for it: "to pass limit, was"."""
    reason = Reason(code=code)
    found = facts(Kind.AT_RISK, Step.RAISED, Audience.NOC, reason=reason)
    said = Speaker(found, config(), language, Form.SMS).value("cause")
    assert said == say(language, f"alerts.cause_alone.{code.value}")
    assert "," not in said


def test_many_offices_are_named_as_far_as_there_is_room() -> None:
    """A text message names the first few, a mail a hundred."""
    every = tuple(config().registry.by_id)
    found = facts(Kind.SHARED, Step.RAISED, Audience.NOC, sites=every)
    assert "92 कार्यालय" in render(found, config(), "hi", Form.SMS).body
    assert render(found, config(), "hi", Form.MAIL).body.count(", ") > 90
    many = facts(Kind.NOT_READY, Step.MANY, Audience.IN_CHARGE, sites=every, count=92)
    assert re.search(r"कार्यालय: सहारनपुर और 91।", sms(many))


def test_the_provider_is_called_with_the_number_of_the_line() -> None:
    """Where the registry knows it; elsewhere the provider is called all the same."""
    found = alarm(action=Action.CALL_PROVIDER, link="")
    assert "कृपया कंपनी को लाइन नंबर LL-0012345 बताएँ।" in sms(found)
    reminded = structs.replace(found, step=Step.REMINDED)
    assert "लाइन नंबर LL-0012345 बताएँ" in render(reminded, config(), "hi", Form.CHAT).body
    assert "कृपया कंपनी को फ़ोन करें।" in sms(structs.replace(found, site="etah"))


def test_an_action_of_nothing_is_still_something_to_read() -> None:
    """Also when nothing is to be done the sentence is whole."""
    assert "कृपया कुछ न बदलें।" in sms(alarm(action=Action.NONE, link=""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_room_device_that_is_off_is_told_without_the_lines_chance(language: str) -> None:
    """99 % that the meeting works, says the line; with nothing switched on in the room it does not."""
    one = facts(Kind.ROOM_DEVICE, Step.ESCALATED, Audience.NOC, probability=0.99)
    assert "99" not in render(one, config(), language, Form.MAIL).body
    line = structs.replace(one, kind=Kind.NOT_READY, reason=None)
    assert "99" in render(line, config(), language, Form.MAIL).body


@pytest.mark.parametrize(
    ("lasted_s", "english", "hindi"),
    [
        (42, "lasted a while", "कुछ देर रही"),
        (20 * 60, "at least 20 min", "कम से कम 20 मिनट"),
        (110 * 60, "at least 1 h", "कम से कम 1 घंटा"),
        (50 * 3600, "at least 2 days", "कम से कम 2 दिन"),
    ],
)
def test_what_was_not_seen_to_begin_lasted_at_least_so_long(lasted_s: int, english: str, hindi: str) -> None:
    """In whole units, so that a text message has room for it."""
    since_ns = NOW_NS - lasted_s * SECOND_NS
    found = facts(Kind.NOT_READY, Step.RESOLVED, Audience.IN_CHARGE, unseen=True, since_ns=since_ns)
    for language, words in (("en", english), ("hi", hindi)):
        for form in (Form.SMS, Form.MAIL):
            assert words in render(found, config(), language, form).body.replace("\u00a0", " ")
