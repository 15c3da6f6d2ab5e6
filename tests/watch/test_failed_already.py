"""What `tatpar ready` says of a meeting that runs: the verdict is about the rest, and who has failed it whatever comes is named."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from tatpar.__main__ import main
from tatpar.verdicts.underway import failed_already, failing
from telemetry.decisions import OutcomeState
from telemetry.messages import Stream
from telemetry.store.errors import StoreError
from telemetry.store.protocol import Received
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conftest import Town


@pytest.fixture
def underway(town: Town) -> Town:
    """Two minutes into a meeting of twelve: agra lost its first minute and has been well for the second; 3 of 48 windows are too many."""
    town.meet(town.meeting("review", 0.0, minutes=12))
    town.break_line("agra", up=0.2)
    town.play(60)
    town.heal("agra")
    town.play(60)
    return town


def ask(town: Town, monkeypatch: pytest.MonkeyPatch, *more: str) -> Result:
    """The command at the town's own time."""
    monkeypatch.setattr("tatpar.commands.ready.time", SimpleNamespace(time_ns=lambda: town.now_ns))
    at = ["--config", str(town.folder / "tatpar.toml"), "--data", str(town.folder)]
    return CliRunner().invoke(main, ["ready", *at, *more])


def ready(town: Town, monkeypatch: pytest.MonkeyPatch, *more: str) -> str:
    """What it prints."""
    return ask(town, monkeypatch, *more).stdout.replace("\u00a0", " ")


def test_who_has_failed_a_running_meeting_is_named(underway: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name under the heading, and with how much of the meeting that was in its own row."""
    text = ready(underway, monkeypatch, "--lang", "en")
    assert "runs until 11:42, the verdict is about what is left" in text.splitlines()[0]
    assert "  1 office has failed it already, whatever comes: Agra\n" in text
    row = next(line for line in text.splitlines() if line.startswith("  Agra"))
    assert "has failed it already: 8.3 % of the meeting was below what the call needs" in row
    assert text.count("has failed it already") == 2
    found = json.loads(ready(underway, monkeypatch, "--json"))["occurrences"][0]["failed_already"]
    assert found == [{"site": "agra", "broken": 4, "windows": 48}]


def test_the_wall_asks_the_same_of_whatever_runs(underway: Town) -> None:
    """By the calendar that stands at the time; before the meeting and after it nobody has failed one that runs."""
    ask = failing(underway.live, underway.folder, underway.state)
    ((key, found),) = ask(underway.now_ns).items()
    assert key[0].startswith("review")
    assert {site: (one.broken, one.windows) for site, one in found.items()} == {"agra": (4, 48)}
    assert ask(underway.t0 - HOUR_NS) == {}
    assert ask(underway.t0 + 12 * MINUTE_NS) == {}


def test_it_is_said_in_hindi(underway: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sentences, and the row."""
    text = ready(underway, monkeypatch, "--lang", "hi")
    assert "11:42 बजे तक चलेगी, नीचे की स्थिति बचे हुए समय की है" in text
    assert "1 कार्यालय में मीटिंग नहीं चली, यह अभी से तय है: आगरा" in text
    assert "मीटिंग नहीं चली, यह तय है: पूरी मीटिंग के 8.3 % समय में लाइन ज़रूरत से कम थी" in text


def test_what_may_still_turn_is_not_said(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two broken windows of 48 may be held yet, and of a meeting that has not begun nobody has failed anything."""
    town.meet(town.meeting("review", 0.0, minutes=12), town.meeting("later", 1.0))
    town.break_line("agra", up=0.2)
    town.play(30)
    town.heal("agra")
    town.play(60)
    text = ready(town, monkeypatch, "--lang", "en")
    assert "has failed it already" not in text
    assert text.count("the verdict is about what is left") == 1


def second_probe(
    town: Town, starts: Iterable[int], like: str = "meerut", received_ns: int | None = None
) -> None:
    """Agra's second line, as good as the one of another office, has a probe of its own; its windows come now, or came then."""
    reports = []
    for start_ns in starts:
        made = town.envelope(like, start_ns)
        items = tuple(
            structs.replace(one, path="backup.state")
            for one in made.items
            if isinstance(one, Stream) and one.path == "main.state"
        )
        mine = structs.replace(made, site="agra", probe="p2", epoch="00000000feedbeef", items=items)
        reports.append(Received(envelope=mine, received_ns=received_ns or town.now_ns))
    town.store.append(reports)


def failed(town: Town) -> set[str]:
    """Who has failed the meeting that runs."""
    config = town.live.current
    running = config.calendar.occurrences(town.now_ns, town.now_ns + SECOND_NS)
    (found,) = failed_already(config, town.folder, town.state, running, town.now_ns).values()
    return set(found)


def test_a_better_line_whose_windows_come_late_is_waited_for(underway: Town) -> None:
    """The second line reported until the meeting began; what it measured since may come yet. Nor is the first outcome *failed*, and it turns."""
    before = range(underway.t0 - HOUR_NS, underway.t0, WINDOW_NS)
    assert failed(underway) == {"agra"}
    second_probe(underway, before, received_ns=underway.t0)
    assert failed(underway) == set()
    underway.play(11 * 60)
    assert underway.watch.settle(underway.now_ns) == 1
    (first,) = [one for one in underway.state.outcomes(0, 2**62) if one.site == "agra"]
    assert (first.state, first.broken) == (OutcomeState.UNSETTLED, 4)
    second_probe(underway, range(underway.t0, underway.t0 + 12 * MINUTE_NS, WINDOW_NS))
    underway.watch.settle(underway.now_ns + HOUR_NS)
    (last,) = [one for one in underway.state.outcomes(0, 2**62) if one.site == "agra"]
    assert (last.state, last.broken) == (OutcomeState.HELD, 0)


def test_who_has_failed_on_both_lines_has_failed(underway: Town) -> None:
    """The second line's first minute came late, and was no better."""
    second_probe(underway, range(underway.t0 - HOUR_NS, underway.t0, WINDOW_NS), received_ns=underway.t0)
    second_probe(underway, range(underway.t0, underway.t0 + MINUTE_NS, WINDOW_NS), like="agra")
    assert failed(underway) == {"agra"}


@pytest.mark.parametrize(("days", "names"), [(0.9, set()), (1.1, {"agra"})])
def test_a_line_that_has_been_silent_for_a_day_is_gone(underway: Town, days: float, names: set[str]) -> None:
    """So long an outcome waits for what is late; of a second line that was given up nothing is waited for."""
    last_ns = window_start(underway.t0 - round(days * DAY_NS))
    second_probe(underway, [last_ns], received_ns=last_ns + WINDOW_NS)
    assert failed(underway) == names


def test_a_line_to_another_end_turns_nothing(underway: Town) -> None:
    """Nor does another office's: the meeting is at the state's headquarters, and agra is alone on its lines."""
    assert {"main.national"} < set(underway.reader.latest().paths)
    assert failed(underway) == {"agra"}


def test_nobody_has_failed_where_nothing_is_stored(underway: Town) -> None:
    """A folder without a store is no fault of an office."""
    config = underway.live.current
    running = config.calendar.occurrences(underway.now_ns, underway.now_ns + SECOND_NS)
    assert running
    nowhere = underway.folder / "nowhere"
    assert failed_already(config, nowhere, underway.state, running, underway.now_ns) == {}


def test_where_it_cannot_be_known_nobody_is_said_to_have_held(
    underway: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that cannot be read is told beside the verdicts; for a program an empty list would say that nobody has failed."""

    def unreadable(*_: object) -> None:
        raise StoreError("reports.db is no store")

    monkeypatch.setattr("tatpar.verdicts.underway.open_reader", unreadable)
    done = ask(underway, monkeypatch, "--lang", "en")
    assert done.stderr == "Who has failed a running meeting is not known: reports.db is no store\n"
    assert "यह पता नहीं: reports.db" in ask(underway, monkeypatch, "--lang", "hi").stderr
    assert "the verdict is about what is left" in done.stdout
    running, *later = json.loads(ready(underway, monkeypatch, "--json"))["occurrences"]
    assert running["failed_already"] is None
    assert [each["failed_already"] for each in later] == [[]] * len(later)
