"""The mistakes that are made most, each one line in the deployment's language, or in English when asked."""

from __future__ import annotations

import fcntl
import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from collector.enrolment.doorkeeper import FOLDER
from tatpar.__main__ import main
from telemetry.state.db import StateDb
from telemetry.store.open import open_writer
from tests.alerts.parts import NOW_NS, an_alert, made_live

if TYPE_CHECKING:
    from pathlib import Path

DEVANAGARI = re.compile("[\u0900-\u097f]")
SITE_EN, SITE_HI = (
    "--site: there is no office 'agar'; write \"agra\"",
    "--site: 'agar' नाम का कोई कार्यालय नहीं है; \"agra\" लिखें",
)
MEETING_EN, MEETING_HI = (
    "--meeting: no meeting has the UID 'x'; write one of: review",
    "--meeting: UID 'x' की कोई मीटिंग नहीं है; इनमें से एक लिखें: review",
)
REGION_EN, REGION_HI = (
    '--region: there is no region "brij"; write "braj"',
    '--region: "brij" नाम का कोई क्षेत्र नहीं है; "braj" लिखें',
)
NAMES = {
    ("gaps", "--site", "agar"): (SITE_EN, SITE_HI),
    ("changes", "--site", "agar"): (SITE_EN, SITE_HI),
    ("backtest", "--site", "agar"): (SITE_EN, SITE_HI),
    ("store", "export", "{place}/out", "--site", "agar"): (SITE_EN, SITE_HI),
    ("sites", "--region", "brij"): (REGION_EN, REGION_HI),
    ("backtest", "--region", "brij"): (REGION_EN, REGION_HI),
    ("report", "weekly", "--region", "brij"): (REGION_EN, REGION_HI),
    ("ready", "--meeting", "x"): (MEETING_EN, MEETING_HI),
    ("ready", "--at", "11:00", "--meeting", "x"): (MEETING_EN, MEETING_HI),
    ("backtest", "--meeting", "x"): (MEETING_EN, MEETING_HI),
    ("report", "digest", "--meeting", "x"): (
        '--meeting: there is no meeting "x"; write "review"',
        '--meeting: "x" नाम की कोई मीटिंग नहीं है; "review" लिखें',
    ),
    ("rehearse", "--meeting", "x"): (
        "--meeting: no meeting 'x' in the next 60 days; nothing is in the calendar then; see: tatpar meetings --check",
        "--meeting: अगले 60 दिनों में 'x' नाम की कोई मीटिंग नहीं है; तब तक कैलेंडर में कुछ नहीं है; देखें: tatpar meetings --check",
    ),
    ("enroll", "agar"): (
        "there is no office 'agar' in {place}/sites.csv; write \"agra\"",
        "{place}/sites.csv में 'agar' नाम का कोई कार्यालय नहीं है; \"agra\" लिखें",
    ),
    ("enroll", "agra", "--rotate"): (
        "agra/p1 is not enrolled; tatpar enroll agra",
        "agra/p1 दर्ज नहीं है; दर्ज करें: tatpar enroll agra",
    ),
    ("revoke", "agra"): (
        "agra has no credentials that could be ended; see: tatpar enroll list",
        "agra: हटाने के लिए कोई दर्ज जाँच यंत्र नहीं है; देखें: tatpar enroll list",
    ),
    ("alerts", "ack", "XXXXXX", "--by", "me"): (
        "there is no alert XXXXXX; see: tatpar alerts list --open",
        "XXXXXX नाम की कोई चेतावनी नहीं है; देखें: tatpar alerts list --open",
    ),
    ("alerts", "silence", "site:agar", "--for", "1h", "--by", "me"): (
        'there is no site "agar"; write "agra"',
        'site "agar" नहीं है; "agra" लिखें',
    ),
    ("alerts", "test", "ravy"): (
        'there is nobody "ravy"; write "ravi", or a mail address',
        '"ravy" नाम का कोई व्यक्ति नहीं है; "ravi" लिखें, या मेल का पता',
    ),
}
"""What is typed, and the line that is said then, English and Hindi."""
NO_STORE = (
    ("gaps",),
    ("changes", "--site", "agra"),
    ("backtest",),
    ("report", "weekly"),
    ("store", "export", "{place}/out"),
)
NO_STATE = (("refused",), ("alerts", "list"), ("alerts", "silences"), ("alerts", "unsilence", "Q4T9XB"))
NOTHING_DECIDED = (
    ("ready",),
    ("flags",),
    ("incidents",),
    ("report", "digest", "--meeting", "review", "--at", "2026-11-24T11:00"),
)
NO_FOLDER = (("store", "backup", "{place}/out"), ("store", "verify"), ("store", "prune"), ("backtest",))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Settings, offices and people, without a data folder."""
    made_live(tmp_path)
    return tmp_path


def told(place: Path, words: tuple[str, ...], *more: str) -> str:
    """The last line on standard error of a command that does not do it."""
    own = ["--config", str(place / "tatpar.toml"), "--data", str(place / "data")]
    done = CliRunner().invoke(main, [*(word.format(place=place) for word in words), *own, *more])
    assert isinstance(done.exception, SystemExit), done.output
    assert done.exit_code in {1, 2}, done.output
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("words", NAMES, ids=" ".join)
def test_a_name_that_is_not_there(place: Path, words: tuple[str, ...]) -> None:
    """Hindi, since the deployment's is, and English when asked for; the same names, options and commands in both."""
    (place / "data").mkdir()
    with closing(StateDb(place / "data" / "state.db")) as state:
        state.put_alerts([an_alert()], [], NOW_NS)
    open_writer(made_live(place).current.settings.store, place / "data").close()
    english, hindi = (line.format(place=place) for line in NAMES[words])
    assert told(place, words, "--lang", "en") == english
    assert told(place, words) == hindi


@pytest.mark.parametrize(
    ("commands", "english", "hindi"),
    [
        (NO_STORE, "{data}: no store there; ", "{data}: वहाँ कोई स्टोर नहीं है; "),
        (
            NO_STATE,
            "{data}/state.db: no such file; name ",
            "{data}/state.db: ऐसी कोई फ़ाइल नहीं है; --data से चालू ",
        ),
        (
            NOTHING_DECIDED,
            "{data}/state.db: no such file; start ",
            "{data}/state.db: ऐसी कोई फ़ाइल नहीं है; `tatpar up` ",
        ),
    ],
    ids=["no store", "no state", "nothing decided"],
)
def test_a_folder_in_which_nothing_is(
    place: Path, commands: tuple[tuple[str, ...], ...], english: str, hindi: str
) -> None:
    """What is missing there, and what to name or to start; while its past is being made, that."""
    data = place / "data"
    (data / "making-past").mkdir(parents=True)
    for words in commands:
        assert told(place, words, "--lang", "en").startswith(english.format(data=data)), words
        assert told(place, words).startswith(hindi.format(data=data)), words
    with (data / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in commands:
            assert "लैब का इतिहास बना रहा है" in told(place, words)
            assert not DEVANAGARI.search(told(place, words, "--lang", "en"))


def test_a_folder_that_is_not_there(place: Path) -> None:
    """Of a command that only reads: to name another, or to make it."""
    for words in NO_FOLDER:
        assert told(place, words, "--lang", "en").startswith(f"{place}/data: no such folder; name "), words
        assert told(place, words).startswith(f"{place}/data: ऐसा कोई फ़ोल्डर नहीं है; --data से "), words


def test_somebody_who_may_not(place: Path) -> None:
    """Whoever may not read the hub's identity cannot enrol or revoke, and is told so in Hindi too."""
    (place / "data").mkdir()
    (place / "data" / FOLDER).write_text("no folder to read", encoding="utf-8")
    assert told(place, ("revoke", "agra"), "--lang", "en").endswith("read the hub's identity can do this")
    assert told(place, ("revoke", "agra")).endswith("जिसे हब की पहचान पढ़ने की अनुमति है")
