"""Hindi as offices speak it: no English, no jargon, the right number; and templates that providers can take."""

from __future__ import annotations

import re
from typing import Final

import pytest

from alerts.facts import Audience, Form
from alerts.words import render
from alerts.words.bounds import LONG
from alerts.words.pattern import BRIEF, pattern, places
from alerts.words.registry import Places, entries
from alerts.words.templates import TEMPLATES
from telemetry.alerting import Kind, Step
from telemetry.decisions import Reason, ReasonCode
from telemetry.words import LANGUAGES, catalogue, say
from telemetry.words.speak import PLACEHOLDER
from tests.alerts.words.cases import LINK, config, everything, facts

LATIN: Final = {
    Audience.IN_CHARGE: {"NOC"},
    Audience.REGIONAL: {"NOC", "provider", "b", "ms", "kbps", "Mbps"},
    Audience.NOC: {"NOC", "provider", "b", "ms", "kbps", "Mbps", "awadh"},
}
"""Latin words that a Hindi message may hold: as people say them, or the operator's own names."""
JARGON: Final = re.compile(
    r"जिटर|पैकेट|बिटरेट|लेटेंसी|बैंडविड्थ|रिफ़्लेक्टर|अपलिंक|डाउनलिंक|प्रोब|प्रोफ़ाइल|%"
    r"|\b(jitter|packets?|bitrate|latency|bandwidth|reflector|uplink|downlink|probe|profile|RTT|ms|[km]bps)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("audience", list(Audience))
def test_hindi_is_hindi(audience: Audience) -> None:
    """No English word has been left standing."""
    for found in everything():
        if found.audience is audience:
            for form in Form:
                text = render(found, config(), "hi", form)
                said = (
                    f"{text.subject} {text.body}".replace(LINK, "")
                    .replace("K7M2PQ", "")
                    .replace("awadh", "")
                    .replace("LL-", "")
                )
                assert set(re.findall("[A-Za-z]+", said)) <= LATIN[audience], said


def test_english_is_english() -> None:
    """No Hindi word has been left standing, but the names that have no English form."""
    for found in everything():
        for form in Form:
            said = render(found, config(), "en", form)
            rest = (said.subject + said.body).replace("रमेश कुमार", "").replace("रमेश..", "")
            assert not re.search(r"[\u0900-\u097f]", rest), rest


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_in_charge_reads_no_jargon(language: str) -> None:
    """Everyday words only: the reader is no engineer."""
    for found in everything():
        if found.audience is Audience.IN_CHARGE:
            for form in Form:
                text = render(found, config(), language, form)
                said = f"{text.subject} {text.body}".replace(LINK, "")
                assert not JARGON.search(said), said


def test_the_jargon_is_known_when_seen() -> None:
    """The list finds what it is for: the NOC does read it."""
    found = facts(Kind.NOT_READY, Step.RAISED, Audience.NOC)
    assert JARGON.search(render(found, config(), "hi", Form.SMS).body)


@pytest.mark.parametrize(
    ("form", "said"), [(Form.MAIL, "(1 in 100 pieces lost)"), (Form.SMS, "1 in 100 lost.")]
)
def test_one_of_a_hundred_is_said_as_right_as_four(form: Form, said: str) -> None:
    """A template has one wording for every number: it needs no plural."""
    lost = Reason(code=ReasonCode.LOSS_UP, value=0.012, unit="ratio")
    found = facts(Kind.NOT_READY, Step.RAISED, Audience.IN_CHARGE, reason=lost, link="")
    assert said in render(found, config(), "en", form).body


@pytest.mark.parametrize(
    ("n", "hindi", "english"),
    [
        (0, "0 सूचना", "0 alerts"),
        (1, "1 सूचना", "1 alert"),
        (2, "2 सूचनाएँ", "2 alerts"),
        (5, "5 सूचनाएँ", "5 alerts"),
        (11, "11 सूचनाएँ", "11 alerts"),
        (21, "21 सूचनाएँ", "21 alerts"),
        (100, "100 सूचनाएँ", "100 alerts"),
        (100_000, "1,00,000 सूचनाएँ", "100,000 alerts"),
    ],
)
def test_numbers_take_the_right_form(n: int, hindi: str, english: str) -> None:
    """Zero and one are singular in Hindi (CLDR), one alone in English; Hindi groups by lakh."""
    assert say("hi", "alerts.messages_count", n=n) == hindi
    assert say("en", "alerts.messages_count", n=n) == english
    offices = hindi.partition(" ")[0] + " कार्यालय"
    assert say("hi", "alerts.offices_count", n=n) == offices


def test_no_word_is_left_over() -> None:
    """Every sentence and word of the alerts' catalogue is said somewhere."""
    pieces = {piece for template in TEMPLATES for piece in template.pieces} | {*BRIEF.values(), "link"}
    for key in catalogue("hi"):
        family, _, rest = key.removeprefix("alerts.").partition(".")
        if key.startswith("alerts.") and family in {"sms", "long"} and rest not in {"today", "tomorrow"}:
            assert rest in pieces, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatsapp_can_take_the_chat_templates(language: str) -> None:
    """A body of 1,024 characters at most that neither begins nor ends with a variable, and no two of them side by side."""
    for template in TEMPLATES:
        for linked in {False, template.links(Form.CHAT)}:
            text = pattern(template, language, Form.CHAT, "NOC " + "1" * 31, linked=linked)
            names = [name for name in places(text) if name != "link"]
            assert len(PLACEHOLDER.sub("", text)) + sum(LONG[name] for name in names) <= 1024
            fixed = PLACEHOLDER.split(text)[:: PLACEHOLDER.groups + 1]
            assert all(re.search(r"\w", part) for part in (fixed[0], fixed[-1])), text
            between = fixed[1:-1]
            assert all(part.strip() for part in between), text


def test_the_registry_lists_every_template_once() -> None:
    """Numbers are unique; the ways of writing places differ in nothing else."""
    found = list(entries("hi", Form.SMS, "0522 000000", Places.DLT))
    numbers = [entry.number for entry in found]
    assert len(numbers) == len(set(numbers)) == len(TEMPLATES) + sum(t.links(Form.SMS) for t in TEMPLATES)
    named = list(entries("hi", Form.SMS, "0522 000000", Places.NAMED))
    counted = list(entries("hi", Form.SMS, "0522 000000", Places.WHATSAPP))
    for dlt, plain, meta in zip(found, named, counted, strict=True):
        assert PLACEHOLDER.sub("{#var#}", plain.text) == dlt.text
        assert dlt.text.count("{#var#}") == len(dlt.variables)
        assert re.findall(r"\{\{(\d+)\}\}", meta.text) == [str(i + 1) for i in range(len(dlt.variables))]
        assert "0522000000" in dlt.text or "call" not in str(dlt)
        assert dlt.longest <= 199


def test_closed_lists_hold_what_is_said() -> None:
    """A provider is told all that a variable can be; nothing else is ever sent."""
    listed = {e.number: e.variables for e in entries("hi", Form.SMS, "0522 000000", Places.DLT)}
    for found in everything():
        text = render(found, config(), "hi", Form.SMS)
        for variable, value in zip(listed[text.template], text.variables, strict=True):
            assert not variable.values or value in variable.values, (text.template, variable.name, value)
