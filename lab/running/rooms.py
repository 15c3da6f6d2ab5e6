"""The rooms' devices of the emulated offices: each answers SIP OPTIONS on a port of its own, until it is switched off.

It answers what RFC 3261 8.2.6 has a user agent server copy from a request, and nothing else; one that is off stays silent.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

_COPIED: Final = ("via", "from", "to", "call-id", "cseq")
_TAG: Final = ";tag=lab"


class Rooms:
    """A device for each site; `async with` serves them."""

    def __init__(self, sites: Iterable[str]) -> None:
        self._devices = {site: _Device() for site in sites}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for device in self._devices.values():
            await loop.create_datagram_endpoint(lambda device=device: device, local_addr=("127.0.0.1", 0))  # type: ignore[misc]
        return self

    async def __aexit__(self, *_: object) -> None:
        for device in self._devices.values():
            await device.close()

    def question(self, site: str) -> str:
        """What the office asks its device, as `config.reach` has it."""
        return f"sip:127.0.0.1:{self._devices[site].port}"

    def switch(self, sites: Iterable[str], *, on: bool) -> None:
        """Switch the devices of some sites."""
        for site in sites:
            self._devices[site].on = on

    @property
    def off(self) -> tuple[str, ...]:
        """The sites whose device is off."""
        return tuple(site for site, device in self._devices.items() if not device.on)


class _Device(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.on = True
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = int(transport.get_extra_info("sockname")[1])

    def connection_lost(self, _error: Exception | None) -> None:
        self._closed.set()

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = options_answer(data) if self.on else None
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


def options_answer(request: bytes) -> bytes | None:
    """`200 OK` to an OPTIONS request; None to anything else."""
    first, *lines = request.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
    if not (first.startswith("OPTIONS sip:") and first.endswith(" SIP/2.0")):
        return None
    fields = {name.strip().lower(): line for line in lines for name in [line.partition(":")[0]]}
    if not all(name in fields for name in _COPIED):
        return None
    copied = [fields[name] + (_TAG if name == "to" else "") for name in _COPIED]
    return "\r\n".join(["SIP/2.0 200 OK", *copied, "Allow: OPTIONS", "Content-Length: 0", "", ""]).encode()
