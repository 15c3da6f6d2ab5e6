"""What an account hears that has not the rights: one clear line with the remedy, and everything else goes on. Runs without them, also as root."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from probes.publishing.spool import Spool
from telemetry.codec import decode
from telemetry.messages import Ping, Stream
from tests.rights.elsewhere import refusal
from tests.rights.needed import RIGHTS
from tests.rights.without import HOUSE, has_own_network, without

if TYPE_CHECKING:
    from pathlib import Path

NO_PINGS = (
    "no ICMP round trips: no ICMP socket is permitted: give the probe CAP_NET_RAW, or let its group ping:"
    " sysctl -w net.ipv4.ping_group_range='0 2147483647'"
)
TATPAR = (sys.executable, "-m", "tatpar")


nobody_may_ping = pytest.mark.skipif(
    not has_own_network() and RIGHTS["ping"].held(),
    reason=f"this account may ping, and a network in which it may not cannot be had: {refusal()}",
)


def said(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=120, check=False)


OFFICE = """
import json, signal, subprocess, sys, time
tatpar = [sys.executable, "-m", "tatpar"]
reflector = subprocess.Popen([*tatpar, "reflect", "--json", "--bind", "127.0.0.1:8620"], stdout=subprocess.PIPE, text=True)
assert "listening" in reflector.stdout.readline()
probe = subprocess.Popen([*tatpar, "probe", "--config", sys.argv[1], "--data", sys.argv[2]], stderr=subprocess.PIPE, text=True)
lines = []
while not all(words in "".join(lines) for words in ("no ICMP", "may not be watched")):
    lines.append(probe.stderr.readline())
    assert lines[-1], lines
answered = 0
while answered < 10:
    time.sleep(0.1)
    reflector.send_signal(signal.SIGUSR1)
    answered = json.loads(reflector.stdout.readline())["answered"]
time.sleep(4)  # what is answered by now is 3 s old then, and counts in the window that the end cuts short
probe.terminate()
lines.append(probe.stderr.read())
print(json.dumps({"said": "".join(lines), "status": probe.wait()}))
reflector.terminate()
reflector.communicate()
"""


@nobody_may_ping
def test_a_probe_that_may_nothing_measures_its_line(tmp_path: Path) -> None:
    """No pings, no watching for calls: a line each with what to do; the packets of the line are measured and kept."""
    settings = tmp_path / "probe.toml"
    settings.write_text(
        'site = "agra"\n[broker]\nhost = "127.0.0.1"\nport = 1\n[ends]\nstate = "127.0.0.1:8620"\n'
        '[ping]\ntargets = ["ends"]\n[call]\ninterface = "lo"\n',
        encoding="utf-8",
    )
    done = said(*without("net_raw"), sys.executable, "-c", OFFICE, str(settings), str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["status"] == 0
    assert "Traceback" not in told["said"]
    lines = told["said"].splitlines()
    assert [line.partition("probes.icmp.ping: ")[2] for line in lines if "probes.icmp.ping:" in line] == [
        NO_PINGS
    ]
    (watching,) = [line for line in lines if "watching for calls" in line]
    assert "lo may not be watched: CAP_NET_RAW is missing; give it to the service" in watching
    with contextlib.closing(Spool(tmp_path / "data" / "spool" / "agra.db", site="agra", probe="p1")) as spool:
        rows = [row for seq in range(1, spool.next_seq) if (row := spool.read(seq)) is not None]
    items = [item for row in rows for item in decode(row.payload).items]
    assert sum(item.received for item in items if isinstance(item, Stream)) >= 10
    assert not [item for item in items if isinstance(item, Ping)]


ECHO = """
import select
from probes.icmp.icmp_packet import Echo, echo_request
from probes.icmp.icmp_socket import open_icmp
sock = open_icmp()
sock.send(echo_request(7, Echo(b"\\1" * 8, 9)), "127.0.0.1")
assert select.select([sock], [], [], 60)[0]
print(sock.raw, [(reply.echo.number, reply.source, reply.stamp.name) for reply in sock.replies()])
sock.close()
"""


@pytest.mark.skipif(
    not has_own_network(), reason=f"a network whose ping_group_range is ours cannot be had: {refusal()}"
)
def test_what_the_line_advises_helps() -> None:
    """Without CAP_NET_RAW, but with its group in ping_group_range: echoes go and come, stamped by the kernel."""
    allow = "echo 0 0 > /proc/sys/net/ipv4/ping_group_range"
    done = said(*without("net_raw", first=allow), sys.executable, "-c", ECHO)
    assert done.stdout == "False [(9, '127.0.0.1', 'KERNEL')]\n", done.stderr


@nobody_may_ping
def test_the_doctor_says_what_would_let_it_ping(tmp_path: Path) -> None:
    """Less than could be, and the line to type."""
    settings = tmp_path / "tatpar.toml"
    settings.write_text("", encoding="utf-8")
    words = ("doctor", "--json", "--config", str(settings), "--data", str(tmp_path))
    done = said(*without("net_raw"), *TATPAR, *words)
    (ping,) = [one for one in json.loads(done.stdout) if one["subject"] == "ping"]
    assert ping["level"] == "less"
    assert "sysctl -w net.ipv4.ping_group_range=" in str(ping)


LOW = r"ports below 1024 need root or CAP_NET_BIND_SERVICE \(tatpar-reflect\.service has it\); without it take a port from 1024 on, such as 8620"


def test_a_reflector_says_why_it_may_not_have_its_port() -> None:
    """`tatpar reflect` on RFC 8762's own port: status 1, one line."""
    done = said(*without("net_bind_service"), *TATPAR, "reflect", "--bind", "127.0.0.1:862")
    assert done.returncode == 1
    assert re.fullmatch(
        rf"tatpar reflect: cannot listen on 127\.0\.0\.1:862: Permission denied; {LOW}\n", done.stderr
    )


def test_a_hub_says_why_it_may_not_have_its_reflectors_port(tmp_path: Path) -> None:
    """`tatpar up` whose headquarters is this machine, port 862: status 1, and the last line says what to write instead."""
    (tmp_path / "sites.csv").write_text(
        "id,name_en,name_hi,region,lat,lon,status\nagra,Agra,आगरा,west,27.18,78.02,linked\n", encoding="utf-8"
    )
    (tmp_path / "meetings").mkdir()
    settings = tmp_path / "tatpar.toml"
    settings.write_text(
        '[[headquarters]]\nid = "state"\nname_en = "S"\nname_hi = "स"\nreflectors = ["127.0.0.1:862"]\n',
        encoding="utf-8",
    )
    words = ("up", "--config", str(settings), "--data", str(tmp_path / "data"), "--port", "0")
    done = said(*without("net_bind_service"), *TATPAR, *words)
    assert done.returncode == 1, done.stderr
    assert re.fullmatch(
        rf"tatpar up: no reflector can listen on 127\.0\.0\.1:862: {LOW}; addresses stand under \[\[headquarters\]\]",
        done.stderr.splitlines()[-1],
    )
    assert "Traceback" not in done.stderr


LINK = """
import pathlib, sys
from lab.errors import LabError
from lab.tun.link import TunLink
try:
    TunLink(pathlib.Path(sys.argv[1])).start()
except LabError as error:
    print(error)
"""


def test_a_link_says_what_was_refused(tmp_path: Path) -> None:
    """Root without its capabilities, as in many a container, or nobody: one line."""
    done = said(*without("sys_admin"), sys.executable, "-c", LINK, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(
        r"(a link that carries all IP needs (root|/dev/net/tun)|ip netns add).*\n", done.stdout
    )
