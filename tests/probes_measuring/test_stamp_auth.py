"""Authenticated STAMP packets and TLVs in general: both ways, and nothing believed that was changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.rate_adjustment import HIGH_SPEED_ROW, RateState
from probes.stamp import stamp_auth
from probes.stamp import stamp_tlv_codec as tlvs
from probes.stamp.packets import ReflectorPacket, SenderPacket
from probes.stamp.stamp_auth import NotAuthenticError

KEY = bytes(range(32))
REQUEST = SenderPacket(7, 0x0123456789ABCDEF, 0x8001, 0xBEEF)
REPLY = ReflectorPacket(8, 2**63, 0x8001, 0xBEEF, 2**62, 7, 0x0123456789ABCDEF, 0x8102, 61)


def test_what_was_packed_is_read() -> None:
    """Every field comes back, with TLVs behind the base packet."""
    request, reply = stamp_auth.pack_request(REQUEST, KEY, b"tail"), stamp_auth.pack_reply(REPLY, KEY)
    assert stamp_auth.parse_request(request, KEY) == REQUEST
    assert stamp_auth.parse_reply(reply, KEY) == REPLY
    assert (len(request), len(reply)) == (116, 112)


def test_a_changed_octet_is_not_believed() -> None:
    """Any octet up to the HMAC's last, another key, or a packet cut short: refused."""
    packet = stamp_auth.pack_reply(REPLY, KEY)
    for at in range(len(packet)):
        forged = packet[:at] + bytes([packet[at] ^ 1]) + packet[at + 1 :]
        with pytest.raises(NotAuthenticError, match="not that of this packet"):
            stamp_auth.parse_reply(forged, KEY)
    with pytest.raises(NotAuthenticError):
        stamp_auth.parse_reply(packet, KEY[::-1])
    with pytest.raises(NotAuthenticError, match="111 octets are no authenticated STAMP packet"):
        stamp_auth.parse_request(packet[:111], KEY)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=6))
def test_tlvs_come_back_as_they_were_written(items: list[tuple[int, bytes]]) -> None:
    """Any types and values, one after the other."""
    written = tuple(tlvs.Tlv(kind, value) for kind, value in items)
    assert tlvs.parse(b"".join(one.pack() for one in written)) == written


def test_a_tlv_that_is_cut_short_is_marked() -> None:
    """What is there comes with the flag M, and nothing after it is read."""
    good, cut = tlvs.class_of_service(46).pack(), tlvs.direct_measurement(1000).pack()[:-1]
    first, second = tlvs.parse(good + cut)
    assert first == tlvs.class_of_service(46)
    assert second.flags & tlvs.MALFORMED
    assert tlvs.parse(good + b"\x80") == (first,)


def test_integrity_covers_every_tlv_and_the_sequence_number() -> None:
    """Padding may follow the HMAC; a changed or missing octet, another number, or another TLV behind it may not."""
    before = tlvs.class_of_service(46).pack() + tlvs.timestamp_information().pack()
    signed = before + tlvs.integrity(KEY, 7, before).pack()
    padding = tlvs.extra_padding(20).pack()
    assert tlvs.is_intact(KEY, 7, signed)
    assert tlvs.is_intact(KEY, 7, signed + padding)
    assert tlvs.is_intact(KEY, 7, padding)
    assert tlvs.is_intact(KEY, 7, b"")
    assert not tlvs.is_intact(KEY, 8, signed)
    assert not tlvs.is_intact(KEY, 7, before)
    assert not tlvs.is_intact(KEY, 7, signed + tlvs.follow_up().pack())
    assert not tlvs.is_intact(KEY, 7, signed[:-1])
    for at in set(range(len(signed))) - {
        len(before)
    }:  # the flags of the HMAC TLV itself are under no signature
        assert not tlvs.is_intact(KEY, 7, signed[:at] + bytes([signed[at] ^ 0x10]) + signed[at + 1 :])


def test_what_cannot_be_written_is_refused() -> None:
    """A DSCP of 64, a private type that is none, a value without end."""
    with pytest.raises(ValueError, match="64 is no DSCP"):
        tlvs.class_of_service(64)
    with pytest.raises(ValueError, match="251 is not for private use"):
        tlvs.private(251, 637, b"")
    with pytest.raises(ValueError, match="65,535 are the most"):
        tlvs.extra_padding(70_000).pack()


def test_a_search_never_falls_below_its_first_row_and_climbs_slowly_at_the_top() -> None:
    """Bad feedback at the bottom stays there; above the high-speed row steps are single, up and down."""
    assert RateState(0, 0).after(50, 5) == RateState(0, 1)
    assert RateState(HIGH_SPEED_ROW, 0).after(0, 5) == RateState(HIGH_SPEED_ROW + 1, 0)
    assert RateState(HIGH_SPEED_ROW, 2).after(0, 91) == RateState(HIGH_SPEED_ROW - 1, 3)
    assert RateState(40, 1).after(0, 50) == RateState(40, 1)
