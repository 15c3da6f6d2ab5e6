"""The dashboards: whole by the SDK's own types, in two languages, asking only what the engines were asked in tests."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from config.load import load_config
from config.settings import Store
from dashboards.grafana import book
from dashboards.grafana.health import METRICS
from dashboards.grafana.questions import QUESTIONS
from dashboards.grafana.rules import RULES
from dashboards.grafana.speech import Language, speech_of
from tatpar.__main__ import main
from telemetry.words import LANGUAGES

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config

SPOKEN = [("victoriametrics", None), ("influxdb1", None), ("influxdb", None), ("influxdb", Language.FLUX)]


@pytest.fixture(params=SPOKEN, ids=lambda pair: f"{pair[0]}-{pair[1] or 'default'}")
def spoken(request: pytest.FixtureRequest) -> tuple[str, Language | None]:
    """A kind of database and the language it is asked in."""
    pair: tuple[str, Language | None] = request.param
    return pair


def config_for(kind: str) -> Config:
    config = load_config(None)
    store = Store(kind=kind, url="http://db.example:8428", token="secret")  # type: ignore[arg-type]
    return msgspec.structs.replace(config, settings=msgspec.structs.replace(config.settings, store=store))


def made(kind: str, language: Language | None, words: str) -> dict[str, dict[str, Any]]:
    config = config_for(kind)
    return book.dashboards(config, speech_of(config.settings.store, language), words)


@pytest.mark.parametrize("words", LANGUAGES)
def test_each_is_whole_by_the_schema(spoken: tuple[str, Language | None], words: str) -> None:
    """Read by the SDK's types and written again it is the same but for the queries of InfluxDB, which the SDK has no type for."""
    for name, body in made(*spoken, words).items():
        marks = body.pop("annotations")["list"]
        assert all({"name", "datasource", "enable", "iconColor", "target"} <= mark.keys() for mark in marks)
        again = json.loads(json.dumps(Dashboard.from_json(body), cls=JSONEncoder))
        again.pop("annotations", None)
        for one, other in zip(body["panels"], again["panels"], strict=True):
            targets = one.pop("targets", [])
            other.pop("targets", None)
            assert targets or one["type"] == "text", (name, one["title"])
            assert len({target["refId"] for target in targets}) == len(targets)
        assert again == body, name


def test_panels_lie_side_by_side(spoken: tuple[str, Language | None]) -> None:
    """No two panels of a dashboard cover the same place, and none leaves the grid."""
    for name, body in made(*spoken, "en").items():
        taken: set[tuple[int, int]] = set()
        for panel in body["panels"]:
            p = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(p.get("x", 0), p.get("x", 0) + p["w"])
                for y in range(p.get("y", 0), p.get("y", 0) + p["h"])
            }
            assert not cells & taken, (name, panel["title"])
            assert max(x for x, _ in cells) < 24
            taken |= cells


def test_every_question_is_shown_and_nothing_else_is_asked(spoken: tuple[str, Language | None]) -> None:
    """Each query of each panel is one that the tests put to the real engines."""
    config = config_for(spoken[0])
    speech = speech_of(config.settings.store, spoken[1])
    known = {speech.text(ask, name if ask.over_range else "value") for name, ask in QUESTIONS.items()}
    known |= {expr for expr, _ in METRICS.values()} if speech.language is Language.PROMQL else set()
    asked = {
        target.get("expr") or target["query"]
        for body in made(*spoken, "hi").values()
        for panel in body["panels"]
        for target in panel.get("targets", [])
        if "csvContent" not in target
    }
    assert asked == known


def test_flux_is_well_formed() -> None:
    """Brackets close in order and every line pipes on: form only; `by_hand_flux` runs it."""
    config = config_for("influxdb")
    speech = speech_of(config.settings.store, Language.FLUX)
    for name, ask in QUESTIONS.items():
        script = speech.text(ask, name)
        first, *rest = script.splitlines()
        assert first == 'from(bucket: "tatpar")'
        assert all(line.startswith("  |> ") for line in rest)
        opened: list[str] = []
        for sign in script:
            if sign in "([{":
                opened.append(sign)
            elif sign in ")]}":
                assert opened.pop() + sign in {"()", "[]", "{}"}, name
        assert not opened
        assert f'"{name}"' in rest[-1]


def test_links_and_variables_fit() -> None:
    """What a query or link names is a variable of its dashboard; a link leads to a dashboard that is there."""
    for words in LANGUAGES:
        bodies = made("influxdb1", None, words)
        uids = {body["uid"] for body in bodies.values()}
        for body in bodies.values():
            text = json.dumps(body, ensure_ascii=False)
            names = {variable["name"] for variable in body["templating"].get("list", [])}
            assert set(re.findall(r"\$\{(\w+):raw\}", text)) == names
            for part in text.split('"/d/')[1:]:
                assert part.partition("?")[0] in uids


def test_export_writes_files_without_the_token(tmp_path: Path) -> None:
    """Dashboards of both languages and provisioning, the same each time; a token is in none of them."""
    settings = tmp_path / "tatpar.toml"
    settings.write_text(
        '[store]\nkind = "influxdb"\nurl = "http://127.0.0.1:8086"\ntoken = "secret-of-ours"\n'
    )
    ran = [
        CliRunner().invoke(main, ["grafana", "export", str(tmp_path / name), "--config", str(settings)])
        for name in ("one", "two")
    ]
    assert [done.exit_code for done in ran] == [0, 0], ran[0].output
    first = {p.relative_to(tmp_path / "one"): p.read_text() for p in (tmp_path / "one").rglob("*.*")}
    second = {p.relative_to(tmp_path / "two"): p.read_text() for p in (tmp_path / "two").rglob("*.*")}
    assert first == second
    assert len(first) == 2 * len(book.DASHBOARDS) + 2
    for text in first.values():
        assert "secret-of-ours" not in text
        json.loads(text)


def test_alert_rules_are_written_when_asked_for(tmp_path: Path) -> None:
    """One for each flag that the usual profile has a limit for; a viewer's variables are in none of them."""
    settings = tmp_path / "tatpar.toml"
    settings.write_text('[store]\nkind = "victoriametrics"\nurl = "http://127.0.0.1:8428"\n')
    arguments = ["grafana", "export", str(tmp_path / "x"), "--config", str(settings), "--alert-rules"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    (group,) = json.loads((tmp_path / "x/provisioning/alerting/tatpar.yaml").read_text())["groups"]
    assert {rule["labels"]["flag"] for rule in group["rules"]} == set(RULES)
    for rule in group["rules"]:
        assert len(rule["uid"]) <= 40
        steps = {step["refId"]: step["model"] for step in rule["data"]}
        assert rule["condition"] in steps
        assert "$" not in steps["A"]["expr"]
        assert [steps[step["expression"]]["refId"] for step in steps.values() if "expression" in step] == [
            "A",
            "B",
        ]
    loss = next(rule for rule in group["rules"] if rule["labels"]["flag"] == "loss")
    limit = load_config(settings).profiles["video-720p"].alarm.loss_ratio
    assert loss["data"][2]["model"]["conditions"][0]["evaluator"] == {"type": "gt", "params": [limit]}


def test_a_store_that_grafana_cannot_ask_is_refused(tmp_path: Path) -> None:
    """The embedded store, and a language that the server does not speak, end with 2 and say what to write."""
    done = CliRunner().invoke(main, ["grafana", "export", str(tmp_path / "x")])
    assert done.exit_code == 2
    assert 'write "victoriametrics"' in done.output
    settings = tmp_path / "tatpar.toml"
    settings.write_text('[store]\nkind = "victoriametrics"\nurl = "http://127.0.0.1:8428"\n')
    arguments = ["grafana", "export", str(tmp_path / "x"), "--config", str(settings), "--query", "flux"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "write promql" in done.output
    assert not (tmp_path / "x").exists()
