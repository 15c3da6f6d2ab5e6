"""`tatpar gaps` of a store whose every gap is known: in words, as JSON, for scripts, and what is wrong in one line."""

from __future__ import annotations

import contextlib
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from config.load import load_config
from tatpar.__main__ import main
from tatpar.gaps.missing import find
from tatpar.gaps.words import lines
from tatpar.terminal.spans import NoSuchSpanError, begin_of
from telemetry.messages import Tombstone
from telemetry.store.protocol import Received
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import HOUR_NS, LATE_NS, SECOND_NS, WINDOW_NS, window_start
from tests.reported import envelope_of

if TYPE_CHECKING:
    from pathlib import Path

SITES = """id,name_en,name_hi,region,lat,lon,status
agra,Agra,आगरा,braj,27.18,78.02,linked
meerut,Meerut,मेरठ,west,28.98,77.71,linked
etah,Etah,एटा,braj,27.56,78.66,linked
unnao,Unnao,उन्नाव,awadh,26.55,80.49,planned
"""
PAST = 480
"""Windows of the past two hours, up to a minute ago."""
OFF, LOST, DROPPED = range(60, 100), range(150, 170), range(300, 305)
DARK = range(400, PAST)


def report(site: str, seq: int, start_ns: int, *items: Any) -> Received:
    return Received(envelope_of(site, seq, start_ns, *items), start_ns + WINDOW_NS + LATE_NS + SECOND_NS)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Agra was off, lost reports, dropped some; Meerut is dark for twenty minutes; Etah never spoke."""
    folder = tmp_path_factory.mktemp("town")
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "meetings").mkdir()
    (folder / "tatpar.toml").write_text("", encoding="utf-8")
    t0 = window_start(time.time_ns()) - (PAST + 4) * WINDOW_NS
    agra, seq = [], 0
    for window in range(PAST + 4):
        seq += window not in OFF
        start_ns = t0 + window * WINDOW_NS
        stone = Tombstone(
            first_seq=seq - len(DROPPED),
            last_seq=seq - 1,
            from_ns=start_ns - len(DROPPED) * WINDOW_NS,
            until_ns=start_ns,
            reason="spool full",
        )
        if window not in (*OFF, *LOST, *DROPPED):
            agra.append(report("agra", seq, start_ns, *([stone] if window == DROPPED.stop else [])))
    meerut = [report("meerut", n + 1, t0 + n * WINDOW_NS) for n in range(DARK.start)]
    with contextlib.closing(SqliteStore(folder / "reports.db")) as store:
        store.append(agra)
        store.append(meerut)
    return folder


def call(town: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        main, ["gaps", "--config", str(town / "tatpar.toml"), "--data", str(town), *arguments]
    )


def test_every_gap_is_told_worst_first(town: Path) -> None:
    """Never spoke, dark since, off, lost, dropped: each a line with its length, in plain words."""
    done = call(town, "--since", "3h", "--lang", "en")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    rows = lines[3:]
    assert "20 lost on the way, 5 dropped by probes" in lines[0]
    assert [row.split()[0] for row in rows[:3]] == ["Etah", "Meerut", "Agra"]
    assert "has never sent a report" in rows[0]
    assert "still so" in rows[1]
    assert "20\u00a0min" in rows[1]
    (lost,) = [row for row in rows if "have not arrived; they may still come (numbers 111–130" in row]
    assert "5\u00a0min" in lost
    (dropped,) = [row for row in rows if "5 reports were dropped by the probe: spool full" in row]
    assert dropped.startswith("Agra")
    durations = [row for row in rows if "10\u00a0min" in row]
    assert len(durations) == 1, "off for forty windows"


def test_a_gap_that_has_just_ended_is_over(town: Path, tmp_path: Path) -> None:
    """A report of the last minute, whose windows are not counted yet, ends the silence before it."""
    now = window_start(time.time_ns())
    with contextlib.closing(SqliteStore(tmp_path / "reports.db")) as store:
        past = [report("agra", n + 1, now - (60 - n) * WINDOW_NS) for n in range(40)]
        store.append([*past, *(report("agra", 41 + n, now - (3 - n) * WINDOW_NS) for n in range(3))])
    command = [
        "gaps",
        "--config",
        str(town / "tatpar.toml"),
        "--data",
        str(tmp_path),
        "--site",
        "agra",
        "--json",
    ]
    (gap,) = json.loads(CliRunner().invoke(main, command).stdout)["gaps"]
    assert (gap["lasts"], _ns(gap["until"])) == (False, now - 3 * WINDOW_NS)


def test_reports_that_are_no_windows_of_the_span_are_accounted_for(town: Path, tmp_path: Path) -> None:
    """Two lost twice, of which two are of the last minute: the list and the sum above it say so; next to nothing is not 0 %."""
    now = window_start(time.time_ns())
    long_ago = report("agra", 1, now - 8 * 24 * HOUR_NS)
    with contextlib.closing(SqliteStore(tmp_path / "reports.db")) as store:
        store.append([long_ago])
        live = ((2, 9), (5, 6), (6, 5), (9, 2))  # number, windows ago: 3, 4 and 7, 8 are lost
        store.append([report("agra", seq, now - ago * WINDOW_NS) for seq, ago in live])
    config, zone = load_config(town / "tatpar.toml"), ZoneInfo("Asia/Kolkata")
    with contextlib.closing(SqliteStore(tmp_path / "reports.db")) as store:
        missing = find(store, ["agra"], now - 9 * 24 * HOUR_NS, now)
    first, second, *_ = lines(config, missing, "en", zone)
    assert "<\u00a00.01\u00a0% of" in first
    assert "; 2 lost on the way" in first
    assert "The list has 4 lost and 0 dropped reports. Above, windows are counted" in second
    assert "सूची में 4 छूटी" in lines(config, missing, "hi", zone)[1]


def test_sums_that_agree_need_no_words(town: Path) -> None:
    """As they do as a rule."""
    assert "The list has" not in call(town, "--since", "3h", "--lang", "en").output


def test_hindi_is_whole(town: Path) -> None:
    """The deployment's own language comes without asking."""
    done = call(town, "--since", "3h")
    assert "आगरा" in done.output
    assert "5 रिपोर्टें जाँच यंत्र ने छोड़ीं: spool full" in done.output
    assert "no report" not in done.output


def test_json_has_exact_figures(town: Path) -> None:
    """Counts of windows by what became of them, times in UTC, what lasts; what nobody knows is not there."""
    done = call(town, "--since", "3h", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    agra, meerut = found["sites"]
    until_ns = _ns(found["until"])
    assert agra["windows_never_measured"] == len(OFF)
    assert (agra["windows_lost"], agra["windows_dropped"]) == (len(LOST), len(DROPPED))
    missing = len(OFF) + len(LOST) + len(DROPPED)
    assert agra["completeness_ratio"] == 1 - missing / agra["windows_expected"]
    assert meerut["windows_expected"] == agra["windows_expected"]
    assert found["windows_stored"] == agra["windows_stored"] + meerut["windows_stored"]
    assert {gap["site"] for gap in found["gaps"]} == {"agra", "meerut", "etah"}
    (dark,) = [gap for gap in found["gaps"] if gap["site"] == "meerut"]
    assert (dark["kind"], dark["lasts"], "until" in dark) == ("silent", True, False)
    assert dark["windows"] == (until_ns - _ns(dark["from"])) // WINDOW_NS
    (lost,) = [gap for gap in found["gaps"] if gap["kind"] == "lost"]
    assert (lost["first_seq"], lost["last_seq"], "from" in lost) == (111, 130, False)
    assert "noticed" in lost


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 10**9


@pytest.mark.parametrize(("require", "status"), [("0.5", 0), ("0.99", 3)], ids=["enough", "too-little"])
def test_scripts_say_how_much_must_be_there(town: Path, require: str, status: int) -> None:
    """Status 3 below the share that is required; without one, 0 whatever is missing."""
    spoken = ("--site", "agra", "--site", "meerut")
    assert call(town, "--since", "3h", *spoken, "--require", require, "--json").exit_code == status


def test_a_share_that_is_no_number_is_refused(town: Path) -> None:
    """`nan` is in no range, though no comparison says so."""
    done = call(town, "--require", "nan")
    assert done.exit_code == 2
    assert "'--require': nan is no number; write one in the range" in done.output


def test_an_office_that_never_reported_is_never_enough(town: Path) -> None:
    """No share counts it, so no share that is required is reached while it is among those asked for."""
    assert call(town, "--since", "3h", "--require", "0", "--json").exit_code == 3
    assert call(town, "--since", "3h", "--site", "etah", "--require", "0", "--json").exit_code == 3


def test_one_office_alone(town: Path) -> None:
    """Only what was asked for is read and told."""
    done = call(town, "--since", "3h", "--site", "meerut", "--json")
    found = json.loads(done.stdout)
    assert [one["site"] for one in found["sites"]] == ["meerut"]
    assert {gap["site"] for gap in found["gaps"]} == {"meerut"}


def test_nothing_missing_says_so(town: Path) -> None:
    """A quiet span of a sound office: whole, and nothing below it."""
    done = call(town, "--since", "20m", "--site", "agra", "--lang", "en")
    assert done.exit_code == 0
    assert "100\u00a0% of" in done.output
    assert done.stdout.splitlines()[-1] == "Nothing is missing."


def test_a_probes_words_do_not_rule_the_terminal(tmp_path: Path, town: Path) -> None:
    """The reason in a tombstone is a stranger's text: escapes are shown as dots, numbers of any size are told."""
    t0 = window_start(time.time_ns()) - 40 * WINDOW_NS
    stone = Tombstone(
        first_seq=1, last_seq=2**53 - 9, from_ns=0, until_ns=2**63 - 1, reason="\x1b[2Jspool\r\nfull"
    )
    with contextlib.closing(SqliteStore(tmp_path / "reports.db")) as store:
        store.append([report("agra", 2**53 - 5, t0, stone)])
    for language in ([], ["--lang", "en"], ["--json"]):
        done = CliRunner().invoke(
            main, ["gaps", "--config", str(town / "tatpar.toml"), "--data", str(tmp_path), *language]
        )
        assert done.exit_code == 0, done.output
        assert "\x1b" not in done.output
    assert json.loads(done.stdout)["windows_dropped"] > 0
    assert "·[2Jspool··full" in call_on(town, tmp_path)


def call_on(town: Path, data: Path) -> str:
    command = ["gaps", "--config", str(town / "tatpar.toml"), "--data", str(data), "--lang", "en"]
    return CliRunner().invoke(main, command).output


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--since", "yesterday"], "--since: 'yesterday' is no span of time; write 90m, 24h"),
        (["--since", "2999-01-01"], "--since: '2999-01-01' does not lie in the past; write 90m"),
        (["--since", "0h"], "--since: '0h' does not lie in the past"),
        (["--site", "agara"], "--site: there is no office 'agara'; write \"agra\""),
        (["--site", "unnao"], "--site: unnao is planned and sends nothing; name one that is linked"),
    ],
)
def test_what_is_wrong_gets_one_line(town: Path, arguments: list[str], line: str) -> None:
    """Status 2, where, what, and what to write instead."""
    done = call(town, *arguments, "--lang", "en")
    assert done.exit_code == 2
    assert done.output.startswith(line)
    assert len(done.output.splitlines()) == 1


def test_a_folder_without_a_store_is_explained(tmp_path: Path) -> None:
    """Looking makes no store."""
    done = CliRunner().invoke(main, ["gaps", "--data", str(tmp_path), "--lang", "en"])
    assert done.exit_code == 2
    assert "no store there" in done.output
    assert not list(tmp_path.iterdir())


def test_spans_are_read_in_the_zone_of_the_deployment() -> None:
    """A day begins at local midnight; a time with an offset keeps it; a leap of nonsense is told."""
    zone, now_ns = ZoneInfo("Asia/Kolkata"), int(datetime(2026, 11, 25, tzinfo=UTC).timestamp()) * 10**9
    assert begin_of("24h", now_ns, zone) == now_ns - 24 * HOUR_NS
    assert begin_of("2w", now_ns, zone) == now_ns - 14 * 24 * HOUR_NS
    midnight = int(datetime(2026, 11, 23, 18, 30, tzinfo=UTC).timestamp()) * 10**9
    assert begin_of("2026-11-24", now_ns, zone) == midnight
    assert begin_of("2026-11-23T18:30:00Z", now_ns, zone) == midnight
    for text in ("", "24", "h", "24 hours ago", "-3h", "2026-13-01"):
        with pytest.raises(NoSuchSpanError):
            begin_of(text, now_ns, zone)
