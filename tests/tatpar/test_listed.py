"""Lists on the command line that are empty, and their words in the deployment's language."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from telemetry.alerting import Alert, AlertState, Kind, Severity
from telemetry.state.db import StateDb

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = {
    ("rehearse", "--list"): ("there was no rehearsal yet; make one: tatpar rehearse --meeting UID", "अभी तक कोई पूर्वाभ्यास नहीं हुआ"),
    ("alerts", "list"): ("nobody had to be told", "किसी को बताना नहीं पड़ा"),
    ("alerts", "list", "--open"): ("no alert is open", "कोई चेतावनी खुली नहीं है"),
    ("alerts", "list", "--dead"): ("nothing was given up", "कोई संदेश छोड़ा नहीं गया"),
    ("alerts", "silences"): ("nothing is silenced", "कुछ भी चुप नहीं किया गया है"),
    ("enroll", "list"): ("nobody is enrolled yet; let an office in: tatpar enroll SITE --out FILE", "अभी तक कोई कार्यालय दर्ज नहीं है"),
    ("command", "list"): ("no probe was told anything yet; ask one: tatpar command SITE ping", "अभी तक किसी जाँच यंत्र को कुछ नहीं कहा गया"),
    ("users", "list"): ("no users yet; add one: tatpar users add NAME --role administer", "अभी कोई उपयोगकर्ता नहीं है"),
    ("users", "links"): ("no links; make one: tatpar users link LABEL", "कोई लिंक नहीं है"),
    ("users", "sessions"): ("nobody is signed in", "कोई साइन इन नहीं है"),
    ("refused",): ("nothing was refused", "कोई संदेश ठुकराया नहीं गया"),
}  # fmt: skip
WHOLE = {
    ("enroll", "list"),
    ("command", "list"),
    ("users", "list"),
    ("users", "links"),
    ("users", "sessions"),
    ("refused",),
}
"""Those whose English line is given here to its end."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder in which a hub has begun and nothing has happened."""
    StateDb(tmp_path / "state.db").close()
    return tmp_path


def said(data: Path, *words: str) -> list[str]:
    """What a command prints."""
    done = CliRunner().invoke(main, [*words, "--data", str(data)])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


@pytest.mark.parametrize("words", EMPTY, ids=" ".join)
def test_an_empty_list_says_so_in_one_line(data: Path, words: tuple[str, ...]) -> None:
    """No heading of a table that has no rows; where something can be made, how."""
    english, hindi = EMPTY[words]
    (line,) = said(data, *words, "--lang", "en")
    assert line.startswith(english)
    assert words not in WHOLE or line == english
    (line,) = said(data, *words)
    assert line.startswith(hindi)


def test_an_alert_is_listed_in_hindi(data: Path) -> None:
    """Severity and state too; the JSON has the words that machines know."""
    alert = Alert(
        id="K7M2PQ",
        kind=Kind.DOWN,
        state=AlertState.FIRING,
        severity=Severity.URGENT,
        site="agra",
        since_ns=1,
        pending_ns=1,
        fired_ns=1,
    )
    with closing(StateDb(data / "state.db")) as state:
        state.put_alerts([alert], [], 1)
    line = said(data, "alerts", "list", "--open")[-1]
    assert "तुरंत" in line
    assert "जारी है" in line
    assert "firing" not in line
    assert any('"firing"' in one for one in said(data, "alerts", "list", "--open", "--json"))
