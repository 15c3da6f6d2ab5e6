"""What is said to who asks beside the watch, or without one."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from config.load import load_config
from tatpar.terminal.progress_line import ProgressLine
from tatpar.verdicts import better_time
from tatpar.verdicts.asked_times import Question, occurrences
from tatpar.verdicts.expected import expected
from telemetry.store.open import open_reader

if TYPE_CHECKING:
    from telemetry.decisions import Verdict
    from tests.watch.conftest import Town


def asked_of(town: Town, site: str, at: str = "12:45") -> Verdict:
    """The verdict of an office at a time, as `tatpar ready --at … --or …` works it out now."""
    config = load_config(town.folder / "tatpar.toml")
    question = Question(times=(at, "13:45"), uid=None, minutes=None, end=None, profile=None)
    asked = occurrences(config, question, "en", town.now_ns)
    with closing(open_reader(config.settings.store, town.folder)) as reader, ProgressLine("en") as bar:
        ground = better_time._ground(config, reader, town.state, asked, town.now_ns, bar)
    return expected(ground, asked[0]).verdicts[site]
