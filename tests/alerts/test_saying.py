"""An alert in a list: always words, in the reader's language, never a bare code."""

from __future__ import annotations

import pytest
from msgspec import structs

from alerts.facts import Audience, Facts, Form
from alerts.saying import headline
from alerts.words import render
from config.load import load_config
from telemetry.alerting import Alert, AlertState, Kind, Severity, Step
from telemetry.decisions import Factor, FactorKind

AT = 1_795_000_000 * 10**9


@pytest.mark.parametrize("kind", [Kind.NOT_READY, Kind.DARK, Kind.DOWN, Kind.NOT_YOUR_LINE])
@pytest.mark.parametrize(("language", "name"), [("hi", "जौनपुर"), ("en", "Jaunpur")])
def test_every_kind_of_an_office_has_a_line(kind: Kind, language: str, name: str) -> None:
    """Also what only in-charges are told, as that it is not their line."""
    alert = Alert(
        id="K7M2PQ", kind=kind, state=AlertState.FIRING, severity=Severity.URGENT, site="jaunpur",
        since_ns=AT, pending_ns=AT, starts_ns=AT,
    )  # fmt: skip
    line = headline(alert, load_config(None), language, AT)
    assert name in line
    assert kind.value not in line


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("hi", "जौनपुर: ख़राबी इस कार्यालय की लाइन की नहीं (K7M2PQ)"),
        ("en", "Jaunpur: the fault is not on its line (K7M2PQ)"),
    ],
)
def test_a_list_does_not_call_an_offices_line_the_readers(language: str, said: str) -> None:
    """The NOC reads it, and no line is its own; over, it is well again."""
    alert = Alert(
        id="K7M2PQ", kind=Kind.NOT_YOUR_LINE, state=AlertState.FIRING, severity=Severity.NOTICE, site="jaunpur",
        since_ns=AT, pending_ns=AT, starts_ns=AT,
    )  # fmt: skip
    assert headline(alert, load_config(None), language, AT) == said
    over = structs.replace(alert, resolved_ns=AT + 1)
    assert headline(over, load_config(None), "en", AT) == "Jaunpur: well again (K7M2PQ)"


@pytest.mark.parametrize(
    ("language", "said"),
    [("hi", "agra-old (अब कार्यालयों की सूची में नहीं)"), ("en", "agra-old (no longer in the list of offices)")],
)
def test_the_all_clear_names_an_office_that_was_taken_out_of_the_list_as_that(
    language: str, said: str
) -> None:
    """The fault hit it while it was there: an id alone would be taken for a mistake."""
    facts = Facts(
        kind=Kind.SHARED, step=Step.RESOLVED, audience=Audience.NOC, alert="K7M2PQ", now_ns=AT,
        sites=("agra", "agra-old"), factor=Factor(FactorKind.PROVIDER, "provider-b"), since_ns=AT, ended_ns=AT,
    )  # fmt: skip
    assert said in render(facts, load_config(None), language, Form.MAIL).body
