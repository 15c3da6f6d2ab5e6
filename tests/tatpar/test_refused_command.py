"""`tatpar refused` shows what was refused and why."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from tatpar.__main__ import main
from telemetry.state.db import StateDb
from telemetry.state.quarantine import Refused

if TYPE_CHECKING:
    from click.testing import Result


def typed(operator: Any, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["refused", "--data", str(operator.data), "--lang", "en", *arguments])


def test_the_newest_first(operator: Any) -> None:
    """When, where, why and how it began, newest first; nothing that could write elsewhere on a terminal; JSON has all of it."""
    rows = [
        Refused(
            1_700_000_000 * 10**9,
            "tatpar/1/agra/p1/report",
            "malformed: not JSON",
            b"\xff\x1b[2J" + b"y" * 300,
        ),
        Refused(1_700_000_001 * 10**9, "tatpar/1/x/p1/report", "unknown_site: no office x", b"{}"),
    ]
    with closing(StateDb(operator.data / "state.db")) as state:
        state.quarantine(rows, max_rows=10, max_bytes=10_000)
    newest, oldest = typed(operator).stdout.splitlines()
    assert newest.startswith("2023-11-14T22:13:21Z  tatpar/1/x/p1/report  unknown_site: no office x  2 B: {}")
    assert "malformed: not JSON  305 B" in oldest
    assert oldest.isprintable()
    assert len(typed(operator, "--limit", "1").stdout.splitlines()) == 1
    found = json.loads(typed(operator, "--json").stdout)
    assert [row["code"] for row in found] == ["unknown_site", "malformed"]
    assert bytes.fromhex(found[1]["hex"]) == rows[0].payload


def test_nothing_to_show(operator: Any) -> None:
    """Without a hub's folder it ends with 2 and names --data; with nothing refused it says so."""
    done = typed(operator)
    assert done.exit_code == 2
    assert "--data" in done.stderr
    with closing(StateDb(operator.data / "state.db")):
        pass
    assert typed(operator).stdout == "nothing was refused\n"
