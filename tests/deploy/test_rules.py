"""The alert rules for Prometheus: sound, tested by promtool, about series that exist, each explained."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import pytest

from collector.counters import Counters
from collector.observation.intake_metrics import of_counters, of_lags, of_queue
from collector.observation.lags import Lags
from collector.observation.outside_metrics import of_broker, of_outbox, of_roles, of_shipping

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE: Final = Path(__file__).parents[2]
RULES: Final = HOUSE / "deploy" / "prometheus" / "tatpar-rules.yml"
TEXT: Final = RULES.read_text(encoding="utf-8")
ALERTS: Final = re.findall(r"- alert: (\w+)", TEXT)


def promtool(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_the_rules_are_sound() -> None:
    """Prometheus' own checker takes every rule."""
    assert f"SUCCESS: {len(ALERTS)} rules found" in promtool("check", "rules", str(RULES))


def test_each_alert_fires_when_it_must_and_not_before(tmp_path: Path) -> None:
    """Series of a sound hub raise nothing; those of each trouble raise its alert after its time."""
    tests = Path(__file__).with_name("tatpar-rules-test.yml")
    shutil.copy(RULES, tmp_path)
    shutil.copy(tests, tmp_path)
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / tests.name))
    fired = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts", tests.read_text(encoding="utf-8")))
    assert fired == set(ALERTS), "an alert without a test of its firing"


def exported() -> Iterator[str]:
    """Names of the series that a collector can have, those of quotas and of a server-side store too."""
    bridge = SimpleNamespace(counters=_Anything(), paused=False)
    inbox = SimpleNamespace(
        messages=1, bytes=1, high_messages=1, high_bytes=1, deferrals=SimpleNamespace(by_site={})
    )
    shipping = dict.fromkeys(("rejected_points", "oldest_unshipped_ns", "server_available"), 1)
    families = [
        *of_counters(Counters()),
        *of_lags(Lags()),
        *of_queue(inbox, 1, 1),  # type: ignore[arg-type]
        *of_broker(bridge),  # type: ignore[arg-type]
        *of_roles({}),
        *of_outbox({}),
        *of_shipping(shipping),
    ]
    for family in families:
        yield from (family.name, f"{family.name}_total", f"{family.name}_bucket")


class _Anything:
    def __getattr__(self, _name: str) -> int:
        return 1


def test_rules_are_about_series_that_exist() -> None:
    """A renamed metric would leave a rule that never fires."""
    wanted = set(
        re.findall(r"\b(tatpar_\w+)", " ".join(re.findall(r"expr: ([^#]*?)\n\s+(?:for|labels)", TEXT)))
    )
    source = "".join(
        file.read_text(encoding="utf-8")
        for file in (HOUSE / "collector" / "observation").glob("*_metrics.py")
    )
    by_site = {name for name in wanted if f'"{name}"' in source}
    missing = wanted - set(exported()) - by_site - {"tatpar_collector_check"}
    assert not missing
    assert len(wanted) > 15


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_is_explained(alert: str) -> None:
    """A severity, a sentence in both languages, and a section that says what it means and what to do."""
    rule = TEXT.partition(f"- alert: {alert}\n")[2].partition("- alert:")[0]
    assert re.search(r"severity: (critical|warning)", rule)
    assert 'summary: "' in rule
    assert re.search(r'summary_hi: ".*[\u0900-\u097f]', rule)
    assert f"runbook: docs/operations.md#{alert.lower()}" in rule
    section = (HOUSE / "docs" / "operations.md").read_text(encoding="utf-8")
    _, found, text = section.partition(f"\n### {alert}\n")
    assert found
    assert len(text.partition("\n### ")[0].split()) > 15
