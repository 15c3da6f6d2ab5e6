"""All dashboards, as the JSON that Grafana keeps, and the provisioning that brings them in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.grafana import fleet, health, marks, meetings, probes, record, rollout, rules, site
from dashboards.grafana.panels import Desk
from dashboards.grafana.speech import OFFICES_SOURCE, SOURCE_UID, Language
from telemetry.words import LANGUAGES, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from config.config import Config
    from config.settings import Store
    from dashboards.grafana.speech import Speech

DASHBOARDS: Final[dict[str, Callable[[Desk], Dashboard]]] = {
    "fleet": fleet.dashboard,
    "site": site.dashboard,
    "meetings": meetings.dashboard,
    "record": record.dashboard,
    "rollout": rollout.dashboard,
    "probes": probes.dashboard,
    "health": health.dashboard,
}


def dashboards(config: Config, speech: Speech, language: str) -> dict[str, dict[str, Any]]:
    """Every dashboard in one language, by name."""
    desk = Desk(config, speech, language, _names(config, language))
    return {name: _as_kept(desk, make(desk)) for name, make in DASHBOARDS.items()}


def files(config: Config, speech: Speech, *, alert_rules: bool = False) -> dict[str, str]:
    """What `tatpar grafana export` writes, by path: dashboards in both languages, data sources, folders, if asked alert rules.

    The files under `provisioning/` belong into Grafana's own folder of that name, `dashboards/` to the path that they name.
    """
    written = {}
    for language in LANGUAGES:
        for name, body in dashboards(config, speech, language).items():
            written[f"dashboards/{language}/{name}.json"] = text(body)
    # JSON is YAML: no second library is needed to write what Grafana reads as YAML
    written["provisioning/datasources/tatpar.yaml"] = text(sources(config.settings.store, speech))
    written["provisioning/dashboards/tatpar.yaml"] = text(_folders())
    if alert_rules:
        language = config.settings.deployment.language
        groups = rules.groups(Desk(config, speech, language), folder_title(language))
        written["provisioning/alerting/tatpar.yaml"] = text(groups)
    return written


def text(body: dict[str, Any]) -> str:
    """Readable, the same each time."""
    return json.dumps(body, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def folder_title(language: str) -> str:
    """What a language's folder is called."""
    return say(language, "grafana.folder")


def sources(store: Store, speech: Speech) -> dict[str, Any]:
    """The data sources as provisioning; a token is named by a variable of Grafana's environment, never written."""
    source: dict[str, Any] = {
        "name": "Tatpar",
        "uid": SOURCE_UID,
        "type": speech.source.type_val,
        "access": "proxy",
        "url": store.read_url or store.url,
    }
    if speech.language is Language.PROMQL:
        source["jsonData"] = {"httpMethod": "POST", "timeInterval": "15s"}
    elif speech.language is Language.FLUX:
        source["jsonData"] = {
            "version": "Flux",
            "organization": store.organisation,
            "defaultBucket": store.bucket,
        }
        source["secureJsonData"] = {"token": "$TATPAR_STORE_TOKEN"}
    else:
        source["jsonData"] = {"version": "InfluxQL", "dbName": store.bucket, "httpMode": "POST"}
        if store.kind == "influxdb":
            source["jsonData"]["httpHeaderName1"] = "Authorization"
            source["secureJsonData"] = {"httpHeaderValue1": "Token $TATPAR_STORE_TOKEN"}
    offices = {
        "name": "Tatpar offices",
        "uid": OFFICES_SOURCE.uid,
        "type": OFFICES_SOURCE.type_val,
        "access": "proxy",
    }
    return {"apiVersion": 1, "datasources": [source, offices]}


def _folders() -> dict[str, Any]:
    providers = [
        {
            "name": f"tatpar-{language}",
            "folder": folder_title(language),
            "folderUid": f"tatpar-{language}",
            "type": "file",
            "allowUiUpdates": False,
            "options": {"path": f"/etc/grafana/tatpar/dashboards/{language}"},
        }
        for language in LANGUAGES
    ]
    return {"apiVersion": 1, "providers": providers}


def _names(config: Config, language: str) -> dict[str, str]:
    """The calendar's meetings."""
    return {meeting.uid: meeting.name(language) for meeting in config.calendar.meetings}


def _as_kept(desk: Desk, made: Dashboard) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    variables = {variable["name"] for variable in body.get("templating", {}).get("list", [])}
    body["annotations"] = {"list": marks.kept(desk, variables)}
    for number, panel in enumerate(body["panels"], 1):
        panel["id"] = number
    return body
