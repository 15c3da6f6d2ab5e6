"""Logs: one JSON object a line with a stable event, every event documented, text as people know it."""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatpar.service.logs import JsonLines

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE: Final = Path(__file__).parents[2]
ROOMS: Final = ("alerts", "collector", "config", "dashboards", "lab", "probes", "tatpar", "telemetry")
LASTING: Final = {"collector": "Trouble", "probes": "Transition"}
"""By room, what speaks of a thing that fails and works again; its last argument names the event."""
SHOWN: Final = {"info", "warning", "error", "exception", "critical", "log"}
FIRST: Final = ["time", "level", "logger", "event", "message"]


def line_of(message: str, *arguments: object, **more: Any) -> dict[str, Any]:
    extra = more.pop("extra", {})
    record = logging.getLogger("room.part").makeRecord(
        "room.part", logging.WARNING, __file__, 1, message, arguments, more.get("exc_info"), extra=extra
    )
    text = JsonLines().format(record)
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_line_has_its_event_and_fields() -> None:
    """Time in UTC, level, logger, event, message in this order; then the fields as JSON."""
    extra = {"event": "sites.silent", "sites": ["agra", "कानपुर"], "count": 2}
    found = line_of("silent: %s", "agra", extra=extra)
    assert list(found)[:5] == FIRST
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["time"])
    assert (found["level"], found["event"], found["message"]) == ("warning", "sites.silent", "silent: agra")
    assert (found["sites"], found["count"]) == (["agra", "कानपुर"], 2)
    assert line_of("plain")["event"] == "room.part"


def test_an_exception_stays_in_its_line() -> None:
    """A traceback is a field, not forty lines that no machine can put together."""
    try:
        Path("/nowhere/at/all").read_text(encoding="utf-8")
    except OSError:
        found = line_of("commits", exc_info=sys.exc_info(), extra={"event": "commits.fault"})
    assert found["exception"].endswith("No such file or directory: '/nowhere/at/all'")


fields = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda key: key not in vars(logging.makeLogRecord({}))),
    st.one_of(
        st.text(max_size=9),
        st.floats(),
        st.integers(),
        st.none(),
        st.binary(max_size=4),
        st.just(object()),
        st.dictionaries(st.tuples(st.integers()), st.integers(), max_size=2),
    ),
    max_size=4,
)


@given(st.text(st.characters(exclude_categories=[])), fields)
def test_any_line_is_json(message: str, extra: dict[str, Any]) -> None:
    """Whatever is logged, surrogates and odd keys too: one line, and no field takes another's place."""
    extra.pop("message", None)
    extra.pop("asctime", None)
    found = line_of("%s", message, extra={**extra, "event": "any"})
    assert set(FIRST) <= found.keys()
    assert "any" in found["event"]


def events() -> Iterator[tuple[str, str]]:
    """Every event that the code names, and where."""
    for room in ROOMS:
        for file in sorted((HOUSE / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                yield from ((event, file.name) for event in _named(node, room))


def _named(node: ast.AST, room: str) -> Iterator[str]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            is_event = isinstance(key, ast.Constant) and key.value == "event"
            if is_event and isinstance(value, ast.Constant):
                yield value.value
    name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    if isinstance(node, ast.Call) and name == LASTING.get(room):
        last = node.args[-1]
        assert isinstance(last, ast.Constant), f"{ast.unparse(node)} names no event"
        assert re.fullmatch(r"[a-z-]+", last.value), f"{ast.unparse(node)} names no event"
        yield from (f"{last.value}.failed", f"{last.value}.recovered")


def test_every_event_is_explained() -> None:
    """An operator who greps for an event finds what it means and what to do."""
    text = (HOUSE / "docs" / "operations.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z-]+\.[a-z-]+)`", text.partition("## Log events")[2]))
    named = dict(events())
    assert {event: where for event, where in named.items() if event not in told} == {}
    assert told - named.keys() <= {"up.said"}
    assert len(named) > 40


def shown_calls() -> Iterator[tuple[str, ast.Call]]:
    """Every line that is logged where an operator sees it, which is all but debugging, and where it stands."""
    for room in ROOMS:
        for file in sorted((HOUSE / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    logger = ast.unparse(node.func.value)
                    is_logger = logger in {"log", "_log"} or logger.startswith("logging.getLogger(")
                    if is_logger and node.func.attr in SHOWN:
                        yield f"{file.relative_to(HOUSE)}:{node.lineno}", node


def test_every_line_names_its_event() -> None:
    """A line without one cannot be looked up: it would carry its logger's name alone."""
    calls = dict(shown_calls())
    unnamed = [
        where for where, call in calls.items() if not any(word.arg == "extra" for word in call.keywords)
    ]
    assert unnamed == []
    assert len(calls) > 100


@pytest.mark.server
@pytest.mark.parametrize("how", ["environment", "settings"])
def test_collect_speaks_json_when_asked(how: str, tmp_path: Path) -> None:
    """Each line on standard error is an object; being ready and where it is seen are among them."""
    settings = '[broker]\nbring = "embedded"\n[metrics]\nport = 0\n'
    (tmp_path / "tatpar.toml").write_text(settings + '[log]\nformat = "json"\n' * (how == "settings"))
    command = ["collect", "--config", str(tmp_path / "tatpar.toml"), "--data", str(tmp_path / "data")]
    environment = os.environ | ({"TATPAR_LOG_FORMAT": "json"} if how == "environment" else {})
    seen: dict[str, dict[str, Any]] = {}
    with subprocess.Popen(
        [sys.executable, "-m", "tatpar", *command],
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        assert process.stderr is not None
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        for text in process.stderr:
            line = json.loads(text)
            seen[line["event"]] = line
            if line["event"] == "collector.ready":
                process.send_signal(signal.SIGTERM)
        watchdog.cancel()
        assert process.wait(60) == 0
    assert {"metrics.served", "broker.connected", "collector.ready"} <= seen.keys()
    assert re.fullmatch(r"127\.0\.0\.1:\d+", seen["metrics.served"]["address"])
