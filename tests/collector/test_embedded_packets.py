"""The embedded broker's parser: the standard's packets, and bytes that are none."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.broker.embedded import properties as props
from collector.broker.embedded import replies, wire
from collector.broker.embedded.framing import Framer
from collector.broker.embedded.names import is_filter, matches, shared
from collector.broker.embedded.packets import (
    V5,
    V311,
    Connect,
    Disconnect,
    Publish,
    Subscribe,
    Unsubscribe,
    Wish,
    parse,
)
from collector.broker.embedded.properties import Property
from collector.broker.embedded.reasons import PacketError, Reason
from collector.broker.embedded.tree import FilterTree

LEVELS = st.sampled_from(["a", "b", "", "$x", "+", "#", "ab"])
NAMES = (
    st.lists(st.sampled_from(["a", "b", "", "$x", "ab"]), min_size=1, max_size=4).map("/".join).filter(bool)
)
FILTERS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join).filter(is_filter)


def reason_of(head: int, body: bytes, version: int = V5) -> Reason:
    with pytest.raises(PacketError) as caught:
        parse(head, body, version)
    return caught.value.reason


@pytest.mark.parametrize(
    ("value", "raw"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (268_435_455, "ffffff7f")],
)
def test_variable_byte_integers_are_those_of_the_standard(value: int, raw: str) -> None:
    """Table 1-1 of MQTT 5."""
    assert wire.varint(value).hex() == raw
    assert wire.Cursor(bytes.fromhex(raw)).varint() == value


@pytest.mark.parametrize("raw", ["8000", "ff", "80808080", "ffffffff7f"])
def test_variable_byte_integers_of_another_form_are_refused(raw: str) -> None:
    """Too long, too short, cut off."""
    with pytest.raises(PacketError):
        wire.Cursor(bytes.fromhex(raw)).varint()


def test_a_connect_with_everything_is_read() -> None:
    """Properties, will with properties, user and password."""
    body = (
        wire.text("MQTT")
        + bytes([5, 0b1110_1110])
        + wire.u16(30)
        + props.write(
            [(Property.SESSION_EXPIRY, 60), (Property.USER, ("a", "b")), (Property.USER, ("a", "c"))]
        )
        + wire.text("me")
        + props.write([(Property.WILL_DELAY, 5), (Property.CORRELATION_DATA, b"\x00")])
        + wire.text("will/topic")
        + wire.binary(b"gone")
        + wire.text("user")
        + wire.binary(b"pass")
    )
    packet = parse(0x10, body, V5)
    assert isinstance(packet, Connect)
    assert (packet.client_id, packet.clean_start, packet.keepalive_s) == ("me", True, 30)
    assert (packet.user, packet.password) == ("user", b"pass")
    assert packet.properties == ((0x11, 60), (0x26, ("a", "b")), (0x26, ("a", "c")))
    assert packet.will == Publish("will/topic", b"gone", 1, True, properties=((0x18, 5), (0x09, b"\x00")))


def test_subscribe_unsubscribe_and_disconnect_are_read_in_both_versions() -> None:
    """3.1.1 has no properties."""
    body = wire.u16(7) + b"\x00" + wire.text("a/+") + bytes([0b0010_1101])
    assert parse(0x82, body, V5) == Subscribe(7, (Wish("a/+", 1, True, True, 2),))
    assert parse(0x82, wire.u16(7) + wire.text("a/+") + b"\x01", V311) == Subscribe(7, (Wish("a/+", 1),))
    assert parse(0xA2, wire.u16(9) + wire.text("a"), V311) == Unsubscribe(9, ("a",))
    assert parse(0xE0, b"", V5) == Disconnect(0, None)
    assert parse(0xE0, b"\x04\x05\x11\x00\x00\x00\x09", V5) == Disconnect(4, 9)


@pytest.mark.parametrize(
    ("head", "body", "reason"),
    [
        (0x10, wire.text("MQIsdp") + b"\x03\x02\x00\x00" + wire.text("x"), Reason.UNSUPPORTED_VERSION),
        (0x10, wire.text("MQTT") + b"\x05\x03\x00\x00\x00" + wire.text("x"), Reason.MALFORMED),
        (0x10, wire.text("MQTT") + b"\x05\x18\x00\x00\x00" + wire.text("x"), Reason.MALFORMED),
        (0x11, b"", Reason.MALFORMED),
        (0x34, wire.text("a") + b"\x00\x01\x00", Reason.QOS_NOT_SUPPORTED),
        (0x36, wire.text("a") + b"\x00\x01\x00", Reason.MALFORMED),
        (0x38, wire.text("a") + b"\x00", Reason.MALFORMED),
        (0x32, wire.text("a") + b"\x00\x00\x00", Reason.MALFORMED),
        (0x30, wire.text("a") + b"\x03\x23\x00\x01", Reason.TOPIC_ALIAS_INVALID),
        (0x30, wire.text("a") + b"\x04\x01\x00\x01\x00", Reason.PROTOCOL_ERROR),
        (0x30, wire.text("a") + b"\x02\x01\x02", Reason.PROTOCOL_ERROR),
        (0x30, wire.text("a") + b"\x05\x11\x00\x00\x00\x01", Reason.MALFORMED),
        (0x30, b"\x00\x02\xc3\x28\x00", Reason.MALFORMED),
        (0x30, b"\x00\x01\x00\x00", Reason.MALFORMED),
        (0x82, wire.u16(1) + b"\x00", Reason.PROTOCOL_ERROR),
        (
            0x82,
            wire.u16(1) + b"\x02\x0b\x01" + wire.text("a") + b"\x00",
            Reason.SUBSCRIPTION_IDS_NOT_SUPPORTED,
        ),
        (0x82, wire.u16(1) + b"\x00" + wire.text("a") + b"\x03", Reason.MALFORMED),
        (0x80, wire.u16(1), Reason.MALFORMED),
        (0xA2, wire.u16(1) + b"\x00", Reason.PROTOCOL_ERROR),
        (0x50, wire.u16(1), Reason.PROTOCOL_ERROR),
        (0xF0, b"", Reason.PROTOCOL_ERROR),
        (0x20, b"\x00\x00", Reason.PROTOCOL_ERROR),
        (0xC0, b"\x00", Reason.MALFORMED),
    ],
)
def test_what_breaks_the_protocol_is_named(head: int, body: bytes, reason: Reason) -> None:
    """The reason that the client is told."""
    assert reason_of(head, body) is reason


@given(head=st.integers(0, 255), body=st.binary(max_size=120), version=st.sampled_from([V311, V5]))
def test_any_bytes_are_a_packet_or_an_error(head: int, body: bytes, version: int) -> None:
    """Nothing else ever comes out of the parser."""
    with contextlib.suppress(PacketError):
        parse(head, body, version)


VALUES = st.one_of(
    st.tuples(st.just(0x01), st.integers(0, 1)),
    st.tuples(st.just(0x02), st.integers(0, 2**32 - 1)),
    st.tuples(
        st.just(0x03), st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
    ),
    st.tuples(st.just(0x09), st.binary(max_size=50)),
)


@given(
    payload=st.binary(max_size=300),
    mid=st.integers(1, 65_535),
    retain=st.booleans(),
    properties=st.lists(VALUES, max_size=4, unique_by=lambda pair: pair[0]),
    cut=st.lists(st.integers(1, 40), max_size=20),
)
def test_what_is_written_is_read_back_however_it_is_cut(
    payload: bytes, mid: int, properties: list[tuple[int, props.Value]], cut: list[int], *, retain: bool
) -> None:
    """PUBLISH through writer, framer and parser, in pieces of any size."""
    message = Publish("a/ü/c", payload, 1, retain, False, mid, tuple(properties))
    data = replies.publish(V5, message) + replies.PINGRESP
    framer = Framer(10_000)
    frames: list[tuple[int, bytes]] = []
    for size in [*cut, len(data)]:
        frames += framer.feed(data[:size])
        data = data[size:]
    assert [parse(*frames[0], V5), frames[1]] == [message, (0xD0, b"")]


def test_a_framer_refuses_before_it_has_swallowed_too_much() -> None:
    """The announced length is enough."""
    with pytest.raises(PacketError) as caught:
        list(Framer(1000).feed(b"\x30\xff\xff\x03"))
    assert caught.value.reason is Reason.PACKET_TOO_LARGE


@given(filters=st.lists(FILTERS, max_size=8, unique=True), name=NAMES)
def test_the_tree_finds_what_matching_one_by_one_finds(filters: list[str], name: str) -> None:
    """And nothing is left of a filter that was removed."""
    tree: FilterTree[str] = FilterTree()
    for one in filters:
        tree.put(one, "client", one)
    assert sorted(value for _, value in tree.find(name)) == sorted(
        one for one in filters if matches(one, name)
    )
    for one in filters:
        tree.remove(one, "client")
    assert list(tree.find(name)) == []
    assert tree._root.children == {}


def test_shared_filters_are_taken_apart() -> None:
    """A group without a name or a filter is no filter."""
    assert shared("a/b") is None
    assert shared("$share/g/a/+") == ("g", "a/+")
    for wrong in ("$share/g", "$share//a", "$share/+/a", "$share/g/"):
        assert shared(wrong) == ("", "")
