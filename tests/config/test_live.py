"""A running process takes up changed files, refuses wrong ones and keeps the old."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError
from config.live import LiveConfig, ReloadOutcome
from config.load import load_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Write

HEADING = "id,name_en,name_hi,region,lat,lon,status"
AGRA = "agra,Agra,आगरा,braj,27.177,78.008,linked"
MATHURA = "mathura,Mathura,मथुरा,braj,27.492,77.674,linked"
MEETING = (
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:one\nSUMMARY:x\nDTSTART;TZID=Asia/Kolkata:20261124T110000\nDURATION:PT1H\n"
    "ATTENDEE:all\nEND:VEVENT\nEND:VCALENDAR\n"
)
UNCHANGED, CHANGED, REFUSED = ReloadOutcome.UNCHANGED, ReloadOutcome.CHANGED, ReloadOutcome.REFUSED


@pytest.fixture
def settings(write: Write) -> Path:
    """A settings file with offices and a meeting of its own beside it."""
    write("sites.csv", f"{HEADING}\n{AGRA}\n")
    write("meetings/one.ics", MEETING)
    return write("tatpar.toml", "")


def test_nothing_changed_is_unchanged(settings: Path) -> None:
    """Looking again at the same files gives the same object."""
    live = LiveConfig(settings)
    before = live.current
    assert live.refresh().outcome is UNCHANGED
    assert live.current is before


@pytest.mark.parametrize(
    ("name", "text", "seen"),
    [
        ("sites.csv", f"{HEADING}\n{AGRA}\n{MATHURA}\n", lambda config: len(config.registry.sites) == 2),
        (
            "meetings/one.ics",
            MEETING.replace("SUMMARY:x", "SUMMARY:y"),
            lambda config: config.calendar.meetings[0].title == "y",
        ),
        (
            "meetings/two.ics",
            MEETING.replace("UID:one", "UID:two"),
            lambda config: len(config.calendar.meetings) == 2,
        ),
        (
            "tatpar.toml",
            "[watch]\ndark_after_s = 60\n",
            lambda config: config.settings.watch.dark_after_s == 60,
        ),
        (
            "profiles.toml",
            '[[profile]]\nid = "own"\nname_en = "x"\nname_hi = "x"\nrank = 1\nsource = "x"\n[profile.target]\n[profile.alarm]\n',
            lambda config: "own" in config.profiles,
        ),
    ],
)
def test_changed_and_new_files_are_taken_up(
    name: str, text: str, seen: Callable[[object], bool], settings: Path, write: Write
) -> None:
    """A change of any file, and a file that is new beside the settings, is in force after one look."""
    live = LiveConfig(settings)
    assert not seen(live.current)
    write(name, text)
    assert live.refresh().outcome is CHANGED
    assert seen(live.current)
    assert live.refresh().outcome is UNCHANGED


def test_removed_meeting_is_gone(settings: Path) -> None:
    """A removed .ics file takes its meetings with it: the folder is still there."""
    live = LiveConfig(settings)
    (settings.parent / "meetings/one.ics").unlink()
    assert live.refresh().outcome is CHANGED
    assert live.current.calendar.meetings == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sites.csv", f"{HEADING}\n{AGRA}\n{AGRA}\n"),
        ("meetings/one.ics", MEETING.replace("ATTENDEE:all", "ATTENDEE:al")),
        ("tatpar.toml", "[wal]\n"),
        ("profiles.toml", "rank = 1\n"),
    ],
)
def test_wrong_files_are_refused_and_the_old_ones_stay(
    name: str, text: str, settings: Path, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake is told once, by its line; the old configuration stays, and mending it is told once, too."""
    live = LiveConfig(settings)
    before = live.current
    path = settings.parent / name
    right = path.read_text(encoding="utf-8") if path.exists() else None
    with caplog.at_level(logging.INFO, logger="config.live"):
        write(name, text)
        refused = live.refresh()
        assert refused.outcome is REFUSED
        assert isinstance(refused.error, ConfigError)
        assert refused.error.file.name == path.name
        assert live.problem is refused.error
        assert live.current is before
        for _ in range(3):
            assert live.refresh().outcome is UNCHANGED
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert str(refused.error) in caplog.text
        caplog.clear()
        if right is None:
            path.unlink()
        else:
            write(name, right)
        assert live.refresh().outcome is CHANGED
        assert live.problem is None
        assert [record.levelname for record in caplog.records] == ["INFO"]


def test_missing_settings_are_refused_until_they_are_back(settings: Path) -> None:
    """A settings file that an editor replaces by way of a missing one is refused in between."""
    live = LiveConfig(settings)
    settings.rename(settings.with_suffix(".old"))
    assert live.refresh().outcome is REFUSED
    settings.with_suffix(".old").rename(settings)
    assert live.refresh().outcome is CHANGED


def test_another_wrong_change_is_told_again(settings: Path, write: Write) -> None:
    """A second mistake after the first is a change of its own."""
    live = LiveConfig(settings)
    write("tatpar.toml", "[wal]\n")
    first = live.refresh()
    write("tatpar.toml", "[walls]\n")
    second = live.refresh()
    assert (first.outcome, second.outcome) == (REFUSED, REFUSED)
    assert str(first.error) != str(second.error)


def test_sections_marked_restart_keep_their_values(
    settings: Path, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """A changed port waits for a restart and is named; what may change at once does."""
    live = LiveConfig(settings)
    write("tatpar.toml", "[wall]\nport = 9000\n[watch]\ndark_after_s = 60\n")
    found = live.refresh()
    assert (found.outcome, found.restart) == (CHANGED, ("wall",))
    assert live.current.settings.wall.port == 8420
    assert live.current.settings.watch.dark_after_s == 60
    assert "only after a restart: wall" in caplog.text
    write("tatpar.toml", "[wall]\nport = 8420\n[watch]\ndark_after_s = 60\n")
    assert live.refresh().restart == ()


def test_file_of_the_same_size_is_seen_by_its_time(settings: Path, write: Write) -> None:
    """A change that keeps the size is seen."""
    live = LiveConfig(settings)
    path = write("sites.csv", f"{HEADING}\n{AGRA.replace('linked', 'planne')}\n".replace("planne", "linked"))
    os.utime(path, ns=(1, 1))
    assert live.refresh().outcome is CHANGED


def test_wrong_files_at_the_start_are_refused(write: Write) -> None:
    """There is nothing old to keep at the start: the error is raised."""
    with pytest.raises(ConfigError, match=r"tatpar\.toml:1: there is no key or table"):
        LiveConfig(write("tatpar.toml", "[wal]\n"))


def test_extra_meetings_are_read_and_watched(settings: Path, write: Write) -> None:
    """Meetings given by the caller stand beside those of the settings, and are watched like them."""
    extra = write("drills.ics", MEETING.replace("UID:one", "UID:drill"))
    live = LiveConfig(settings, extra_meetings=[extra])
    assert [meeting.uid for meeting in live.current.calendar.meetings] == ["one", "drill"]
    write("drills.ics", MEETING.replace("UID:one", "UID:exercise"))
    assert live.refresh().outcome is CHANGED
    assert [meeting.uid for meeting in live.current.calendar.meetings] == ["one", "exercise"]


def test_extra_meetings_of_the_settings_are_relative_to_them(settings: Path, write: Write) -> None:
    """`files.extra_meetings` names files beside the settings."""
    write("more/drills.ics", MEETING.replace("UID:one", "UID:drill"))
    write("tatpar.toml", '[files]\nextra_meetings = ["more"]\n')
    assert [meeting.uid for meeting in load_config(settings).calendar.meetings] == ["one", "drill"]


def test_who_asks_while_another_is_at_it_is_not_kept_waiting(
    settings: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one thread loads, another is told `unchanged` at once, and the files are loaded only once."""
    live = LiveConfig(settings)
    loading, go_on, loads = threading.Event(), threading.Event(), []

    def slow(*arguments: object, **more: object) -> object:
        loads.append(arguments)
        loading.set()
        assert go_on.wait(60)
        return load_config(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("config.live.load_config", slow)
    write("tatpar.toml", "[watch]\ndark_after_s = 60\n")
    outcomes: list[ReloadOutcome] = []
    other = threading.Thread(target=lambda: outcomes.append(live.refresh().outcome))
    other.start()
    assert loading.wait(60)
    assert live.refresh().outcome is UNCHANGED
    go_on.set()
    other.join(60)
    assert outcomes == [CHANGED]
    assert len(loads) == 1
    assert live.refresh().outcome is UNCHANGED


def test_a_file_in_use_that_is_gone_is_refused(tmp_path: Path) -> None:
    """Deleting the operator's sites or meetings keeps what is in force: the built-in ones never slip in while running."""
    (tmp_path / "meetings").mkdir()
    (tmp_path / "tatpar.toml").write_text("", encoding="utf-8")
    sites = tmp_path / "sites.csv"
    text = "id,name_en,name_hi,region,lat,lon,status\nagra,Agra,आगरा,braj,27.18,78.01,linked\n"
    sites.write_text(text, encoding="utf-8")
    live = LiveConfig(tmp_path / "tatpar.toml")
    sites.unlink()
    refused = live.refresh()
    assert refused.outcome is ReloadOutcome.REFUSED
    assert (
        str(refused.error)
        == f"{sites}: it was in use and is gone; put it back; without it only after a restart"
    )
    assert list(live.current.registry.by_id) == ["agra"]
    sites.write_text(text.replace("Agra", "Agra again"), encoding="utf-8")
    assert live.refresh().outcome is ReloadOutcome.CHANGED
    assert live.current.registry.by_id["agra"].name_en == "Agra again"


def test_a_young_change_that_a_room_fails_over_is_put_back(write: Write) -> None:
    """A change taken up seconds ago is undone and explained; an old one, and one undone already, stays."""
    now_s = 100.0
    file = write("tatpar.toml", "[watch]\ndark_after_s = 60\n")
    live = LiveConfig(file, monotonic=lambda: now_s)
    assert not live.put_back("watch: nothing was changed")
    write("tatpar.toml", "[watch]\ndark_after_s = 61.5\n")
    assert live.refresh().outcome is ReloadOutcome.CHANGED
    assert live.put_back("watch: OverflowError: too much")
    assert live.current.settings.watch.dark_after_s == 60
    assert "tatpar.toml: a room cannot work with it (watch: OverflowError: too much); undo" in str(
        live.problem
    )
    assert live.refresh().outcome is ReloadOutcome.UNCHANGED
    assert not live.put_back("watch: again")

    write("tatpar.toml", "[watch]\ndark_after_s = 62.25\n")
    assert live.refresh().outcome is ReloadOutcome.CHANGED
    assert live.problem is None
    now_s += 31
    assert not live.put_back("watch: something else")
    assert live.current.settings.watch.dark_after_s == 62.25
