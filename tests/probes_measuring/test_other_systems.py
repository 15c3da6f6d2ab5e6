"""The probe where Linux's names are missing (Windows, macOS): it loads, it measures, and it says by whom packets were stamped.

No other system is at hand: names, modules and options are hidden in a process of their own and in its child, and a
reflector with all of Linux answers.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import pytest

from probes.kernel import system
from probes.kernel.plain_datagrams import PlainDatagrams
from probes.reflecting.reflector_process import ReflectorProcess

HOUSE: Final = Path(__file__).parents[2]
HIDING: Final = """
import os, select, signal, socket, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for where, names in (
    (socket, "MSG_ERRQUEUE MSG_DONTWAIT MSG_TRUNC CMSG_SPACE CMSG_LEN AF_PACKET AF_NETLINK SOCK_SEQPACKET send_fds recv_fds"),
    (os, "sched_setscheduler sched_param SCHED_RR setpriority PRIO_PROCESS geteuid getuid fchmod"),
    (signal, "SIGHUP SIGUSR1 SIGUSR2"),
):
    for name in names.split():
        if hasattr(where, name):
            delattr(where, name)
"""
"""For every Python process below: as on a system that has none of it."""


def test_the_probe_loads_and_measures_with_what_is_left(tmp_path: Path) -> None:
    """Every module of an office's agent loads; the program's own stamps are named as such; nothing on the line is lost."""
    (tmp_path / "sitecustomize.py").write_text(HIDING, encoding="utf-8")
    hidden = os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(HOUSE)))}
    with ReflectorProcess([("127.0.0.1", 0)]) as reflector:
        host, port = reflector.addresses[0]
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("other_system.py")), host, str(port)],
            env=hidden,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["not importable"] == []
    assert (found["t1"], found["t4"]) == (["USER"], ["USER"])
    assert found["t2"] == ["KERNEL"], "the reflector's own stamps are what they are"
    assert found["sent"] >= 100
    assert found["lost"] <= found["sent"] // 20, (
        "a machine that is busy may read late, the line loses nothing"
    )
    assert found["stateful"]
    assert found["rtt_min_ms"] < 50
    assert found["restarts"] == 0


def test_the_link_without_a_pair_of_sockets() -> None:
    """Messages stay whole both ways; whoever does not know the secret is not heard."""
    meeting = system.Meeting()
    host, port, _ = meeting.name.split(":")
    found: list[socket.socket] = []
    thread = threading.Thread(target=lambda: found.append(system.owner(meeting.name)), name="child")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"let me in", (host, int(port)))
        thread.start()
        ours = meeting.child()
        thread.join(60)
        with ours, found[0] as theirs:
            stranger.sendto(b"me too", ours.getsockname())
            theirs.send(b"a" * 60_000)
            theirs.send(b"b")
            ours.settimeout(30)
            assert ours.recv(1 << 17) == b"a" * 60_000
            assert ours.recv(1 << 17) == b"b"
            ours.send(b"order")
            theirs.settimeout(30)
            assert theirs.recv(1 << 17) == b"order"


def test_a_child_that_never_comes_is_waited_for_no_longer_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of the system, as when a process cannot be started."""
    monkeypatch.setattr(system, "_LINK_PATIENCE_S", 0.05)
    meeting = system.Meeting()
    with pytest.raises(OSError, match="timed out"):
        meeting.child()
    meeting.close()


def test_datagrams_one_by_one() -> None:
    """Lengths are told in full, what does not fit is cut, an empty socket gives nothing, and a refusal is told."""
    tray = PlainDatagrams(3, 4, 0)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
    ):
        far.bind(("127.0.0.1", 0))
        near.connect(far.getsockname())
        near.setblocking(False)
        assert tray.receive(near) == 0
        near.send(b"?")
        peer = far.recvfrom(8)[1]
        for datagram in (b"ab", b"abcdef", b"", b"later"):
            far.sendto(datagram, peer)
        assert tray.receive(near) == 3
        assert [tray.length(slot) for slot in range(3)] == [2, 6, 0]
        assert bytes(tray.data[0:2]) == b"ab"
        assert bytes(tray.data[4:8]) == b"abcd"
        assert tray.receive(near) == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near:
        near.connect(peer)  # nobody there any more
        near.setblocking(False)
        near.send(b"?")
        select.select([near], [], [], 30)
        with pytest.raises(ConnectionRefusedError):
            tray.receive(near)


def test_sizes_of_control_messages_are_the_systems() -> None:
    """What is worked out where the socket module does not say is what it says here."""
    for octets in range(70):
        assert system.control_length(octets) == socket.CMSG_LEN(octets)
        assert system.control_space(octets) == socket.CMSG_SPACE(octets)
