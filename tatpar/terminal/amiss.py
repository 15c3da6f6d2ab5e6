"""The mistakes that are made most, in the reader's language: a folder, an office or a meeting that is not there.

What is wrong in a file, and a value that an option cannot take, is told in English (`config.errors`, click).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from tatpar.terminal.options import wrong_input
from telemetry.state.file import STATE_FILE
from telemetry.visible import visible

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from config.config import Config

STORE_FILE: Final = "reports.db"


def no_office(config: Config, option: str, site: str, language: str) -> NoReturn:
    """End the command: the office that an option names is not listed."""
    instead = instead_of(site, config.registry.by_id, language)
    wrong_input(_say(language, "office", option=option, word=visible(site), instead=instead))


def no_region(config: Config, option: str, region: str, language: str) -> NoReturn:
    """End the command: the region that an option names is none of the settings."""
    instead = instead_of(region, config.regions, language)
    wrong_input(_say(language, "region", option=option, word=visible(region), instead=instead))


def unlisted(config: Config, site: str, language: str) -> NoReturn:
    """End the command: the office that it is told to deal with is not listed."""
    told = {"where": str(config.sources.sites), "instead": instead_of(site, config.registry.by_id, language)}
    wrong_input(_say(language, "office_in", word=visible(site), **told))


def no_uid(config: Config, uid: str, language: str) -> NoReturn:
    """End the command: the calendar has no meeting of that UID; all are named, for nobody knows them by heart."""
    known = [meeting.uid for meeting in config.calendar.meetings]
    instead = _one_of_all(known, language) if known else _say(language, "no_meeting_at_all")
    wrong_input(_say(language, "uid", option="--meeting", word=visible(uid), instead=instead))


def no_meeting(config: Config, uid: str, language: str) -> NoReturn:
    """Likewise, where the nearest is told."""
    known = [meeting.uid for meeting in config.calendar.meetings]
    instead = instead_of(uid, known, language) if known else _say(language, "no_meeting_at_all")
    wrong_input(_say(language, "meeting", option="--meeting", word=visible(uid), instead=instead))


def not_coming(uid: str, known: Collection[str], days: int, language: str) -> NoReturn:
    """End the command: no such meeting takes place so soon; the nearest of the known, or all, the next one first."""
    from config.text import nearest  # noqa: PLC0415 - keeps --help fast

    close = nearest(uid, known)
    if close is not None:
        instead = _say(language, "write", word=close)
    else:
        instead = _one_of_all(known, language) if known else _say(language, "none_coming")
    told = {"option": "--meeting", "word": visible(uid), "instead": instead}
    wrong_input(_say(language, "coming", days=days, **told))


def instead_of(word: str, known: Collection[str], language: str) -> str:
    """What to write instead of an unknown word: the nearest known one, else all of them (at most ten)."""
    from config.text import meant  # noqa: PLC0415 - keeps --help fast

    close, shown = meant(word, known)
    if close is not None:
        return _say(language, "write", word=close)
    return _say(language, "write_one", words=shown)


def existing_folder(data_dir: Path, language: str) -> None:
    """For a command that only reads: a folder that is not there is a slip of the pen."""
    if not data_dir.is_dir():
        wrong_input(_say(language, "folder", where=str(data_dir)))


def no_store(data_dir: Path, language: str) -> str:
    """What to say of a folder that has no report store."""
    return still_beginning(data_dir, language) or _say(language, "store", where=str(data_dir))


def no_state(data_dir: Path, language: str) -> str:
    """What to say of a folder that has no state database, where one of a running Tatpar is meant."""
    return still_beginning(data_dir, language) or _say(language, "state", where=str(data_dir / STATE_FILE))


def nothing_decided(data_dir: Path, language: str) -> str:
    """What to say of it where a watch is to be started."""
    return still_beginning(data_dir, language) or _say(language, "decided", where=str(data_dir / STATE_FILE))


def never_looked(data_dir: Path, language: str) -> str:
    """What to say of it where other parts have been at work and a watch never was."""
    return still_beginning(data_dir, language) or _say(language, "never_looked", where=str(data_dir))


def no_verdicts(strange: str | None, language: str) -> str:
    """What to say where no meeting of the settings has a verdict; `strange`: the UID of one that has, and is none of theirs."""
    if strange is None:
        return _say(language, "no_verdicts")
    return _say(language, "other_meetings", meeting=visible(strange))


def still_beginning(data_dir: Path, language: str) -> str:
    """What to say while `tatpar up` makes the emulated past of a new folder and nothing else is there yet; else empty."""
    if (data_dir / STORE_FILE).exists() or not (data_dir / "making-past").is_dir():
        return ""
    import fcntl  # noqa: PLC0415 - keeps --help fast

    try:
        with (data_dir / "up.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:  # it is at work
        return _say(language, "making_past", where=str(data_dir))
    except OSError:
        return ""
    return ""


def _one_of_all(known: Collection[str], language: str) -> str:
    return _say(language, "write_one", words=", ".join(known))


def _say(language: str, key: str, **values: Any) -> str:  # noqa: ANN401 - as `say` takes them
    from telemetry.words import say  # noqa: PLC0415 - keeps --help fast

    return say(language, f"amiss.{key}", **values)
