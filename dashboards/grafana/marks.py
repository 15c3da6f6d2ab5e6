"""Marks in the charts: meetings that began, faults that offices share, rehearsals.

The SDK's type knows only the annotations of Grafana's own database, so these are written as Grafana keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dashboards.grafana.speech import Language
from telemetry.store.server.decided import Decided
from telemetry.store.server.item_points import Itemised

if TYPE_CHECKING:
    from dashboards.grafana.panels import Desk


@dataclass(frozen=True)
class Annotation:
    """Where the marks of one kind are found, and which tag is their text."""

    family: Decided | Itemised
    field: str
    text: str
    colour: str
    kind: str = ""
    """Of events: which."""
    of_site: bool = False
    """Only where one office is looked at."""
    of_fleet: bool = False
    """Only elsewhere."""

    def query(self, store_kind: str, prefix: str) -> str:
        """The query in the language of a kind of store."""
        return self.promql(prefix) if store_kind == "victoriametrics" else self.influxql(prefix)

    def influxql(self, prefix: str) -> str:
        """Every point, with the tag beside it."""
        only = f" AND \"kind\" = '{self.kind}'" if self.kind else ""
        only += ' AND "site" =~ /^(${site:raw})$/' if self.of_site else ""
        return (
            f'SELECT "{self.field}", "{self.text}" FROM "{prefix}_{self.family.value}" '  # noqa: S608 - our names
            f"WHERE $timeFilter{only}"
        )

    def promql(self, prefix: str) -> str:
        """In each step whether there is a point."""
        only = [f'kind="{self.kind}"'] if self.kind else []
        only += ['site=~"${site:raw}"'] if self.of_site else []
        points = f"{prefix}_{self.family.value}_{self.field}{{{','.join(only)}}}"
        return f"max by ({self.text}) (last_over_time({points}[$__interval]))"

    def flux(self, prefix: str, bucket: str) -> str:
        """Every point."""
        only = f' and r.kind == "{self.kind}"' if self.kind else ""
        only += " and r.site =~ /^(${site:raw})$/" if self.of_site else ""
        return (
            f'from(bucket: "{bucket}")\n  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)\n'
            f'  |> filter(fn: (r) => r._measurement == "{prefix}_{self.family.value}" and r._field == "{self.field}"{only})\n'
            f'  |> keep(columns: ["_time", "_value", "{self.text}"])'
        )


ANNOTATIONS: Final[dict[str, Annotation]] = {
    "meetings": Annotation(Decided.EVENT, "offices", "about", "blue", kind="meeting"),
    "incidents": Annotation(Decided.EVENT, "offices", "about", "red", kind="incident"),
    "rehearsals": Annotation(Itemised.REHEARSAL, "rungs", "path", "purple", of_site=True),
    "fleet_rehearsals": Annotation(
        Decided.EVENT, "offices", "about", "purple", kind="rehearsal", of_fleet=True
    ),
}


def kept(desk: Desk, variables: set[str]) -> list[dict[str, Any]]:
    """The annotations of a dashboard with these variables."""
    return [
        _kept(desk, name, annotation)
        for name, annotation in ANNOTATIONS.items()
        if not (annotation.of_fleet if "site" in variables else annotation.of_site)
    ]


def _kept(desk: Desk, name: str, annotation: Annotation) -> dict[str, Any]:
    speech, title = desk.speech, desk.say(f"annotation.{name}")
    source = speech.source.to_json()
    body: dict[str, Any] = {
        "name": title,
        "datasource": source,
        "enable": True,
        "hide": False,
        "iconColor": annotation.colour,
    }
    target: dict[str, Any] = {"refId": "Anno", "datasource": source}
    if speech.language is Language.PROMQL:
        expr = annotation.promql(speech.prefix)
        target |= {
            "expr": expr,
            "range": True,
            "interval": "15s",
            "legendFormat": f"{{{{{annotation.text}}}}}",
        }
        return body | {
            "expr": expr,
            "step": "15s",
            "titleFormat": title,
            "textFormat": f"{{{{{annotation.text}}}}}",
            "target": target,
        }
    if speech.language is Language.FLUX:
        query = annotation.flux(speech.prefix, speech.bucket)
    else:
        query = annotation.influxql(speech.prefix)
    target |= {
        "query": query,
        "rawQuery": True,
        "resultFormat": "table",
        "fromAnnotations": True,
        "textColumn": annotation.text,
    }
    return body | {"query": query, "textColumn": annotation.text, "target": target}
