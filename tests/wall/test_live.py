"""Telling what changed: differences, and viewers that fall behind."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from dashboards.wall.live.broadcast import Broadcast
from dashboards.wall.live.difference import difference
from dashboards.wall.picture.model import Count, Gathering, Picture, Shade, Tile, Track, Why


def picture(**more: Any) -> Picture:
    fields: dict[str, Any] = {
        "tiles": {
            "a": Tile(shade=Shade.READY, probability=0.9, loss=(0.0, None)),
            "b": Tile(shade=Shade.DARK),
        },
        "meetings": {},
        "flags": {},
    }
    return Picture(**fields | more)


def apply(old: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """What the browser does with a change."""
    new = {name: dict(old.get(name, {})) for name in ("tiles", "meetings", "flags", "pulses")}
    for name in ("meetings", "flags", "pulses"):
        for key, record in change.get(name, {}).items():
            new[name].pop(key, None) if record is None else new[name].__setitem__(key, record)
    for site, fields in change.get("tiles", {}).items():
        if fields is None:
            del new["tiles"][site]
            continue
        merged = new["tiles"].get(site, {}) | fields
        new["tiles"][site] = {name: value for name, value in merged.items() if value is not None}
    return new


def plain(value: Picture) -> dict[str, Any]:
    made = msgspec.to_builtins(value)
    return {name: made.get(name, {}) for name in ("tiles", "meetings", "flags", "pulses")}


def meeting(stamp: str) -> Gathering:
    return Gathering(
        uid="m", recurrence="r", hi="", en="", starts_ms=1, ends_ms=2, end="e", profile="p", linked=1,
        count=Count(ready=1), stamp=stamp,
    )  # fmt: skip


def test_alike_pictures_have_no_difference() -> None:
    """Nothing is sent when nothing changed."""
    assert difference(picture(), picture()) == {}


def test_only_the_changed_fields_of_a_tile_are_told() -> None:
    """A field that changed has its new value, one that went is null, the others are not mentioned."""
    new = picture(
        tiles={
            "a": Tile(shade=Shade.AT_RISK, why=Why(code="loss"), loss=(0.0, None)),
            "b": Tile(shade=Shade.DARK),
        }
    )
    assert difference(picture(), new) == {
        "tiles": {"a": {"shade": "at_risk", "why": {"code": "loss"}, "probability": None}}
    }


@pytest.mark.parametrize(
    "new",
    [
        picture(tiles={"a": Tile(shade=Shade.READY)}),
        picture(tiles={"c": Tile(shade=Shade.PLANNED), "a": Tile(shade=Shade.UNKNOWN, flags=2)}),
        picture(meetings={"m r": meeting("2")}),
        picture(track=Track(days=30, of=2, right=1), trouble="no"),
    ],
)
def test_a_difference_turns_the_old_into_the_new(new: Picture) -> None:
    """Old picture and change give the new picture, for every kind of change."""
    old = picture(meetings={"m r": meeting("1"), "n r": meeting("1")})
    change = msgspec.json.decode(msgspec.json.encode(difference(old, new)))
    assert apply(msgspec.json.decode(msgspec.json.encode(plain(old))), change) == msgspec.json.decode(
        msgspec.json.encode(plain(new))
    )
    assert ("track" in change) == (new.track is not None)
    assert change.get("trouble", "") == new.trouble


async def test_a_viewer_gets_what_happened_since_the_event_it_names() -> None:
    """Resuming after an event replays exactly the later ones, in order."""
    hub = Broadcast(lambda: b"whole")
    hub.publish("change", b"1")
    seen = hub.event_id
    hub.publish("change", b"2")
    hub.publish("change", b"3")
    taken = await hub.join(seen).take()
    assert taken is not None
    assert [line for line in taken.split(b"\n") if line.startswith(b"data")] == [b"data: 2", b"data: 3"]
    assert hub.restarts == 0


@pytest.mark.parametrize("seen", ["", "nonsense", "00000000-3", "-", "x-y"])
async def test_a_viewer_with_an_unknown_event_gets_the_whole(seen: str) -> None:
    """An id of another server, or none, is answered with the whole picture."""
    hub = Broadcast(lambda: b"whole")
    hub.publish("change", b"1")
    assert await hub.join(seen).take() == b"whole"


async def test_an_event_of_the_future_gets_the_whole() -> None:
    """An id that was never given out is not trusted."""
    hub = Broadcast(lambda: b"whole")
    token = hub.event_id.partition("-")[0]
    assert await hub.join(f"{token}-99").take() == b"whole"


async def test_a_slow_viewer_loses_its_queue_and_gets_the_whole() -> None:
    """Past its bound the queue is dropped and counted; the others do not notice."""
    hub = Broadcast(lambda: b"whole")
    slow, quick = hub.join(hub.event_id), hub.join(hub.event_id)
    for n in range(70):
        hub.publish("change", str(n).encode())
        assert await quick.take() is not None
    assert await slow.take() == b"whole"
    hub.publish("change", b"after")
    assert b"after" in (await slow.take() or b"")
    assert hub.restarts > 0


async def test_too_long_away_gets_the_whole() -> None:
    """Someone who missed more than a queue holds is not sent a flood."""
    hub = Broadcast(lambda: b"whole")
    seen = hub.event_id
    for n in range(65):
        hub.publish("change", str(n).encode())
    assert await hub.join(seen).take() == b"whole"


async def test_closing_ends_every_stream() -> None:
    """Viewers that wait, and those that come later, get the end."""
    hub = Broadcast(lambda: b"whole")
    waiting = hub.join(hub.event_id)
    task = asyncio.create_task(waiting.take())
    await asyncio.sleep(0)
    hub.close()
    assert await task is None
    assert await hub.join(hub.event_id).take() is None


async def test_viewers_that_leave_are_forgotten() -> None:
    """Nothing is kept for a page that was closed."""
    hub = Broadcast(lambda: b"whole")
    viewer = hub.join("")
    assert hub.viewers == 1
    hub.leave(viewer)
    hub.leave(viewer)
    assert hub.viewers == 0
