"""The same capture through the meter and through tshark: losses equal, jitter within 1 %."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest

from probes.call.call_meter import CallRule
from probes.call.measure_file import measure_file
from tests.probes_call.rtp_traffic import Sent, in_order, jittered, picture, sound, write_pcap, write_pcapng

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROW = re.compile(
    r"^\s*[\d.]+\s+[\d.]+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+0x([0-9a-fA-F]+)\s+(\S.*?)\s+(\d+)\s+(-?\d+) \([^)]*\)"
    r"\s+(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)"
)


def by_tshark(program: Callable[[str], str], capture: Path) -> dict[int, tuple[int, int, float, float]]:
    """SSRC -> packets, lost, mean jitter, max jitter (ms)."""
    done = subprocess.run(
        [program("tshark"), "-q", "-z", "rtp,streams", "-o", "rtp.heuristic_rtp:TRUE", "-r", str(capture)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = [match.groups() for line in done.stdout.splitlines() if (match := ROW.match(line))]
    assert found, done.stdout
    return {int(g[4], 16): (int(g[6]), int(g[7]), float(g[12]), float(g[13])) for g in found}


def without(sent: list[Sent], rng: np.random.Generator, ratio: float) -> list[Sent]:
    """Random losses and two bursts, but not the first or last packet, which nobody could miss."""
    keep = rng.random(len(sent)) >= ratio
    for at in (len(sent) // 3, len(sent) // 2):
        keep[at : at + 9] = False
    keep[[0, -1]] = True
    return [one for one, kept in zip(sent, keep, strict=True) if kept]


def traffic() -> list[Sent]:
    """Sound and picture both ways across the wrap-around of numbers and stamps, with loss, jitter, copies, disorder."""
    rng = np.random.default_rng(20261126)
    there = list(sound(first_sequence=65_100, first_stamp=2**32 - 80_000).packets(1500))
    shown = list(picture(first_sequence=64_000, first_stamp=2**32 - 900_000).packets(900))
    back = {"source": ("203.0.113.9", 6004), "destination": ("10.1.2.3", 5004)}
    heard = list(sound(0x3333, payload_type=8, **back).packets(1500))
    seen = list(picture(0x4444, seed=8, **back).packets(900))
    copied = jittered(without(heard, rng, 0.01), rng, 4)
    copied = in_order(copied, (copied[at] for at in rng.integers(50, 1300, 12)))
    # Late by a few packets of one frame: the time stamp does not go back.
    late = jittered(without(seen, rng, 0.003), rng, 1)
    for at in rng.integers(40, len(late) - 40, 25).tolist():
        a, b = late[at], late[at + 1]
        late[at : at + 2] = [Sent(a.time_ns, b.source, b.destination, b.payload), Sent(b.time_ns, a.source, a.destination, a.payload)]  # fmt: skip
    return in_order(jittered(without(there, rng, 0.02), rng, 3), jittered(without(shown, rng, 0.01), rng, 2), copied, late)  # fmt: skip


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_the_same_capture_gives_the_same_figures(
    kind: str, tmp_path: Path, program: Callable[[str], str]
) -> None:
    """Four flows, 30 s: tshark's packets and losses exactly, its mean and largest jitter within 1 %."""
    write = write_pcap if kind == "pcap" else write_pcapng
    capture = write(tmp_path / f"call.{kind}", traffic())
    theirs = by_tshark(program, capture)
    ours = {total.name.ssrc: total for total in measure_file(capture, CallRule()).flows}
    assert ours.keys() == theirs.keys() == {0x1111, 0x2222, 0x3333, 0x4444}
    for ssrc, (packets, lost, mean_ms, max_ms) in theirs.items():
        figures, beside = ours[ssrc].figures(), ours[ssrc].as_tshark
        assert (figures.packets, figures.cumulative_lost) == (packets, lost)
        assert figures.cumulative_lost == figures.lost - figures.duplicated
        assert beside.mean_ms == pytest.approx(mean_ms, rel=0.01)
        assert beside.max_ms == pytest.approx(max_ms, rel=0.01)
        assert figures.lost > 20
    plain = ours[0x1111].figures()  # no marker, no disorder: the plain mean of J is tshark's
    assert plain.jitter_ms == pytest.approx(theirs[0x1111][2], rel=0.01)
    assert plain.jitter_max_ms == pytest.approx(theirs[0x1111][3], rel=0.01)
    assert ours[0x3333].figures().duplicated == 12
    assert ours[0x4444].figures().reordered >= 15
