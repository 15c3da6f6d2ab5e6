"""Messages frozen for ever: what any version has written stays readable, and what is refused is refused in one line."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry import codec, control, grant
from telemetry.messages import (
    Call,
    ClockState,
    Envelope,
    Item,
    Link,
    Opaque,
    Ping,
    Reach,
    Rehearsal,
    StampSource,
    Stream,
    Tombstone,
)

GOLDEN = Path(__file__).parents[1] / "golden"
REFUSED = GOLDEN / "refused"
REASONS = tomllib.loads((REFUSED / "reasons.toml").read_text("utf-8"))
KINDS = {
    "stream": Stream,
    "stream_dark": Stream,
    "ping": Ping,
    "reach": Reach,
    "reach_outcomes": Reach,
    "link": Link,
    "call": Call,
    "rehearsal": Rehearsal,
    "tombstone": Tombstone,
    "empty": None,
}
CONTROLS = {
    "control_stored": control.Stored,
    "control_presence": control.Presence,
    "control_plan": control.Plan,
    "control_plan_reach": control.Plan,
    "control_command": control.Command,
    "control_answer": control.Answer,
    "control_command_signed": control.Command,
    "control_answer_signed": control.Answer,
    "grant": grant.Grant,
}


def payload_of(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("name", KINDS)
def test_a_golden_report_is_understood_whole_and_goes_out_as_it_came(name) -> None:
    """Every item of every kind is known, and encoding gives the same bytes."""
    payload = payload_of(name)
    envelope = codec.decode(payload)
    assert codec.encode(envelope) == payload
    kind = KINDS[name]
    assert all(type(item) is kind for item in envelope.items)
    assert bool(envelope.items) == (kind is not None)


def test_there_is_a_golden_report_of_every_kind_of_item() -> None:
    """A new item needs a golden file before it is let out."""
    assert {kind for kind in KINDS.values() if kind} == set(Item.__args__)
    files = {path.stem for path in GOLDEN.glob("*.json")}
    assert files == {*KINDS, *CONTROLS, "future"}


def test_every_field_of_the_golden_stream_is_what_was_written() -> None:
    """Decoding puts each number into its place."""
    envelope = codec.decode(payload_of("stream"))
    assert (envelope.site, envelope.seq, envelope.start_ns) == ("lakhimpur-kheri", 4711, 1795406400000000000)
    assert envelope.clock.state is ClockState.SYNCHRONISED
    assert envelope.self_report.late_max_ms == 7.5
    stream = envelope.items[0]
    assert (stream.stamps.t1, stream.stamps.t2) == (StampSource.KERNEL, StampSource.HARDWARE)
    assert stream.rtt.hist == (497, 100, 503, 600, 556, 28)


def test_a_report_from_the_future_is_taken_as_far_as_it_is_understood() -> None:
    """Unknown fields are passed over, unknown items and values kept as they came, everything else read."""
    payload = payload_of("future")
    envelope = codec.decode(payload)
    plain = json.loads(payload)
    assert envelope.v == 2
    assert [type(item) for item in envelope.items] == [Stream, Opaque, Opaque, Ping, Opaque]
    assert envelope.items[0] == codec.decode(payload_of("stream")).items[0]
    for item, original in zip(envelope.items, plain["items"], strict=True):
        if isinstance(item, Opaque):
            assert json.loads(item.raw) == original
    assert [item.reason for item in envelope.items if isinstance(item, Opaque)] == [
        "Invalid value 'hologram' - at `$.type`",
        "Invalid enum value 9 - at `$.stamps.t1`",
        "Expected `str` of length <= 16 - at `$.method`",
    ]
    again = codec.decode(codec.encode(envelope))
    assert again == envelope


@pytest.mark.parametrize("version", [1, 2])
def test_what_a_newer_version_says_of_its_clock_does_not_cost_its_windows(version) -> None:
    """Of a newer version only; of our own it is an error."""
    plain = json.loads(payload_of("future")) | {
        "v": version,
        "clock": {"state": 7},
        "self": {"cpu_ratio": "much"},
    }
    payload = json.dumps(plain).encode()
    if version == 1:
        with pytest.raises(codec.MessageError, match=r"Invalid enum value 7 - at `\$.clock.state`"):
            codec.decode(payload)
        return
    envelope = codec.decode(payload)
    assert envelope.clock.state is ClockState.UNKNOWN
    assert isinstance(envelope.items[0], Stream)


@pytest.mark.parametrize("name", CONTROLS)
def test_a_golden_control_message_is_understood_and_goes_out_as_it_came(name) -> None:
    """Retained messages outlive versions: they must stay readable."""
    message = codec.decode_control(payload_of(name), CONTROLS[name])
    assert codec.encode_control(message) == payload_of(name)
    future = json.loads(payload_of(name)) | {"unheard_of": {"a": 1}}
    assert codec.decode_control(json.dumps(future).encode(), CONTROLS[name]) == message


def test_every_refused_report_has_its_reason_on_record() -> None:
    """The folder of refused reports and the list of reasons are one."""
    assert {path.stem for path in REFUSED.glob("*.json")} == set(REASONS)


@pytest.mark.parametrize("name", REASONS)
def test_a_wrong_report_is_refused_in_one_line(name) -> None:
    """The line that the operator reads is pinned."""
    with pytest.raises(codec.MessageError) as caught:
        codec.decode((REFUSED / f"{name}.json").read_bytes())
    assert str(caught.value) == REASONS[name]
    assert "\n" not in str(caught.value)


def test_a_report_that_is_too_large_is_refused_before_it_is_read() -> None:
    """The limit is said."""
    with pytest.raises(codec.MessageError, match="report of 262145 bytes, at most 262144 are taken"):
        codec.decode(b" " * (256 * 1024 + 1))


@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_no_damage_to_a_report_gets_past_the_codec_as_a_crash(data) -> None:
    """Bytes changed, cut, doubled: an envelope or a MessageError, nothing else; an envelope survives a round trip."""
    payload = bytearray(payload_of(data.draw(st.sampled_from([*KINDS, "future"]))))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(payload) - 1))
        end = at + data.draw(st.integers(0, 12))
        payload[at:end] = data.draw(
            st.one_of(st.binary(max_size=4), st.sampled_from([b"null", b"1e999", b"{}", b"["]))
        )
        if not payload:
            return
    try:
        envelope = codec.decode(bytes(payload))
    except codec.MessageError:
        return
    assert isinstance(envelope, Envelope)
    assert codec.decode(codec.encode(envelope)) == envelope
