"""Items that this version does not understand: kept, and understood after an upgrade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Struct

from telemetry import codec
from telemetry.messages import Envelope, Item, Opaque
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Callable


class Weather(Struct, frozen=True, kw_only=True, tag="weather"):
    """An item of a later version."""

    rain_mm: Annotated[float, Meta(ge=0)]


@pytest.fixture
def unknown(fleet) -> Envelope:
    """A report with a known stream, an unknown item, and a stream of a path that is not allowed yet."""
    strange = codec.encode_item(fleet.stream("main.state")).replace(b'"main.state"', b'"main/second"')
    items = [
        fleet.stream("main.national"),
        Opaque(b'{"type":"weather","rain_mm":3.5}', "?"),
        Opaque(strange, "?"),
    ]
    payload = codec.encode(fleet.envelope("agra", 1, items=items))
    return codec.decode(payload)


@pytest.fixture
def upgrade(monkeypatch) -> Callable[[], None]:
    """Makes the codec of a later version: it knows the weather, and paths with a slash."""

    def now() -> None:
        before = codec.decode_item

        def decode_item(raw: bytes) -> Any:
            if b'"weather"' in raw:
                return msgspec.json.decode(raw, type=Weather)
            return before(raw.replace(b"main/second", b"second.state"))

        frames = msgspec.json.Decoder(codec._Frame)
        monkeypatch.setattr(codec, "_typed_decoder", frames)  # known items only: too narrow now
        monkeypatch.setattr(codec, "decode_item", decode_item)

        def decode(payload: bytes) -> Envelope:
            frame = frames.decode(payload)
            whole = {name: getattr(frame, name) for name in frame.__struct_fields__ if name != "items"}
            return codec.Envelope(**whole, items=tuple(decode_item(bytes(raw)) for raw in frame.items))

        monkeypatch.setattr(codec, "decode", decode)

    return now


def test_the_codec_keeps_what_it_does_not_know(unknown) -> None:
    """The premise: three items, one of them understood."""
    assert [isinstance(item, Opaque) for item in unknown.items] == [False, True, True]
    assert issubclass(Weather, Struct)
    assert Weather not in Item.__args__


def test_unknown_items_do_not_disturb_known_ones(in_any_state, fleet, unknown, everything) -> None:
    """The stream beside them is read; they themselves are not, and the bytes are what came."""
    in_any_state.store.append([fleet.report("agra", 1).__class__(unknown, fleet.t0 + HOUR_NS)])
    assert in_any_state.store.envelopes("agra", 0, 2**62) == [unknown]
    store = in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    assert store.streams(everything).paths == ("main.national",)
    assert store.items("weather", everything) == []


def test_unknown_items_are_understood_after_an_upgrade(
    in_any_state, fleet, unknown, upgrade, everything
) -> None:
    """A newer version finds the item under its tag, and the stream among the windows and in its roll-up."""
    in_any_state.store.append([fleet.report("agra", 1).__class__(unknown, fleet.t0 + HOUR_NS)])
    in_any_state.settle(fleet.t0 + 9 * HOUR_NS)
    upgrade()
    store = in_any_state.reopen()
    assert [found.item for found in store.items("weather", everything)] == [Weather(rain_mm=3.5)]
    in_any_state.maintain(fleet.t0 + 9 * HOUR_NS)
    in_any_state.maintain(fleet.t0 + 9 * HOUR_NS)
    table = store.streams(everything)
    assert table.paths == ("main.national", "second.state")
    assert table.columns["late_sends"].tolist() == [unknown.self_report.late_sends] * 2
    assert store.latest().paths == ("main.national", "second.state")
    assert [found.item for found in store.items("weather", everything)] == [Weather(rain_mm=3.5)]
    if in_any_state._backend.keeps:
        assert store.rollups(everything).paths == ("main.national", "second.state")
