"""Bring the dashboards to a Grafana: what is there already stays, what others edited is kept unless told.

Each of our saves carries the message `tatpar <digest>`. Grafana keeps a message with each version, so the newest one tells
whether we saved last (and what), or somebody else did since.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dashboards.grafana import book, rules
from dashboards.grafana.differing import differences
from dashboards.grafana.panels import Desk
from telemetry.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.config import Config
    from dashboards.grafana.server import Server
    from dashboards.grafana.speech import Speech


class Fate(StrEnum):
    """What becomes of a thing."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    KEPT = "kept"
    """Differs, and somebody else made it so."""


@dataclass(frozen=True, slots=True)
class Step:
    """One folder, data source, dashboard or alert rule, and what becomes of it."""

    what: str
    uid: str
    fate: Fate
    differs: tuple[str, ...] = ()
    """Of a dashboard that is changed or kept: its panels that differ, by title, and what differs beside them."""


def push(  # noqa: PLR0913 - two of them switches, by name
    server: Server,
    config: Config,
    speech: Speech,
    token: str = "",
    *,
    alert_rules: bool = False,
    dry: bool = False,
    force: bool = False,
) -> Iterator[Step]:
    """Do it, a step at a time; `dry`: only say. `token`: the store's, for the data source. Alert rules only when asked for.

    Raises:
        GrafanaError: see `Server`; the steps before it are done.
    """
    for source in book.sources(config.settings.store, speech)["datasources"]:
        yield _source(server, source, token, dry=dry, force=force)
    for language in LANGUAGES:
        folder = f"tatpar-{language}"
        there = server.folder(folder) is not None
        if not there and not dry:
            server.make_folder(folder, book.folder_title(language))
        yield Step("folder", folder, Fate.SAME if there else Fate.NEW)
        for body in book.dashboards(config, speech, language).values():
            yield _dashboard(server, body, folder, dry=dry, force=force)
    if alert_rules:
        language = config.settings.deployment.language
        for rule in rules.rules(Desk(config, speech, language)):
            yield _rule(server, rule, f"tatpar-{language}", dry=dry, force=force)


def message_of(body: dict[str, Any]) -> str:
    """What our save of this dashboard says."""
    return f"tatpar {hashlib.sha256(book.text(body).encode()).hexdigest()[:16]}"


def _dashboard(server: Server, body: dict[str, Any], folder: str, *, dry: bool, force: bool) -> Step:
    uid, message = body["uid"], message_of(body)
    differs: tuple[str, ...] = ()
    there = server.dashboard(uid)
    if there is None:
        fate = Fate.NEW
    else:
        last = server.last_message(uid)
        ours = last.startswith("tatpar ")
        fate = Fate.SAME if last == message else Fate.CHANGED if ours or force else Fate.KEPT
        if fate is not Fate.SAME:
            differs = differences(there.get("dashboard") or {}, body)
    if fate in {Fate.NEW, Fate.CHANGED} and not dry:
        server.put_dashboard(body, folder, message)
    return Step("dashboard", uid, fate, differs)


def _rule(server: Server, rule: dict[str, Any], folder: str, *, dry: bool, force: bool) -> Step:
    """Ours carry their digest and are provisioned; one that is not so any more was taken over by somebody."""
    mark = message_of(rule)
    annotations = rule["annotations"] | {"tatpar": mark}
    body = rule | {"annotations": annotations, "folderUID": folder, "ruleGroup": "tatpar", "orgID": 1}
    there = server.rule(rule["uid"])
    if there is None:
        fate = Fate.NEW
    else:
        last = str((there.get("annotations") or {}).get("tatpar", ""))
        ours = bool(last) and there.get("provenance") == "api"
        fate = Fate.KEPT if not ours and not force else Fate.SAME if ours and last == mark else Fate.CHANGED
    if fate in {Fate.NEW, Fate.CHANGED} and not dry:
        server.put_rule(body, new=fate is Fate.NEW)
    return Step("alert rule", rule["uid"], fate)


def _source(server: Server, wanted: dict[str, Any], token: str, *, dry: bool, force: bool) -> Step:
    """A data source has no versions: one that differs is kept, since the difference may be somebody's own."""
    there = server.source(wanted["uid"])
    secrets = {name: text.replace("$TATPAR_STORE_TOKEN", token) for name, text in _secrets(wanted).items()}
    body = wanted | ({"secureJsonData": secrets} if secrets else {})
    shown = {name: value for name, value in wanted.items() if name != "secureJsonData"}
    if there is None:
        fate = Fate.NEW
    elif all(there.get(name) == value for name, value in shown.items()):
        fate = Fate.SAME
    else:
        fate = Fate.CHANGED if force else Fate.KEPT
    if fate in {Fate.NEW, Fate.CHANGED} and not dry:
        server.put_source(body, new=fate is Fate.NEW)
    return Step("source", wanted["uid"], fate)


def _secrets(source: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = source.get("secureJsonData", {})
    return found
