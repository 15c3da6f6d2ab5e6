"""A socket that asks a reflector."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from probes.stamp.packets import ReflectorPacket, SenderPacket
from probes.stamp.timestamps import ntp64

if TYPE_CHECKING:
    from probes.reflecting.reflector import Reflector


ESTIMATE = 0x8001


def client(reflector: Reflector, host: str = "127.0.0.1") -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(60)
    sock.connect((host, reflector.addresses[0][1]))
    return sock


def request(sequence: int, ssid: int = 9) -> SenderPacket:
    return SenderPacket(sequence, ntp64(time.time_ns()), ESTIMATE, ssid)


def exchange(sock: socket.socket, packet: bytes) -> tuple[ReflectorPacket, bytes]:
    sock.send(packet)
    raw = sock.recv(65_536)
    return ReflectorPacket.parse(raw), raw
