"""Pushing again changes nothing, a dry run writes nothing, and what others edited stays unless told."""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from dashboards.grafana.book import DASHBOARDS
from dashboards.grafana.rules import RULES
from tatpar.__main__ import main
from tests.grafana import stub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL = 2 * len(DASHBOARDS) + 2 + 2
"""Dashboards and folders in two languages, and two data sources."""


@pytest.fixture
def kept() -> Iterator[stub.Kept]:
    """An empty Grafana."""
    with stub.grafana() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A deployment with an InfluxDB."""
    file = tmp_path / "tatpar.toml"
    file.write_text('[store]\nkind = "influxdb"\nurl = "http://127.0.0.1:8086"\ntoken = "of-the-store"\n')
    return file


def ran(kept: stub.Kept, settings: Path, *more: str, token: str = stub.TOKEN) -> tuple[int, str]:
    given = ["grafana", "push", "--url", kept.url, "--token", token, "--config", str(settings), *more]
    done = CliRunner().invoke(main, given)
    return done.exit_code, done.output


def fates(kept: stub.Kept, settings: Path, *more: str) -> dict[str, str]:
    code, output = ran(kept, settings, "--json", *more)
    assert code == 0, output
    steps: list[dict[str, Any]] = json.loads(output)
    assert len(steps) == ALL
    return {f"{step['what']} {step['uid']}": step["fate"] for step in steps}


def test_twice_is_as_once(kept: stub.Kept, settings: Path) -> None:
    """A dry run says what would be made and makes nothing; then it is made; then all is the same."""
    assert set(fates(kept, settings, "--dry-run").values()) == {"new"}
    assert kept.writes == 0
    assert set(fates(kept, settings).values()) == {"new"}
    assert kept.writes == ALL
    assert len(kept.dashboards) == 2 * len(DASHBOARDS)
    assert kept.sources["tatpar"]["secureJsonData"] == {"httpHeaderValue1": "Token of-the-store"}
    assert set(fates(kept, settings).values()) == {"same"}
    assert kept.writes == ALL


def test_what_others_edited_is_kept(kept: stub.Kept, settings: Path) -> None:
    """It is named and stays; with --force it is replaced."""
    fates(kept, settings)
    kept.edited("tatpar-hi-site")
    kept.sources["tatpar"]["url"] = "http://elsewhere.example"
    found = fates(kept, settings)
    assert Counter(found.values()) == {"kept": 2, "same": ALL - 2}
    assert found["dashboard tatpar-hi-site"] == found["source tatpar"] == "kept"
    assert kept.dashboards["tatpar-hi-site"][-1]["dashboard"]["title"] == "mine"
    assert "--force" in ran(kept, settings)[1]
    assert Counter(fates(kept, settings, "--force").values()) == {"changed": 2, "same": ALL - 2}
    assert kept.dashboards["tatpar-hi-site"][-1]["dashboard"]["title"] != "mine"
    assert set(fates(kept, settings).values()) == {"same"}


def test_what_we_made_before_is_brought_up_to_date(kept: stub.Kept, settings: Path) -> None:
    """Other names in the settings change the queries: dashboards of our own are changed without being told."""
    fates(kept, settings)
    settings.write_text(settings.read_text() + 'prefix = "other"\n')
    found = fates(kept, settings)
    assert Counter(found.values()) == {"changed": 2 * len(DASHBOARDS), "same": 4}


def test_a_dry_run_names_the_panels_that_differ(kept: stub.Kept, settings: Path) -> None:
    """By title: one that somebody changed, removed, added; what Grafana adds by itself is no difference; nothing is written."""
    fates(kept, settings)
    kept.edited("tatpar-en-fleet")
    body = kept.dashboards["tatpar-en-fleet"][-1]["dashboard"]
    first, second = (body["panels"][n]["title"] for n in (0, 1))
    for panel in body["panels"]:
        panel |= {"pluginVersion": "11.0.0", "id": panel["id"] + 100}
    body["panels"][0]["gridPos"]["w"] = 7
    del body["panels"][1]
    body["panels"].append({"type": "text", "title": "my\nown"})
    writes = kept.writes
    code, output = ran(kept, settings, "--dry-run", "--force")
    assert (code, kept.writes) == (0, writes)
    lines = output.splitlines()
    at = next(n for n, line in enumerate(lines) if line.endswith("dashboard tatpar-en-fleet"))
    shown = [line.strip() for line in lines[at + 1 : at + 6]]
    assert lines[at].startswith("changed")
    assert shown[:4] == [
        "title",
        f'panel "{first}": changed',
        f'panel "{second}": new',
        'panel "my own": gone',
    ]
    assert not shown[4].startswith("panel")
    steps = json.loads(ran(kept, settings, "--dry-run", "--json")[1])
    assert [step["uid"] for step in steps if step["differs"]] == ["tatpar-en-fleet"]


def test_alert_rules_come_when_asked_for(kept: stub.Kept, settings: Path) -> None:
    """A dry run writes none; then they are new, then the same; one that somebody took over stays, unless told."""

    def of_rules(*more: str) -> Counter[str]:
        code, output = ran(kept, settings, "--json", "--alert-rules", *more)
        assert code == 0, output
        return Counter(step["fate"] for step in json.loads(output) if step["what"] == "alert rule")

    assert of_rules("--dry-run") == {"new": len(RULES)}
    assert not kept.rules
    assert of_rules() == {"new": len(RULES)}
    assert of_rules() == {"same": len(RULES)}
    kept.rules["tatpar-loss"] |= {"provenance": "", "title": "mine"}
    assert of_rules() == {"same": len(RULES) - 1, "kept": 1}
    assert kept.rules["tatpar-loss"]["title"] == "mine"
    assert of_rules("--force") == {"same": len(RULES) - 1, "changed": 1}
    assert of_rules() == {"same": len(RULES)}


def test_refusal_and_absence_are_explained(kept: stub.Kept, settings: Path) -> None:
    """A wrong token and a wrong address end with 1 and 2 in one line each."""
    code, output = ran(kept, settings, token="wrong")
    assert code == 1
    assert "service account" in output
    assert len(output.splitlines()) == 1
    kept.url = "grafana.example"
    code, output = ran(kept, settings)
    assert code == 2
    assert "https://grafana.example" in output


def test_a_page_that_is_no_grafana_is_told(settings: Path) -> None:
    """A web server that answers with pages, and one that is not there: one line each, and which it is."""

    class Page(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"<html>")

    kept = stub.Kept()
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="a page")
        thread.start()
        try:
            code, output = ran(kept, settings)
        finally:
            server.shutdown()
            thread.join()
    assert code == 1
    assert "no JSON; is this Grafana's address?" in output
    code, output = ran(kept, settings)
    assert code == 1
    assert "no answer (ConnectionError)" in output


def test_a_grafana_below_a_path(settings: Path) -> None:
    """An address with a path is asked below that path."""
    with stub.grafana(below="/grafana") as kept:
        assert set(fates(kept, settings, "--dry-run").values()) == {"new"}
        assert kept.asked[0].startswith("/grafana/api/")
