"""Text messages keep within three segments in the worst case, and names are cut where nobody stumbles."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from alerts.facts import Audience, Form
from alerts.words import render
from alerts.words.bounds import PHONE, SMS
from alerts.words.budget import ROOM, longest, worst
from alerts.words.pattern import pattern, places
from alerts.words.shorten import clusters, shorten
from alerts.words.sms import BASIC, EXTENSION, MOST_SEGMENTS, cost, plain, units
from alerts.words.templates import TEMPLATES
from telemetry.alerting import Kind, Step
from telemetry.words import LANGUAGES
from tests.alerts.words.cases import config, facts

if TYPE_CHECKING:
    from alerts.words.templates import Template


@pytest.mark.parametrize(
    ("text", "alphabet", "count", "segments"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("[^{}\\~]|\f", "GSM-7", 18, 1),
        ("@£$¥èéùìòÇÅåΔÆæßñà", "GSM-7", 18, 1),
        ("ç", "UCS-2", 1, 1),
        ("क" * 70, "UCS-2", 70, 1),
        ("क" * 71, "UCS-2", 71, 2),
        ("क" * 201, "UCS-2", 201, 3),
        ("क" * 202, "UCS-2", 202, 4),
        ("a" * 69 + "\u00a0", "UCS-2", 70, 1),
        ("\U0001f600" * 35, "UCS-2", 70, 1),
        ("\U0001f600" * 66, "UCS-2", 132, 2),
        ("\U0001f600" * 67, "UCS-2", 134, 3),
    ],
)
def test_a_text_costs_what_the_standard_says(text: str, alphabet: str, count: int, segments: int) -> None:
    """160 or 153 septets, 70 or 67 units a segment; what takes two is never parted."""
    assert cost(text) == (alphabet, count, segments)


def test_the_alphabet_is_whole() -> None:
    """127 characters and the escape make 128 codes; ten more stand behind the escape."""
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_the_worst_case_fits(template: Template, language: str) -> None:
    """With every variable as long as it may be, and the longest telephone number, a message has three segments at most."""
    phone = ("NOC " if language == "hi" else "the NOC ") + "1" * PHONE
    assert worst(template, language, phone) <= ROOM
    for name in places(pattern(template, language, Form.SMS, phone, linked=False)):
        assert longest(name, template, language, Form.SMS) <= 30, name


@settings(deadline=None)
@given(st.text(max_size=ROOM))
def test_the_room_is_three_segments_whatever_stands_in_it(text: str) -> None:
    """Any text of so many units is three segments at most, in either alphabet."""
    while units(text) > ROOM:
        text = text[:-1]
    assert cost(text).segments <= MOST_SEGMENTS


NAMES = st.text(
    st.sampled_from("कखग्षिीुज़श्रत्रज्ञी ाँः-–'abcXYZ[]{}€\u200d😀👩🏽 \n\u00a0"), min_size=1, max_size=200
)


@settings(max_examples=60, deadline=None)
@given(office=NAMES, title=NAMES, unanswered=NAMES, phone=st.text("0123456789+ -/{a}", max_size=40))
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_name_breaks_a_text_message(
    language: str, office: str, title: str, unanswered: str, phone: str
) -> None:
    """Whatever offices, meetings and people are called, and whatever number the NOC has."""
    agra = structs.replace(
        config().registry.by_id["agra"],
        name_hi=office,
        name_en=office,
        contact_name=title,
        contact_phone=phone,
    )
    written = config().settings
    deployment = structs.replace(written.deployment, noc_phone=phone)
    changed = structs.replace(
        config(),
        settings=structs.replace(written, deployment=deployment),
        registry=structs.replace(config().registry, by_id={"agra": agra}),
    )
    for kind, step, audience in (
        (Kind.NOT_READY, Step.RAISED, Audience.IN_CHARGE),
        (Kind.AT_RISK, Step.RAISED, Audience.IN_CHARGE),
        (Kind.NOT_YOUR_LINE, Step.RAISED, Audience.IN_CHARGE),
        (Kind.NOT_READY, Step.ESCALATED, Audience.REGIONAL),
        (Kind.DOWN, Step.ESCALATED, Audience.NOC),
    ):
        found = facts(kind, step, audience, unanswered=unanswered)
        text = render(found, changed, language, Form.SMS)
        assert cost(text.body).segments <= MOST_SEGMENTS
        assert "\n" not in text.body
        assert "\n" not in render(found, changed, language, Form.MAIL).subject


@settings(deadline=None)
@given(NAMES, st.integers(4, 60))
def test_shortening_keeps_whole_signs(text: str, limit: int) -> None:
    """What is left is a run of whole signs from the beginning, within the limit, and says that it was cut."""
    cut = shorten(text, limit)
    assert units(cut) <= limit
    if units(text) <= limit:
        assert cut == text
        return
    kept = cut.removesuffix("…")
    assert cut != kept
    assert text.startswith(kept)
    starts = {0}
    for cluster in clusters(text):
        starts.add(max(starts) + len(cluster))
    # Blanks and dashes before the mark are taken away: they are signs of their own, unless a mark sits on them.
    assert len(kept) in starts or unicodedata.category(text[len(kept) :][0]) in {"Zs", "Pd", "Po"}


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("प्रातः समीक्षा बैठक", 19, "प्रातः समीक्षा बैठक"),
        ("प्रातः समीक्षा बैठक", 16, "प्रातः समीक्षा…"),
        ("क्षत्रिय", 5, "क्ष…"),
        ("क्षत्रिय", 7, "क्ष…"),
        ("क्षत्रिय", 8, "क्षत्रिय"),
        ("ज़िला कार्यालय", 4, "ज़ि…"),
        ("राष्ट्र", 6, "रा…"),
        ("कानपुर–बुंदेलखंड क्षेत्र समीक्षा बैठक", 20, "कानपुर–बुंदेलखंड…"),
        ("👩🏽\u200d💻👩🏽\u200d💻", 8, "👩🏽\u200d💻…"),
    ],
)
def test_a_name_is_cut_between_words_or_else_between_syllables(text: str, limit: int, cut: str) -> None:
    """क्ष, त्रि, ज़ि and ष्ट्र are one sign each to a reader, and so is an emoji with its joints."""
    assert shorten(text, limit) == cut


def test_typography_does_not_make_english_dear() -> None:
    """Dashes, quotes, no-break spaces become those of the GSM alphabet; one name in Devanagari costs what it costs."""
    assert cost(plain("Kanpur–Bundelkhand’s “line”: 4.1\u00a0% …")).alphabet == "GSM-7"
    found = facts(Kind.NOT_READY, Step.RAISED, Audience.REGIONAL, link="")
    assert cost(render(found, config(), "en", Form.SMS).body).alphabet == "UCS-2"  # रमेश कुमार
    plainly = facts(Kind.DARK, Step.RAISED, Audience.IN_CHARGE)
    assert cost(render(plainly, config(), "en", Form.SMS).body).alphabet == "GSM-7"


def test_names_of_the_built_in_registry_are_never_cut() -> None:
    """The bounds are as wide as the longest office of the deployment that we know."""
    for site in config().registry.sites:
        for language in LANGUAGES:
            assert units(site.name(language)) <= SMS["office"]
