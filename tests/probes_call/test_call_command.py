"""`tatpar call`: the table, the figures as JSON, and what is said of a wrong file or option."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner

from probes.call.capture_file import CaptureError, read_capture
from tatpar.__main__ import main
from telemetry.messages import Call
from tests.probes_call.rtp_traffic import Sent, in_order, picture, sound, write_pcap

if TYPE_CHECKING:
    from pathlib import Path


def test_table_and_json_say_the_same(tmp_path: Path) -> None:
    """Each flow is a line, and an object with its windows as they would go out."""
    sent = in_order(list(sound().packets(1000))[:-3], picture().packets(500))
    hidden = [Sent(one.time_ns, ("10.1.2.3", 40_000), ("198.51.100.7", 8801), b"\x05" + one.payload) for one in picture().packets(500)]  # fmt: skip
    file = str(write_pcap(tmp_path / "call.pcap", in_order(sent, hidden)))
    shown = CliRunner().invoke(main, ["call", file, "--host", "10.1.2.0/24"])
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert sorted(line.split()[:2] for line in lines[1:4]) == [
        ["up", "audio"],
        ["up", "video"],
        ["up", "~video"],
    ]
    assert lines[-1].startswith("~ no RTP")
    told = json.loads(CliRunner().invoke(main, ["call", file, "--host", "10.1.2.0/24", "--json"]).stdout)
    flows = {(flow["media"], flow["estimated"]): flow for flow in told["flows"]}
    assert flows.keys() == {("audio", False), ("video", False), ("video", True)}
    audio = flows["audio", False]
    assert (audio["packets"], audio["lost"], audio["tshark_lost"], audio["rate_hz"]) == (997, 0, 0, 8000)
    assert "lost" not in flows["video", True]
    for flow in told["flows"]:
        items = [msgspec.convert({k: v for k, v in window.items() if k != "start_ns"}, Call) for window in flow["windows"]]  # fmt: skip
        assert sum(item.packets for item in items) == flow["packets"]


def test_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    """A file that is no capture, a host and a port that are none: status 2; no file: status 1."""
    notes = tmp_path / "notes.txt"
    notes.write_text("these are notes, and not a capture at all\n")
    for arguments in ([str(notes)], [str(notes), "--host", "agra"], [str(notes), "--port", "99999"]):
        wrong = CliRunner().invoke(main, ["call", *arguments])
        assert wrong.exit_code == 2
        assert wrong.stderr.count("\n") == 1
    gone = CliRunner().invoke(main, ["call", str(tmp_path / "gone.pcap")])
    assert gone.exit_code == 1
    assert gone.stderr.endswith("gone.pcap: No such file or directory\n")


def test_a_capture_without_a_call_says_so(tmp_path: Path) -> None:
    """Nothing found is said, with what else could be tried."""
    file = write_pcap(tmp_path / "few.pcap", list(sound().packets(3)))
    shown = CliRunner().invoke(main, ["call", str(file)])
    assert shown.exit_code == 0
    assert shown.stdout.startswith("no call among 3 UDP packets")


def test_a_block_shorter_than_its_packet_is_damage(tmp_path: Path) -> None:
    """At the file's end it was a traceback, in the middle the next block was read as its packet."""
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, 1, 0, 65535, 20)
    lying = struct.pack("<IIIIIIII", 6, 32, 0, 0, 0, 200, 200, 32)
    for block in (struct.pack("<III", 6, 12, 12), struct.pack("<IIII", 6, 16, 0, 16), lying):
        (tmp_path / "c.pcapng").write_bytes(section + interface + block)
        with pytest.raises(CaptureError, match="damaged at octet 48"):
            list(read_capture(tmp_path / "c.pcapng"))


def test_interfaces_without_end_are_damage(tmp_path: Path) -> None:
    """A file that describes nothing but interfaces is stopped before they fill the memory."""
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
    (tmp_path / "c.pcapng").write_bytes(section + interface * 4097)
    with pytest.raises(CaptureError, match="more than 4096 interfaces"):
        list(read_capture(tmp_path / "c.pcapng"))
