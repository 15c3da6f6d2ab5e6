"""`tatpar alerts ack|silence|silences|unsilence|retry|list|test`: what they do, and one line for each mistake."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from telemetry.alerting import AlertState
from telemetry.state.db import StateDb
from tests.alerts.parts import NOW_NS, Receiver, a_post, an_alert, made_live

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def place(tmp_path: Path, hook: Receiver) -> Path:
    """A folder with settings, people, and a state database with one open alert."""
    made_live(tmp_path, channels=f'hook = "http://127.0.0.1:{hook.port}/to?p={{phone}}"')
    with closing(StateDb(tmp_path / "data" / "state.db")) as state:
        state.put_alerts([an_alert()], [], NOW_NS)
    return tmp_path


def alerts(place: Path, *arguments: str) -> Result:
    where = ["--config", str(place / "tatpar.toml"), "--data", str(place / "data")]
    done = CliRunner().invoke(main, ["alerts", *where, *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def said(place: Path, *arguments: str) -> str:
    done = alerts(place, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def refused(place: Path, *arguments: str, status: int = 2) -> str:
    done = alerts(place, *arguments)
    assert done.exit_code == status, done.output
    return done.stderr.strip().splitlines()[-1]


def test_acknowledging(place: Path) -> None:
    """The first is noted with a remark; the second hears who was first; the list shows it."""
    assert "K7M2PQ" in said(place, "list", "--open")
    assert (
        said(place, "ack", "k7m2pq", "--by", "R. Singh", "--note", "at it", "--lang", "en")
        == "K7M2PQ: acknowledged by R. Singh"
    )
    assert said(place, "ack", "K7M2PQ", "--by", "A. Verma", "--lang", "en").startswith(
        "K7M2PQ: R. Singh is on it already, since "
    )
    (alert,) = json.loads(said(place, "list", "--open", "--json"))
    assert (alert["acknowledged_by"], alert["note"], alert["state"]) == ("R. Singh", "at it", "acknowledged")
    assert "acknowledged (R. Singh: at it)" in said(place, "list", "--open", "--lang", "en")


def test_nothing_to_acknowledge(place: Path) -> None:
    """An alert that never was, and one that is over, are told in one line."""
    assert (
        refused(place, "ack", "XXXXXX", "--by", "me", "--lang", "en")
        == "there is no alert XXXXXX; see: tatpar alerts list --open"
    )
    assert (
        refused(place, "ack", "K7M2PQ", "--by", " ", "--lang", "en") == "--by is empty; write who takes it up"
    )
    with closing(StateDb(place / "data" / "state.db")) as state:
        state.put_alerts([an_alert(state=AlertState.RESOLVED, resolved_ns=NOW_NS)], [], NOW_NS)
    over = refused(place, "ack", "K7M2PQ", "--by", "me", "--lang", "en", status=1)
    assert over == "K7M2PQ is over, since 10:00"
    assert said(place, "list", "--open", "--lang", "en") == "no alert is open"


def test_a_silence_from_its_making_to_its_end(place: Path) -> None:
    """Made, listed, ended; ended once."""
    asked = ("silence", "site:agra", "--for", "2h", "--by", "R. Singh", "--note", "the line moves")
    line = said(place, *asked, "--lang", "en")
    name = line.partition(":")[0]
    assert line.endswith(f"tatpar alerts unsilence {name} ends it")
    assert "the line moves" in said(place, "silences")
    (silence,) = json.loads(said(place, "silences", "--json"))
    assert (silence["what"], silence["by"]) == ("site:agra", "R. Singh")
    assert said(place, "unsilence", name.lower(), "--lang", "en") == f"{name}: ended"
    assert refused(place, "unsilence", name, "--lang", "en").startswith(
        f"there is no silence {name} that still holds"
    )
    assert said(place, "silences", "--lang", "en") == "nothing is silenced"


@pytest.mark.parametrize(
    ("what", "line"),
    [
        (
            "agra",
            '"agra" is nothing that can be silent; write site:ID, region:ID, incident:ID, alert:ID or all',
        ),
        ("site:agar", 'there is no site "agar"; write "agra"'),
        ("region:brij", 'there is no region "brij"; write "braj"'),
        ("alert:k7m2px", 'there is no alert "K7M2PX"; write "K7M2PQ"'),
        ("incident:x", 'there is no incident "x"; nothing of this kind is open'),
    ],
)
def test_silencing_what_is_not_there(place: Path, what: str, line: str) -> None:
    """What is silenced must be there, or a slip of the pen would silence nothing."""
    asked = ("silence", what, "--for", "1h", "--by", "me", "--lang", "en")
    assert refused(place, *asked) == line


def test_silencing_everything_and_too_long(place: Path) -> None:
    """`all` needs nothing to be there; a silence longer than a month is a mistake."""
    everything = ("silence", "all", "--for", "5m", "--by", "me", "--lang", "en")
    assert "nothing is sent of all until" in said(place, *everything)
    too_long = ("silence", "all", "--for", "9000h", "--by", "me", "--lang", "en")
    assert "31 days" in refused(place, *too_long)
    assert "span of time" in refused(place, "silence", "all", "--for", "soon", "--by", "me")


def test_dead_letters(place: Path) -> None:
    """What was given up is listed with why and how to try it again, and can be."""
    with closing(StateDb(place / "data" / "state.db")) as state:
        state.post([a_post("a/b", subject="तैयार नहीं"), a_post("c")], NOW_NS)
        state.mark_dead("a/b", "550 no such user", NOW_NS)
    line = said(place, "list", "--dead", "--lang", "en")
    assert line.startswith("given up (550 no such user)")
    assert "तैयार नहीं" in line
    assert "[tatpar alerts retry a/b]" in line
    assert said(place, "retry", "a/b", "--lang", "en") == "a/b: will be tried again at once"
    assert said(place, "list", "--dead", "--lang", "en") == "nothing was given up"
    assert refused(place, "retry", "zz", "--lang", "en").startswith('no message "zz" waits or was given up')


def test_a_test_message(place: Path, hook: Receiver) -> None:
    """It goes out at once, past the outbox, in the person's language, and the answer is shown."""
    assert said(place, "test", "ravi", "--lang", "en") == f"127.0.0.1:{hook.port} answered 200 OK"
    (request,) = hook.requests
    assert request.path == "/to?p=%2B915550101"
    assert request.body["template"].endswith("-hi")
    said(place, "test", "+915550199", "--channel", "hook")
    hook.answers = [(403, {})]
    assert "answered 403" in refused(place, "test", "ravi", status=1)
    with closing(StateDb(place / "data" / "state.db")) as state:
        assert not state.outbox(9)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("nobody",), 'there is nobody "nobody"; '),
        (("asha",), "alerts.smtp_host is empty; write it into the settings"),
        (
            ("asha", "--channel", "sms"),
            "there is no channel sms under [alerts.channels]; write it into the settings",
        ),
        (("asha", "--channel", "alertmanager"), "alerts.delivery.alertmanager_url is empty; "),
    ],
)
def test_a_test_that_cannot_be(place: Path, arguments: tuple[str, ...], line: str) -> None:
    """Nobody of that name, no server, no such channel: one line, and what to write."""
    assert refused(place, "test", *arguments, "--lang", "en").startswith(line)


def test_who_acknowledges_now_is_on_record_at_once(place: Path) -> None:
    """The time of the acknowledgement is now."""
    before_ns = time.time_ns()
    said(place, "ack", "K7M2PQ", "--by", "me")
    with closing(StateDb(place / "data" / "state.db")) as state:
        alert = state.alert("K7M2PQ")
    assert alert is not None
    assert alert.acknowledged_ns is not None
    assert before_ns <= alert.acknowledged_ns <= time.time_ns()
