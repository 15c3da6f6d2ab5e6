"""An advice is worded by the clock: nobody is asked to be early when it is late, or to switch off what a meeting runs over."""

from __future__ import annotations

import re
from typing import Final

import pytest

from alerts.facts import Audience, Form
from alerts.words import render
from telemetry.alerting import Kind, Step
from telemetry.decisions import Action
from telemetry.windows import SECOND_NS
from telemetry.words import LANGUAGES
from tests.alerts.words.cases import STARTS_NS, config, facts

MINUTE_NS: Final = 60 * SECOND_NS
EARLY: Final = {"en": "join 15 minutes before the meeting", "hi": "मीटिंग से 15 मिनट पहले"}
NOW: Final = {"en": "join now", "hi": "अभी जुड़कर"}
STAY: Final = {"en": "stay in the meeting", "hi": "मीटिंग में बने रहें"}
RESTART: Final = {"en": re.compile("off and on|restart"), "hi": re.compile("फिर चलाएँ|चालू करें")}


def said(
    action: Action,
    left_min: float,
    language: str,
    form: Form = Form.MAIL,
    audience: Audience = Audience.IN_CHARGE,
) -> str:
    """A message so many minutes before the start."""
    now_ns = STARTS_NS - int(left_min * MINUTE_NS)
    found = facts(Kind.NOT_READY, Step.RAISED, audience, action=action, now_ns=now_ns, link="")
    text = render(found, config(), language, form)
    return f"{text.subject}\n{text.body}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("left_min", "words"),
    [(45, EARLY), (15.1, EARLY), (15, NOW), (9, NOW), (0.1, NOW), (0, STAY), (-6, STAY)],
)
def test_who_is_to_watch_is_told_when(left_min: float, words: dict[str, str], language: str) -> None:
    text = said(Action.WATCH, left_min, language)
    assert [each[language] in text for each in (EARLY, NOW, STAY)] == [
        each is words for each in (EARLY, NOW, STAY)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("audience", list(Audience))
def test_no_router_is_restarted_under_a_running_meeting(
    audience: Audience, form: Form, language: str
) -> None:
    for left_min in (0, -6, -50):
        assert not RESTART[language].search(said(Action.RESTART_ROUTER, left_min, language, form, audience))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", list(Form))
def test_before_the_meeting_it_is(form: Form, language: str) -> None:
    """The words that are looked for are those that are said."""
    assert RESTART[language].search(said(Action.RESTART_ROUTER, 9, language, form))
