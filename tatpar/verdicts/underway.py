"""Who has failed a meeting that still runs: its verdict is about what is left of it, and says nothing of what it has lost.

An office that was away for the first third of a meeting and is well again reads *ready* (decision 207), which is what can still be
acted on. That it will not have held the meeting, whatever comes, is told beside it.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from tatpar.watching.settling import settle_occurrence
from telemetry.decisions import OutcomeState
from telemetry.store.open import open_reader, store_file
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from config.config import Config
    from config.live import LiveConfig
    from config.meetings import Occurrence
    from telemetry.decisions import Outcome
    from telemetry.state.db import StateDb

Failures = dict[tuple[str, int], dict[str, "Outcome"]]
"""By occurrence (UID, RECURRENCE-ID) that runs, of each office that has failed it the outcome so far; one that nothing is known of is left out."""


def is_underway(occurrence: Occurrence, now_ns: int) -> bool:
    """Whether it has begun and is not over."""
    return occurrence.starts_ns <= now_ns < occurrence.ends_ns


def failed_already(
    config: Config, data_dir: Path, state: StateDb, occurrences: Iterable[Occurrence], now_ns: int
) -> Failures:
    """Of the occurrences that run, the offices of which so much is broken that no window to come can turn it, on none of their lines; by the rule of an outcome.

    Reads the windows of these meetings alone, and of each line when it was heard last. What is missing may still come and counts for neither.

    Raises:
        StoreError: the store cannot be read.
    """
    running = [one for one in occurrences if is_underway(one, now_ns)]
    if not running or not store_file(config.settings.store, data_dir).exists():
        return {}
    found: Failures = {}
    with closing(open_reader(config.settings.store, data_dir)) as reader:
        for one in running:
            settled = settle_occurrence(reader, state, config, one, now_ns)
            found[one.meeting.uid, one.recurrence_ns] = {
                outcome.site: outcome for outcome in settled if outcome.state is OutcomeState.FAILED
            }
    return found


def failing(live: LiveConfig, data_dir: Path, state: StateDb) -> Callable[[int], Failures]:
    """`failed_already` of whatever runs at a time (ns) by the settings that stand then: how the wall asks for it.

    Raises, when it is asked:
        StoreError: the store cannot be read.
    """

    def ask(now_ns: int) -> Failures:
        config = live.current
        running = config.calendar.occurrences(now_ns, now_ns + WINDOW_NS)
        return failed_already(config, data_dir, state, running, now_ns)

    return ask
