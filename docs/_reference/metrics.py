"""The page of `/metrics`, from the calls that make its families."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final, NamedTuple

import collector.observation
from collector.observation.outside_metrics import JOURNAL, SHIPPED
from docs._reference.markdown import code, page, table

KINDS: Final = {
    "counter": "counter",
    "counters": "counter",
    "gauge": "gauge",
    "gauges": "gauge",
    "histogram": "histogram",
    "CounterMetricFamily": "counter",
    "GaugeMetricFamily": "gauge",
    "HistogramMetricFamily": "histogram",
    "InfoMetricFamily": "info",
}
ENDS: Final = {"counter": "_total", "info": "_info"}
_INTRO: Final = """
A collector serves them at `http://127.0.0.1:8421/metrics` (`[metrics]`), in the Prometheus text format, with those of the process (`process_…`). Alert rules:
`deploy/prometheus/tatpar-rules.yml`; what each alert means and what to do: [operations](../operations.md).
"""


class Told(NamedTuple):
    """One family."""

    name: str
    kind: str
    labels: str
    says: str


def metrics_page() -> str:
    """Every family of a collector."""
    rows = [[code(one.name), one.kind, one.labels, one.says] for one in families()]
    return page(
        "Metrics", "collector/observation", _INTRO, table(["metric", "kind", "labels", "means"], rows)
    )


def families() -> list[Told]:
    """Every family that the collector's modules make, by name."""
    (folder,) = collector.observation.__path__
    found = {
        told.name: told
        for file in sorted(Path(folder).glob("*.py"))
        for told in _of_source(file)
        if file.stem != "families"
    }
    for kind, told_of in (("counter", SHIPPED), ("gauge", JOURNAL)):
        for name, says in told_of.items():
            full = f"tatpar_store_{name}{ENDS.get(kind, '')}"
            found[full] = Told(full, kind, "", says)
    return [found[name] for name in sorted(found)]


def _of_source(file: Path) -> list[Told]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    texts = {
        ast.unparse(node.targets[0]): node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in KINDS:
            continue
        name, says = node.args[0], node.args[1]
        if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
            continue  # of a table: those of the store are added by the caller
        kind = KINDS[node.func.id]
        words = says.value if isinstance(says, ast.Constant) else texts[ast.unparse(says)]
        found.append(Told(f"{name.value}{ENDS.get(kind, '')}", kind, _labels(node), str(words)))
    return found


def _labels(call: ast.Call) -> str:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if "labels" in named:
        return ", ".join(ast.literal_eval(named["labels"]))
    if isinstance(call.func, ast.Name) and call.func.id in {"counters", "gauges"}:
        return str(ast.literal_eval(call.args[2]))
    if isinstance(value := named.get("value"), ast.Dict):
        return ", ".join(ast.literal_eval(key) for key in value.keys if key is not None)
    return ""
