"""`tatpar alerts` runs until told to stop, lists what was told, and explains a damaged database."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from telemetry.alerting import Post
from telemetry.state.db import StateDb

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

LETTER = b"this is no database, it is a letter to the editor" * 100


def alerts(operator: Any, *arguments: str) -> Result:
    place = ["--config", str(operator.config), "--data", str(operator.data)]
    done = CliRunner().invoke(main, ["alerts", *place, *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def letter(key: str, due_ns: int) -> Post:
    address = f"{key}@office.example"
    return Post(
        key=key,
        person="",
        channel="mail",
        recipient=address,
        subject=f"subject {key}",
        body="body",
        due_ns=due_ns,
    )


@pytest.mark.parametrize("arguments", [(), ("list",)], ids=["run", "list"])
def test_a_damaged_database(operator: Any, arguments: tuple[str, ...]) -> None:
    """A state.db that is none ends it with 1 and one line that names it."""
    operator.data.mkdir()
    (operator.data / "state.db").write_bytes(LETTER)
    done = alerts(operator, *arguments)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert "state.db" in line


def test_nothing_there(operator: Any) -> None:
    """Listing where no Tatpar ever ran ends with 2, names --data, and makes no file."""
    done = alerts(operator, "list")
    assert done.exit_code == 2
    assert "--data" in done.stderr
    assert not operator.data.exists()


def test_the_list(operator: Any) -> None:
    """What was sent, what waits and why it waits are told apart, in words and as JSON."""
    with closing(StateDb(operator.data / "state.db")) as state:
        for key, when_ns in (("a", 1), ("b", 2), ("c", 3)):
            state.post([letter(key, when_ns)], 1)
        state.mark_sent("a", 9)
        state.mark_failed("b", "server says no", 10)
    lines = alerts(operator, "list", "--lang", "en").stdout.splitlines()
    words = {line.split("@")[0].split()[-1]: line for line in lines}
    assert words["a"].startswith("sent ")
    assert words["b"].startswith("waits (server says no)")
    assert words["c"].startswith("waits ")
    found = json.loads(alerts(operator, "list", "--json").stdout)
    assert {row["key"]: (row["sent_ns"], row["error"]) for row in found} == {
        "a": (9, ""),
        "b": (None, "server says no"),
        "c": (None, ""),
    }
    assert len(alerts(operator, "list", "--limit", "1").stdout.splitlines()) == 1


def test_options_after_the_sub_command(operator: Any) -> None:
    """`--config` and `--data` count after the sub-command too, and win over those before it."""
    with closing(StateDb(operator.data / "state.db")) as state:
        state.post([letter("a", 1)], 1)
    runner = CliRunner()
    there = runner.invoke(main, ["alerts", "--data", "/nowhere", "list", "--data", str(operator.data)])
    assert there.exit_code == 0
    assert "subject a" in there.stdout
    wrong = runner.invoke(main, ["alerts", "test", "noc@office.example", "--config", str(operator.config)])
    assert "alerts.smtp_host" in wrong.stderr


def test_a_test_mail_without_a_server(operator: Any) -> None:
    """Without a mail server a test mail ends with 2 and says which key to write."""
    done = alerts(operator, "test", "noc@office.example")
    assert done.exit_code == 2
    assert "alerts.smtp_host" in done.stderr


@pytest.mark.server
def test_it_stops_when_told(operator: Any, wait_for: Callable[..., None]) -> None:
    """SIGTERM ends the service that runs alone with 0 and without a word of Python's."""
    command = ["alerts", "--config", str(operator.config), "--data", str(operator.data)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tatpar", *command], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    operator.started.append(process)
    wait_for("it has its database", 300, (operator.data / "state.db").exists)
    process.send_signal(signal.SIGTERM)
    said, complaints = process.communicate(timeout=300)
    assert process.returncode == 0, complaints
    assert not said
    assert "Traceback" not in complaints
