"""Why a rehearsal did not hold, in words: each way for itself, with what is known besides; the unknown stays as it came."""

from __future__ import annotations

import pytest

from telemetry.rehearsal_reasons import Reason, WhyNot, reasons_of
from telemetry.words import LANGUAGES
from telemetry.words.rehearsals import say_rehearsal_why


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_is_said_in_every_shape(language: str) -> None:
    """Alone, with what is known besides, and of one way or of both: never the bare code."""
    for code in WhyNot:
        for line in (code.value, f"{code} 12.5 s", f"up {code}", f"up loss, down {code}"):
            said = say_rehearsal_why(language, line)
            assert said, line
            assert said != line


def test_each_way_for_itself() -> None:
    """`up loss, down delay`, as an office that broke says it."""
    assert reasons_of("up loss, down delay") == (Reason("loss", way="up"), Reason("delay", way="down"))
    assert say_rehearsal_why("en", "up loss") == "uplink: packets are lost"
    both = "uplink: packets are lost · downlink: delay grows under the load"
    assert say_rehearsal_why("en", "up loss, down delay") == both


def test_what_is_known_besides() -> None:
    """A clock's error, somebody's name, an error of the system."""
    assert say_rehearsal_why("en", "clock 7.0 s") == "its clock is off (7.0 s)"
    assert reasons_of("no-way Name or service not known")[0].more == "Name or service not known"


@pytest.mark.parametrize(
    "line", ["", "moonquake", "up moonquake", "up loss, down moonquake", "moonquake, very"]
)
def test_a_newer_programs_code_stays_as_it_came(line: str) -> None:
    """Nothing is lost, and nothing is made up."""
    assert say_rehearsal_why("hi", line) == line
