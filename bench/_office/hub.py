"""The least hub that an office needs: a real broker, a plan, and the word that reports are stored."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector.broker.mosquitto import find
from collector.broker.ports import free_port
from collector.enrolment.authority import Authority
from telemetry.codec import decode, encode_control
from telemetry.control import Plan, Rate, Stored
from telemetry.topics import DEFAULT_ROOT, Leaf, topic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE: Final = "agra"
PROBE: Final = "p1"
PLAN_S: Final = 24 * 3600


class Doors(NamedTuple):
    """Where a broker listens."""

    port: int
    secure_port: int | None = None
    ca: Path | None = None
    """Who vouches for the secure one, whose name is `localhost`."""

    def settings(self) -> str:
        """The `[broker]` of a `probe.toml`."""
        if self.secure_port is None:
            return f'[broker]\nhost = "127.0.0.1"\nport = {self.port}\n'
        return f'[broker]\nhost = "localhost"\nport = {self.secure_port}\nca = "{self.ca}"\n'


class Hub:
    """Keeps what the office reports, and confirms it."""

    def __init__(self, port: int) -> None:
        self.payloads: list[bytes] = []
        self.online = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._message
        self._client.connect("127.0.0.1", port)
        leaves = (Leaf.REPORT, Leaf.BACKLOG, Leaf.PRESENCE)
        self._client.subscribe([(_topic(leaf), SubscribeOptions(qos=1)) for leaf in leaves])
        self._client.loop_start()

    def plan(self, rate_pps: float) -> None:
        """Have the office measure so fast for a day, as during a meeting."""
        now_ns = time.time_ns()
        until_ns = now_ns + PLAN_S * 1_000_000_000
        rates = (Rate(from_ns=now_ns, until_ns=until_ns, rate_pps=rate_pps),)
        plan = encode_control(Plan(valid_until_ns=until_ns, rates=rates))
        self._client.publish(_topic(Leaf.PLAN), plan, qos=1, retain=True)

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _message(self, _c: Any, _u: Any, message: paho.MQTTMessage) -> None:  # noqa: ANN401 - paho's
        if message.topic.endswith(Leaf.PRESENCE):
            self.online.set()
            return
        self.payloads.append(payload := bytes(message.payload))
        envelope = decode(payload)
        stored = Stored(epoch=envelope.epoch, through=envelope.seq)
        self._client.publish(_topic(Leaf.STORED), encode_control(stored), qos=1, retain=True)


def _topic(leaf: Leaf) -> str:
    return topic(DEFAULT_ROOT, SITE, PROBE, leaf)


@contextlib.contextmanager
def broker(folder: Path, *, tls: bool = False) -> Iterator[Doors]:
    """A real mosquitto on loopback, on request with a second listener that speaks TLS.

    Raises:
        RuntimeError: there is none on this machine, or it does not start.
    """
    program, port = find(), free_port()
    if program is None:
        raise RuntimeError("mosquitto is not on this machine")
    conf = folder / "mosquitto.conf"
    doors, lines = Doors(port), f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_type error\n"
    if tls:
        doors, more = _secured(folder, port)
        lines += more
    conf.write_text(lines, encoding="utf-8")
    process = subprocess.Popen([program, "-c", str(conf)])
    try:
        _wait_for(port)
        yield doors
    finally:
        process.terminate()
        process.wait()


def _secured(folder: Path, port: int) -> tuple[Doors, str]:
    """A door with a certificate of an authority of our own, and mosquitto's lines for it."""
    authority, now_ns, secure = Authority(folder / "authority", time.time_ns()), time.time_ns(), free_port()
    served, trusted = folder / "broker.pem", folder / "ca.pem"
    served.write_bytes(authority.issue(["localhost"], now_ns, 30.0))
    served.chmod(0o644)  # mosquitto started as root reads it as somebody else
    folder.chmod(0o755)
    trusted.write_text(authority.certificate_pem, encoding="ascii")
    lines = f"listener {secure} 127.0.0.1\ncertfile {served}\nkeyfile {served}\n"
    return Doors(port, secure, trusted), lines


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), contextlib.closing(_knock(port)):
            return
        time.sleep(0.05)
    raise RuntimeError("mosquitto does not listen")


def _knock(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=1)
