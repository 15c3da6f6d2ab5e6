"""What the meter says of calls whose truth is known."""

from __future__ import annotations

import contextlib
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import pytest

from probes.call.call_meter import MOST_FLOWS, CallMeter, CallRule
from probes.call.capture_file import CaptureError, read_capture
from probes.call.measure_file import Measured, measure_file
from probes.call.packets import datagrams
from probes.call.ports import PLATFORM_PORTS, port_ranges
from probes.call.sides import networks
from telemetry.codec import encode_item
from tests.probes_call.rtp_traffic import (
    SECRET,
    START_NS,
    Sent,
    in_order,
    jittered,
    picture,
    rtp,
    secret,
    sound,
    write_pcap,
    write_pcapng,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from probes.call.flow_total import FlowTotal

AGRA = CallRule(hosts=networks(["10.1.2.0/24", "fd00:1::/64"]), ports=port_ranges(PLATFORM_PORTS))
OFFICE, BRIDGE = ("10.1.2.3", 5004), ("203.0.113.9", 6004)


def measured(tmp_path: Path, sent: list[Sent], rule: CallRule = AGRA, **how: object) -> Measured:
    return measure_file(write_pcap(tmp_path / "call.pcap", sent, **how), rule)  # type: ignore[arg-type]


def only(found: Measured) -> FlowTotal:
    assert len(found.flows) == 1, [total.name for total in found.flows]
    return found.flows[0]


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000, 32_000, 44_100, 48_000, 90_000])
@pytest.mark.parametrize("mean_ms", [0.2, 6.0])
def test_the_clock_rate_is_found(tmp_path: Path, rate_hz: int, mean_ms: float) -> None:
    """Of a dynamic payload type, two seconds and some jitter are enough to tell the clock; 90 kHz is a picture."""
    rng = np.random.default_rng(5)
    sent = jittered(sound(payload_type=111, rate_hz=rate_hz, first_stamp=77).packets(100), rng, mean_ms)
    total = only(measured(tmp_path, sent))
    assert total.figures().rate_hz == rate_hz
    assert total.media == ("video" if rate_hz == 90_000 else "audio")
    assert total.figures().jitter_ms == pytest.approx(mean_ms, rel=0.35)


def test_losses_are_counted_once_across_windows(tmp_path: Path) -> None:
    """Each number is lost in one window, a late one is not, and the windows add up to the whole."""
    sent = list(sound(first_sequence=64_900).packets(2000))
    gone = {10, 700, *range(1490, 1502)}
    kept = [one for at, one in enumerate(sent) if at not in gone]
    late = Sent(sent[740].time_ns + 300_000_000, OFFICE, BRIDGE, sent[740].payload)
    kept = in_order((one for one in kept if one is not sent[740]), [late])
    found = measured(tmp_path, kept)
    total = only(found).figures()
    assert (total.lost, total.expected, total.longest_loss_run, total.reordered) == (14, 2000, 12, 1)
    # The run ends in the third window: that is where the packet after it shows the loss.
    assert [window.figures.lost for window in found.windows] == [2, 0, 12]
    assert sum(window.figures.expected for window in found.windows) == 2000
    assert total.burst_density == 1.0
    assert total.gap_density == pytest.approx(2 / 1988)


def test_picture_frames_and_freezes(tmp_path: Path) -> None:
    """30 frames a second; a gap of ten frames is a freeze, one of three frames is not, and a camera off is a pause."""
    stream = picture(payload_type=96, first_stamp=2**32 - 10_000)
    sent = list(stream.packets(600))

    def stamp(one: Sent) -> int:
        return (int.from_bytes(one.payload[4:8]) - stream.first_stamp) % 2**32 // 3000

    kept = [one for one in sent if not 100 <= stamp(one) < 110 and not 200 <= stamp(one) < 202]
    figures = only(measured(tmp_path, kept)).figures()
    assert (figures.rate_hz, figures.frames, figures.freezes) == (90_000, 588, 1)
    assert figures.longest_freeze_ms == pytest.approx(11 * 1000 / 30, abs=6)
    assert figures.frames_per_s == pytest.approx(588 / 20, rel=0.01)
    octets = sum(28 + len(one.payload) for one in kept)
    assert figures.bitrate_bps == pytest.approx(octets * 8 / 20, rel=0.01)


def test_other_protocols_on_the_same_port_are_no_media(tmp_path: Path) -> None:
    """STUN, DTLS, RTCP and TURN channels with something else in them change nothing; RTP in a channel is measured."""
    media = list(sound().packets(400))
    noise = [
        Sent(one.time_ns + 1000 + k, OFFICE, BRIDGE, payload)
        for one in media[::4]
        for k, payload in enumerate([
            b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12),
            b"\x16\xfe\xfd" + bytes(40),
            b"\x80\xc8\x00\x06" + media[0].payload[8:12] + bytes(20),
            b"\x40\x00\x00\x20" + b"\x16\xfe\xfd" + bytes(29),
        ])
    ]  # fmt: skip
    inside = [
        Sent(one.time_ns + 5, OFFICE, ("203.0.113.10", 3478), b"\x40\x01" + len(one.payload).to_bytes(2) + one.payload)
        for one in sound(0x7777).packets(400)
    ]  # fmt: skip
    found = measured(tmp_path, in_order(media, noise, inside))
    assert {total.name.ssrc: (total.figures().packets, total.figures().lost) for total in found.flows} == {
        0x1111: (400, 0),
        0x7777: (400, 0),
    }


def test_a_sender_that_begins_anew_loses_nothing(tmp_path: Path) -> None:
    """The same SSRC from another number on is another flow; a stray packet is neither loss nor a new beginning."""
    before = list(sound().packets(300))
    after = list(
        sound(first_sequence=40_000, first_stamp=9_000_000, start_ns=START_NS + 6_000_000_000).packets(300)
    )
    stray = Sent(before[100].time_ns + 1, OFFICE, BRIDGE, rtp(30_000, 5, 0x1111, 0))
    found = measured(tmp_path, in_order(before, after, [stray]))
    assert [(total.figures().packets, total.figures().lost) for total in found.flows] == [(300, 0), (300, 0)]


def test_ssrcs_directions_and_repairs_are_apart(tmp_path: Path) -> None:
    """Two pictures and their retransmissions between the same ends: RTX is told as repair, in both directions."""
    rng = np.random.default_rng(2)
    sent: list[list[Sent]] = []
    for ssrc, source, destination in ((0x51, OFFICE, BRIDGE), (0x61, BRIDGE, OFFICE)):
        shown = list(
            picture(ssrc, payload_type=96, source=source, destination=destination, first_stamp=ssrc * 99_991).packets(300)
        )  # fmt: skip
        again = [shown[at] for at in np.sort(rng.choice(len(shown), 60, replace=False)).tolist()]
        rtx = [
            Sent(one.time_ns + 40_000_000, source, destination, rtp(n, int.from_bytes(one.payload[4:8]), ssrc + 1, 97, payload=secret(500)))
            for n, one in enumerate(again)
        ]  # fmt: skip
        sent += [shown, rtx]
    found = measured(tmp_path, in_order(*sent))
    told = {total.name.ssrc: (total.media.value, total.name.way.value) for total in found.flows}
    assert told == {
        0x51: ("video", "up"), 0x52: ("repair", "up"), 0x61: ("video", "down"), 0x62: ("repair", "down"),
    }  # fmt: skip


@pytest.mark.parametrize("vlans", [(), (7,), (7, 8)])
def test_ipv6_and_vlan_tags(tmp_path: Path, vlans: tuple[int, ...]) -> None:
    """IPv6 behind any number of VLAN tags is found, sizes included."""
    stream = sound(source=("fd00:1::5", 5004), destination=("2001:db8::9", 6004))
    total = only(measured(tmp_path, list(stream.packets(200)), vlans=vlans))
    assert (total.name.way, str(total.name.source)) == ("up", "[fd00:1::5]:5004")
    assert total.figures().octets == 200 * (40 + 8 + 12 + 160)


def test_an_encrypted_call_is_estimated(tmp_path: Path) -> None:
    """Without RTP headers the frame rate and bitrate come from sizes and times, are marked so, and loss is not told."""
    rng = np.random.default_rng(11)
    shown = [
        Sent(one.time_ns, ("10.1.2.3", 40_000), ("198.51.100.7", 8801), b"\x05" + bytes(len(one.payload)))
        for one in jittered(picture().packets(900), rng, 1)
    ]
    elsewhere = [Sent(one.time_ns, one.source, ("198.51.100.8", 443), one.payload) for one in shown]
    found = measured(tmp_path, in_order(shown, elsewhere))
    total = only(found)
    figures = total.figures()
    assert all(window.estimated for window in total.windows)
    assert total.media == "video"
    assert figures.frames_per_s == pytest.approx(30, abs=2)
    assert figures.bitrate_bps == pytest.approx(sum(28 + len(one.payload) for one in shown) * 8 / 30, rel=0.02)  # fmt: skip
    assert figures.jitter_ms is None


def test_what_is_no_call_is_none(tmp_path: Path) -> None:
    """Random datagrams that begin as RTP does, and a name server's, prove nothing."""
    rng = np.random.default_rng(1)
    sent = [
        Sent(START_NS + k * 10**7, OFFICE, BRIDGE, bytes([0x80]) + rng.bytes(3) + rng.bytes(4) + bytes(4) + rng.bytes(30))
        for k in range(500)
    ]  # fmt: skip
    assert not measured(tmp_path, sent).flows


def test_flows_are_bounded(tmp_path: Path) -> None:
    """Ten thousand made-up senders take the room of a few hundred, and the refused are counted."""
    sent = [
        Sent(START_NS + k * 10**5, OFFICE, BRIDGE, rtp(1, k, k * 7919 + 1, 0, payload=secret(20)))
        for k in range(10_000)
    ]
    batch = next(read_capture(write_pcap(tmp_path / "many.pcap", sent)))
    meter = CallMeter(CallRule())
    assert not meter.add(batch.octets, datagrams(batch.octets, batch.ip_at, batch.captured, batch.time_ns))
    assert len(meter._rtp) == MOST_FLOWS
    assert meter.flows_refused == 10_000 - MOST_FLOWS
    meter.close_until(START_NS + 60 * 10**9)
    assert not meter._rtp


def test_no_payload_is_kept(tmp_path: Path) -> None:
    """Neither the columns of a batch, nor what a flow holds, nor a report has an octet of what was said."""
    path = write_pcap(tmp_path / "call.pcap", in_order(sound().packets(300), picture().packets(150)))
    assert SECRET in path.read_bytes()
    batch = next(read_capture(path))
    packets = datagrams(batch.octets, batch.ip_at, batch.captured, batch.time_ns)
    meter = CallMeter(AGRA)
    meter.add(batch.octets, packets)
    kept = [getattr(packets, field.name).tobytes() for field in fields(packets)]
    for flow in meter._rtp.values():
        kept += [getattr(part, field.name).tobytes() for part in flow._held for field in fields(part)]
    kept += [encode_item(window.item()) for window in meter.finish()]
    assert len(kept) > 15
    for at in range(len(SECRET) - 4):
        assert not any(SECRET[at : at + 4] in one for one in kept)


@pytest.mark.parametrize("damage", [0, 11, 39, 100, 5_000])
def test_a_capture_that_breaks_off_is_read_up_to_there(tmp_path: Path, damage: int) -> None:
    """A capture program that was killed leaves half a packet: what is whole counts; nothing crashes."""
    whole = write_pcap(tmp_path / "call.pcap", list(sound().packets(100)))
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole.read_bytes()[: -damage or None])
    assert only(measure_file(cut, AGRA)).figures().packets == 100 - -(-damage // (16 + 14 + 40 + 160))


@pytest.mark.parametrize("text", [b"", b"# notes\n" * 9, b"\xd4\xc3\xb2\xa1" + bytes(20) + b"\xff" * 40])
def test_what_is_no_capture_is_said(tmp_path: Path, text: bytes) -> None:
    """An empty, a foreign and a damaged file are each explained."""
    file = tmp_path / "x"
    file.write_bytes(text)
    with pytest.raises(CaptureError):
        measure_file(file, AGRA)


def test_a_capture_may_sleep_for_years(tmp_path: Path) -> None:
    """Two calls twenty years apart are two flows, and the years between cost nothing."""
    later = sound(0x5555, start_ns=START_NS + 20 * 365 * 86_400 * 10**9)
    found = measured(tmp_path, [*sound().packets(100), *later.packets(100)])
    assert [total.figures().packets for total in found.flows] == [100, 100]


@pytest.mark.parametrize("write", [write_pcap, write_pcapng])
def test_damaged_captures_crash_nothing(tmp_path: Path, write: Callable[..., Path]) -> None:
    """Forty captures with random octets changed or cut off: figures, or one clear refusal."""
    rng = np.random.default_rng(20261126)
    whole = write(tmp_path / "whole", in_order(sound().packets(120), picture().packets(60))).read_bytes()
    file = tmp_path / "damaged"
    read = 0
    for trial in range(40):
        octets = np.frombuffer(whole, dtype=np.uint8).copy()
        octets[rng.integers(24, len(octets), 60)] = rng.integers(0, 256, 60)
        file.write_bytes(octets.tobytes()[: None if trial % 5 else rng.integers(30, len(octets))])
        with contextlib.suppress(CaptureError):
            for total in measure_file(file, CallRule(ports=port_ranges(PLATFORM_PORTS))).flows:
                read += 1
                assert total.figures().packets == sum(window.item().packets for window in total.windows)
    assert read > 10
