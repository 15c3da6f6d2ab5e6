"""What a command says of what it did: in the deployment's language, in English when asked, and in one of them alone."""

from __future__ import annotations

import re
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from tatpar.identity import enrolling
from telemetry.alerting import AlertState, Silence
from telemetry.state.db import StateDb
from telemetry.windows import SECOND_NS
from tests.alerts.parts import NOW_NS, Receiver, a_post, an_alert, made_live

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

DEVANAGARI = re.compile("[\u0900-\u097f]")
DESK = '\n[broker]\nbring = "mosquitto"\npublic_host = "127.0.0.1"\npublic_names = ["localhost"]\n'
MAPPING = (
    '[time]\ncolumn = "t"\nformat = "unix_s"\n[site]\nis = "agra"\n[path]\nis = "main.state"\n'
    '[ping]\nrtt = { column = "rtt" }\n'
)
BY = ("--by", "R. Singh")
SAID = {
    ("alerts", "ack", "K7M2PQ", *BY): (
        "K7M2PQ: acknowledged by R. Singh",
        "K7M2PQ: दर्ज हो गया, R. Singh इसे देख रहे हैं",
    ),
    ("alerts", "ack", "AAAAAA", *BY): ("AAAAAA is over, since 10:00", "AAAAAA: यह ठीक हो चुका है, 10:00 से"),
    ("alerts", "silence", "site:agra", "--for", "2h", *BY): (
        r"\w{6}: nothing is sent of site:agra until \w+day \d+ \w+, \d\d:\d\d; tatpar alerts unsilence \w{6} ends it",
        r"\w{6}: \d+ \S+, \S+, \d\d:\d\d बजे तक कोई संदेश नहीं जाएगा \(site:agra\); .*: tatpar alerts unsilence \w{6}",
    ),
    ("alerts", "unsilence", "Q4T9XB"): ("Q4T9XB: ended", "Q4T9XB: ख़त्म, अब संदेश फिर जाएँगे"),
    ("alerts", "retry", "a/b"): ("a/b: will be tried again at once", "a/b: अभी फिर से भेजा जाएगा"),
    ("alerts", "test", "ravi"): (
        r"127\.0\.0\.1:\d+ answered 200 OK",
        r"भेजा गया, जवाब: 127\.0\.0\.1:\d+ answered 200 OK",
    ),
    ("enroll", "agra", "--renew", "--out", "{place}/agra.toml"): (
        r"\S+/agra\.toml: for agra/p1, good once, until \w+day \d+ \w+, \d\d:\d\d\nnote: the hub does not run; the broker is told when it starts",
        r"\S+/agra\.toml: agra/p1 के लिए; एक ही बार काम आएगी, \d+ \S+, \S+, \d\d:\d\d बजे तक\nध्यान दें: हब अभी चालू नहीं है; चालू होते ही ब्रोकर को बता दिया जाएगा",
    ),
    ("revoke", "agra"): (
        "revoked: agra/p1\nnote: the hub does not run; .*",
        "हटाया गया: agra/p1\nध्यान दें: हब अभी चालू नहीं है; .*",
    ),
    ("command", "agra", "ping", "--timeout", "1"): (
        r"no collector has sent the command to agra/p1 in time: see that the hub runs \(tatpar doctor\)",
        r"agra/p1 को आदेश समय पर भेजा ही नहीं गया: देखें कि हब चालू है \(tatpar doctor\)",
    ),
    ("history", "import", "{place}/pings.csv", "--mapping", "{place}/pings.toml", "--dry-run"): (
        r"(?s).*office +paths +from .* kept\nagra +main\.state .*\n1 five-minute roll-ups would be written",
        r"(?s).*कार्यालय +लाइनें +कब से .*\nagra +main\.state .*\nपाँच मिनट के 1 हिसाब लिखे जाएँगे; अभी कुछ नहीं लिखा गया",
    ),
    ("rehearse", "--stop"): ("no rehearsal is going on", "कोई पूर्वाभ्यास नहीं चल रहा"),
}
"""What is typed, and all that is said then, English and Hindi."""


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def place(tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings and people, an open alert and one that is over; no hub runs there."""
    monkeypatch.setattr(enrolling, "APPLIED_WITHIN_S", 0.05)
    made_live(tmp_path, channels=f'hook = "http://127.0.0.1:{hook.port}/to"')
    settings = tmp_path / "tatpar.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + DESK, encoding="utf-8")
    now_ns = time.time_ns()
    (tmp_path / "pings.toml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "pings.csv").write_text(f"t,rtt\n{now_ns // SECOND_NS - 7200},38.2\n", encoding="utf-8")
    over = an_alert("AAAAAA", state=AlertState.RESOLVED, resolved_ns=NOW_NS)
    with closing(StateDb(tmp_path / "data" / "state.db")) as state:
        state.put_alerts([an_alert(), over], [], NOW_NS)
        state.put_silence(
            Silence(id="Q4T9XB", what="all", from_ns=now_ns, until_ns=now_ns + 3600 * SECOND_NS, by="me")
        )
        state.post([a_post("a/b")], NOW_NS)
        state.mark_dead("a/b", "550 no such user", NOW_NS)
    assert typed(tmp_path, "enroll", "agra", "--out", str(tmp_path / "first.toml")).exit_code == 0
    return tmp_path


def typed(place: Path, *words: str) -> Result:
    own = ["--config", str(place / "tatpar.toml"), "--data", str(place / "data")]
    done = CliRunner().invoke(main, [*words, *own])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.mark.parametrize("words", SAID, ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("language", ["en", "hi"])
def test_what_was_done(place: Path, words: tuple[str, ...], language: str) -> None:
    """The deployment's, which is Hindi, and English when asked for; the words that are typed stay in both."""
    asked = ("--lang", "en") if language == "en" else ()
    done = typed(place, *(word.format(place=place) for word in words), *asked)
    lines = [line for line in done.output.strip().splitlines() if "…" not in line]
    told = "\n".join(line.rstrip() for line in lines)
    assert re.fullmatch(SAID[words][language == "hi"], told), told
    assert (DEVANAGARI.search(done.output) is not None) == (language == "hi"), done.output


def test_machines_read_the_same_in_every_language(place: Path) -> None:
    """JSON of an import and of an end of access has its words whatever the language."""
    dry = ("history", "import", str(place / "pings.csv"), "--mapping", str(place / "pings.toml"), "--dry-run")
    found = [typed(place, *dry, "--json", "--lang", language).stdout for language in ("hi", "en")]
    assert found[0] == found[1]
    assert typed(place, "revoke", "agra", "--json").stdout == '["agra/p1"]\n'


def test_a_message_that_does_not_go(place: Path, hook: Receiver) -> None:
    """Hindi says what it means, and keeps what the other side said."""
    hook.answers = [(403, {})]
    done = typed(place, "alerts", "test", "ravi")
    assert done.exit_code == 1
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("tatpar alerts: संदेश नहीं गया: 127.0.0.1:")
    assert "answered 403" in line
