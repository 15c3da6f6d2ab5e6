"""The weekly refit: when it is due, what it takes, what it learns, and which model is then in force."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from analytics.climatology import climatology
from analytics.forecast.asking import every_hour
from analytics.forecast.held import came_true
from analytics.forecast.model import FORM, Model
from analytics.forecast.slots import empty_slots
from analytics.history import empty_history
from analytics.lines import Lines
from config.load import load_config
from tatpar.shipped.prior import shipped_prior
from tatpar.watching.foreseeing import Prepared, prepare_tracks
from tatpar.watching.learning import LEARN_NS, is_due, learn, model_in_force
from tatpar.watching.offices import prepare
from tatpar.watching.past import Past, Shape
from tatpar.watching.slot_blocks import SlotBlocks
from telemetry.state.models import FittedModel
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, SLOT_NS

if TYPE_CHECKING:
    from conftest import Town

LINKED_LINES = 8
"""Four linked offices on two paths; the planned fifth has lines too, and teaches nothing."""


@pytest.fixture(autouse=True)
def few_lessons(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit learns from fewer of the hours here, so that the tests are quick; how many there are is counted before."""
    monkeypatch.setattr("tatpar.watching.learning.MOST_ASKS", 2000)


def prepared(town: Town, days: int, failed_hours: int, config_file: str | None = "tatpar.toml") -> Prepared:
    """So many whole days up to now, sound but for so many hours of linked lines, which broke throughout."""
    config = load_config(None if config_file is None else town.folder / config_file)
    offices = prepare(config, ())
    shape = Shape(Lines(offices.sites, offices.usual_paths), offices.sets, offices.zone, 8.0)
    now_ns = town.t0 // DAY_NS * DAY_NS
    first, count = (now_ns - days * DAY_NS) // SLOT_NS, days * 288
    slots = empty_slots(shape.lines, len(offices.sets.limits), first, count)
    slots.measured[...] = 20
    slots.strain[...] = 0.2
    slots.received_ns[...] = (first + 1 + np.arange(count, dtype=np.int64)) * SLOT_NS + 4 * SECOND_NS
    lot = np.random.default_rng(1).choice(LINKED_LINES * 24 * (days - 2), failed_hours, replace=False)
    for line, hour in zip(lot % LINKED_LINES, 24 + lot // LINKED_LINES, strict=True):
        here = slice(hour * 12, hour * 12 + 12)
        slots.broken[:, line // 2, line % 2, here] = 20
        slots.strain[:, line // 2, line % 2, here] = 4.0
    history = empty_history(shape.lines, len(offices.sets.limits), 0, 0)
    past = Past(shape, history, SlotBlocks.of([slots], shape.lines), climatology(history), now_ns)
    return prepare_tracks(past, offices, town.state, now_ns)


def test_an_hour_counts_once_however_often_it_is_asked(town: Town) -> None:
    """14 days are 8 lines x (13 days x 24 - 1) hours: enough. 10 days are 1,720, too few, though asked 4 times under each limit set."""
    found = learn(prepared(town, 14, 60), town.t0)
    assert found is not None
    assert found.name == f"{FORM} of 2026-11-23, learnt from {LINKED_LINES * (13 * 24 - 1)} hours"
    assert found.fitted_ns == town.t0
    assert learn(prepared(town, 10, 60), town.t0) is None


@pytest.mark.parametrize(("failed", "enough"), [(49, False), (50, True)])
def test_fifty_failed_hours_are_needed(town: Town, failed: int, *, enough: bool) -> None:
    """Of one that failed at every horizon under every limit set, one is counted."""
    assert (learn(prepared(town, 14, failed), town.t0) is not None) is enough


def test_a_week_of_history_is_needed(town: Town) -> None:
    """Six days of 56 offices have hours enough, and no week."""
    assert learn(prepared(town, 6, 100, None), town.t0) is None


def test_the_fit_knows_its_own_history_better_than_the_shipped_model(town: Town) -> None:
    """Hours that broke by lot, one in five: the log-loss over the hours that it learnt from is less."""
    made = prepared(town, 14, 460)
    found = learn(made, town.t0)
    assert found is not None
    track = made.tracks[0]
    asks = every_hour(np.arange(LINKED_LINES), track.start_ns + DAY_NS, made.covered * SLOT_NS)
    came = came_true(track, asks)
    asks, held = asks.rows(came.known), came.held[came.known]
    losses = []
    for model in (shipped_prior(), msgspec.json.decode(found.body, type=Model)):
        chance = np.clip(model.chances(track, asks).holds, 1e-6, 1 - 1e-6)
        losses.append(float(np.nanmean(-np.log(np.where(held, chance, 1 - chance)))))
    assert losses[1] < 0.9 * losses[0]


def test_it_is_due_once_a_week_and_after_an_upgrade(town: Town) -> None:
    """Without an own model at once, then after seven days; a model that this release cannot read is none."""
    state, body = town.state, msgspec.json.encode(shipped_prior())
    assert is_due(state, town.t0)
    assert model_in_force(state).name == f"{FORM} shipped"
    state.put_model(FittedModel("ours", town.t0, body))
    assert not is_due(state, town.t0 + LEARN_NS - 1)
    assert is_due(state, town.t0 + LEARN_NS)
    assert model_in_force(state).name == "ours"
    other = msgspec.json.encode(msgspec.structs.replace(shipped_prior(), form="terms/999"))
    for at, unreadable in enumerate((other, b'{"form": 7}', b"\xff")):
        state.put_model(FittedModel("another release's", town.t0 + 1 + at, unreadable))
        assert model_in_force(state).name == f"{FORM} shipped"
        assert is_due(state, town.t0 + HOUR_NS)


def test_the_watch_takes_what_it_learnt_into_force(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """It says so in the log, keeps the model for the next start, names it in verdicts, and rests for a week."""
    town.watch.step(town.now_ns)
    assert not town.watch.learn(town.now_ns), "nothing to learn from yet"
    town.watch._hindsight.prepared = prepared(town, 14, 60)
    with caplog.at_level(logging.INFO):
        assert town.watch.learn(town.now_ns)
    (row,) = [each for each in caplog.records if getattr(each, "event", "") == "watch.learnt"]
    own = town.state.newest_model()
    assert own is not None
    assert vars(row)["model"] == own.name
    assert not town.watch.learn(town.now_ns + LEARN_NS - SECOND_NS)
    town.play(30)
    town.watch.refresh_past(town.now_ns)
    town.play(30)
    assert town.verdict("agra").model == own.name
    town.restart()
    assert town.watch._hindsight.in_force.name == own.name


def events(caplog: pytest.LogCaptureFixture, event: str) -> list[logging.LogRecord]:
    return [each for each in caplog.records if getattr(each, "event", "") == event]


def test_a_model_of_another_release_is_set_aside_aloud(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """Once per start, with what is in force in its place; nothing is said where there is no model or it can be read."""
    town.restart()
    assert not events(caplog, "watch.model-set-aside"), "there is none"
    other = msgspec.json.encode(msgspec.structs.replace(shipped_prior(), form="terms/6"))
    town.state.put_model(FittedModel("terms/6 of 2026-11-20, learnt from 9999 hours", town.t0, other))
    town.restart()
    town.play(30)
    (row,) = events(caplog, "watch.model-set-aside")
    assert row.levelno == logging.WARNING
    assert vars(row)["model"] == "terms/6 of 2026-11-20, learnt from 9999 hours"
    assert vars(row)["in_force"] == f"{FORM} shipped"
    town.state.put_model(FittedModel("ours", town.t0 + 1, msgspec.json.encode(shipped_prior())))
    town.restart()
    assert len(events(caplog, "watch.model-set-aside")) == 1


def test_too_little_to_learn_from_is_said_once(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """It is tried every ten minutes."""
    town.watch._hindsight.prepared = prepared(town, 10, 40)
    with caplog.at_level(logging.INFO):
        for at in range(3):
            assert not town.watch.learn(town.now_ns + at * 600 * SECOND_NS)
    (row,) = events(caplog, "watch.not-learnt")
    assert vars(row)["in_force"] == f"{FORM} shipped"


async def test_what_is_due_is_learnt_as_soon_as_the_past_is_there(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running watch looks again within seconds while there is no past, and then every ten minutes."""
    monkeypatch.setattr("tatpar.watching.watch.FIRST_LESSON_S", 0.01)
    monkeypatch.setattr(town.watch, "_keep_past", lambda: None)
    looks: list[bool] = []
    look = town.watch._hindsight.learn

    def learn(now_ns: int) -> bool:
        learnt = look(now_ns)
        looks.append(town.watch._hindsight.had_lesson)
        return learnt

    monkeypatch.setattr(town.watch._hindsight, "learn", learn)
    running = asyncio.create_task(town.watch.run())
    try:
        while len(looks) < 3:  # noqa: ASYNC110 - it has no bell for that
            await asyncio.sleep(0.01)
        assert not any(looks)
        town.watch._hindsight.prepared = prepared(town, 6, 0)
        async with asyncio.timeout(10):
            while not looks[-1]:  # noqa: ASYNC110 - it has no bell for that
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert looks.count(True) == 1
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
