"""`tatpar ready --at TIME --or TIME`: what to expect at either time, worked out beside the watch; nothing is written."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import click

from analytics.lines import Lines
from analytics.readiness import asked_spans
from tatpar.data_folder.decided import decided
from tatpar.terminal.amiss import no_store
from tatpar.terminal.json_time import as_json as json_text
from tatpar.terminal.options import failed, wrong_input
from tatpar.terminal.progress_line import ProgressLine
from tatpar.verdicts.asked_times import occurrences
from tatpar.verdicts.expected import expected
from tatpar.verdicts.expected_words import lines, plain
from tatpar.watching.contact import Contact
from tatpar.watching.current import Current
from tatpar.watching.foreseeing import prepare_tracks
from tatpar.watching.learning import model_in_force
from tatpar.watching.lost_contact import lost_windows
from tatpar.watching.offices import prepare
from tatpar.watching.past import PastReader
from tatpar.watching.ring import RING_WINDOWS, WindowRing
from telemetry.state.errors import StateError
from telemetry.store.errors import StoreError
from telemetry.store.open import open_reader, store_file
from telemetry.store.protocol import Selection
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analytics.ground import Ground
    from config.config import Config
    from config.meetings import Occurrence
    from tatpar.verdicts.asked_times import Question
    from telemetry.state.db import StateDb
    from telemetry.store.protocol import StoreReader


def answer(config: Config, data_dir: Path, question: Question, language: str, *, as_json: bool) -> None:
    """Work it out and print it."""
    now_ns = time.time_ns()
    asked = occurrences(config, question, language, now_ns)
    if not store_file(config.settings.store, data_dir).exists():
        wrong_input(no_store(data_dir, language))
    try:
        with (
            decided(data_dir, language) as state,
            closing(open_reader(config.settings.store, data_dir)) as reader,
            ProgressLine(language) as bar,
        ):
            ground = _ground(config, reader, state, asked, now_ns, bar)
    except (StoreError, StateError) as error:
        failed(f"tatpar ready: {error}")
    found = [expected(ground, occurrence) for occurrence in asked]
    if as_json:
        click.echo(json_text(plain(found, ground)))
    else:
        click.echo("\n".join(lines(config, found, language, now_ns)))


def _ground(  # noqa: PLR0913, PLR0917 - what there is, what is asked, and who hears how far it is
    config: Config,
    reader: StoreReader,
    state: StateDb,
    occurrences: Sequence[Occurrence],
    now_ns: int,
    bar: ProgressLine,
) -> Ground:
    """What the watch would stand on now, worked out beside it; nothing is written."""
    offices = prepare(config, occurrences)
    ring = WindowRing(Lines(offices.sites, offices.usual_paths), now_ns)
    span = Selection(now_ns - RING_WINDOWS * WINDOW_NS, now_ns)
    ring.take(reader.streams(span, histograms=False), now_ns)
    ring.recall_ends(reader.latest())
    ring.remember(state.beliefs())
    current = Current(offices, ring, state, Contact(span.start_ns))  # what is stored says who was silent
    pasts = PastReader(
        reader, lambda sites, hours: lost_windows(state, sites, hours), bar.counting("history")
    )
    past = pasts.load(current.shape(), now_ns)
    current.see(now_ns)
    current.reachability.look(reader, occurrences, now_ns)
    ahead_ns = max(each.ends_ns for each in occurrences)
    prepared = prepare_tracks(past, offices, state, now_ns, until_ns=ahead_ns)
    ground = current.ground(past, prepared, model_in_force(state), now_ns)
    ground.foresight.foresee(ground.lines.shape, asked_spans(ground, occurrences))
    return ground
