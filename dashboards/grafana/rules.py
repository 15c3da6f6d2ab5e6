"""Our flags as Grafana alert rules, for who wants Grafana to tell people too: provisioning format, version 1.

Each asks a question of the dashboards over the last minutes for every office, and compares with the usual profile's alarm limit.
They are coarser than the house's own flags, which weigh counts and know what is usual; people are told by `tatpar alerts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dashboards.grafana import frame
from dashboards.grafana.questions import QUESTIONS
from dashboards.grafana.speech import SOURCE_UID, Language

if TYPE_CHECKING:
    from dashboards.grafana.panels import Desk

SPAN_S: Final = 600
"""So far back a rule looks; presence and the next meeting's verdict are written every five minutes."""


@dataclass(frozen=True)
class Rule:
    """A question, the limit of the profile that it is held against (or a fixed one), and how long it must last."""

    question: str
    limit: str = ""
    above: float = 0.0
    lasts: str = "2m"


RULES: Final[dict[str, Rule]] = {
    "loss": Rule("office_lost", "loss_ratio"),
    "rtt": Rule("office_rtt", "rtt_ms"),
    "jitter": Rule("office_jitter", "jitter_ms"),
    "silent": Rule("office_silent", above=0.5, lasts="0s"),
    "not_ready": Rule("office_next", above=2.5, lasts="0s"),
}


def query(desk: Desk, name: str) -> str:
    """A rule's query: no variables and no range of a viewer, since nobody looks."""
    text = desk.speech.text(QUESTIONS[RULES[name].question])
    text = re.sub(r"\$\{\w+:raw\}", ".*", text)
    return text.replace("$__range", f"{SPAN_S}s")


def rules(desk: Desk) -> list[dict[str, Any]]:
    """Every rule that has a limit."""
    alarm = frame.profile(desk).alarm
    made = []
    for name, rule in RULES.items():
        limit = getattr(alarm, rule.limit) if rule.limit else rule.above
        if limit is not None:
            made.append(_rule(desk, name, rule, float(limit)))
    return made


def groups(desk: Desk, folder: str) -> dict[str, Any]:
    """The provisioning file: one group, looked at every minute."""
    group = {"orgId": 1, "name": "tatpar", "folder": folder, "interval": "1m", "rules": rules(desk)}
    return {"apiVersion": 1, "groups": [group]}


def _rule(desk: Desk, name: str, rule: Rule, limit: float) -> dict[str, Any]:
    asked: dict[str, Any] = {"refId": "A", "intervalMs": 15_000, "maxDataPoints": 43_200}
    if desk.speech.language is Language.PROMQL:
        asked |= {"expr": query(desk, name), "instant": True, "range": False}
    elif desk.speech.language is Language.FLUX:
        asked |= {"query": query(desk, name)}
    else:
        asked |= {"query": query(desk, name), "rawQuery": True, "resultFormat": "time_series"}
    span = {"from": SPAN_S, "to": 0}
    reduced = {
        "refId": "B",
        "type": "reduce",
        "expression": "A",
        "reducer": "last",
        "settings": {"mode": "dropNN"},
    }
    compared = {
        "refId": "C",
        "type": "threshold",
        "expression": "B",
        "conditions": [{"evaluator": {"type": "gt", "params": [limit]}}],
    }
    return {
        "uid": f"tatpar-{name.replace('_', '-')}",
        "title": desk.say(f"alert.{name}"),
        "condition": "C",
        "for": rule.lasts,
        "noDataState": "OK",
        "execErrState": "Error",
        "isPaused": False,
        "labels": {"source": "tatpar", "flag": name},
        "annotations": {"summary": f"{desk.say(f'alert.{name}')}: {{{{ $labels.site }}}}"},
        "data": [
            {"refId": "A", "datasourceUid": SOURCE_UID, "relativeTimeRange": span, "model": asked},
            *(
                {
                    "refId": model["refId"],
                    "datasourceUid": "__expr__",
                    "relativeTimeRange": span,
                    "model": model | {"datasource": {"type": "__expr__", "uid": "__expr__"}},
                }
                for model in (reduced, compared)
            ),
        ],
    }
