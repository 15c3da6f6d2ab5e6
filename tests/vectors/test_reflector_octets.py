"""The reflector that runs writes the very octets that the vectors' function writes."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from probes.reflecting.reflector import Reflector
from probes.stamp.packets import BASE, ReflectorPacket, SenderPacket, reflect

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[True, False], ids=["stateful", "stateless"])
def reflector(request: pytest.FixtureRequest) -> Iterator[tuple[tuple[str, int], bool]]:
    """A running reflector on loopback, and whether it numbers its replies itself."""
    with Reflector([("127.0.0.1", 0)], stateful=request.param) as running:
        thread = threading.Thread(target=running.serve, name="reflector")
        thread.start()
        try:
            yield running.addresses[0], request.param
        finally:
            running.stop()
            thread.join(60)


def ask(address: tuple[str, int], data: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(60)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 77)
        sock.sendto(data, address)
        return sock.recv(2048)


def test_on_the_wire(reflector: tuple[tuple[str, int], bool], wire_vectors: list[dict[str, str]]) -> None:
    """Each request of the vectors is answered, but for the moment's own time stamps, as the function answers it."""
    address, stateful = reflector
    assert wire_vectors
    for row in wire_vectors:
        received = bytes.fromhex(json.loads(row["input_json"])["received_packet_hex"])
        request = SenderPacket.parse(received)
        reply = ask(address, received)
        moment = ReflectorPacket.parse(reply)
        assert moment.sender_ttl == 77
        assert moment.sequence == (0 if stateful else request.sequence)
        assert moment.receive_timestamp <= moment.timestamp
        expected = reflect(
            request,
            sequence=moment.sequence,
            received_at=moment.receive_timestamp,
            sent_at=moment.timestamp,
            error_estimate=moment.error_estimate,
            ttl=77,
        )
        assert reply == expected.pack(received[BASE:]), row["id"]
