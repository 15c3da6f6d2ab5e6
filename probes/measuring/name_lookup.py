"""Host names to addresses, away from the measuring loop; one name's trouble stays that name's."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Final

TIMEOUT_S: Final = 10.0


def is_address(host: str) -> bool:
    """Whether a host is written as an address, so that there is nothing to look up."""
    try:
        ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        return False
    return True


class NameLookup:
    """Looks names up and remembers the last answer of each."""

    def __init__(self) -> None:
        self._answers: dict[str, str] = {}
        self.faults: dict[str, str] = {}
        """Names without an answer, and why; gone when they have one again."""

    def known(self, host: str) -> str | None:
        """The address of a host as last seen, without asking anybody."""
        return host if is_address(host) else self._answers.get(host)

    async def refresh(self, hosts: set[str]) -> None:
        """Look up all names at once; a name that fails keeps its last address."""
        names = sorted(host for host in hosts if not is_address(host))
        for stale in set(self._answers) - set(names):
            del self._answers[stale]
        self.faults = {name: why for name, why in self.faults.items() if name in hosts}
        await asyncio.gather(*(self._look_up(name) for name in names))

    async def _look_up(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await loop.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        except TimeoutError:
            self.faults[name] = f"no answer within {TIMEOUT_S:.0f} s"
        except (OSError, UnicodeError) as error:
            self.faults[name] = str(error)
        else:
            addresses = [str(entry[4][0]) for entry in found]
            # Keep to the address in use while the name still has it: names with several rotate their order.
            if self._answers.get(name) not in addresses:
                self._answers[name] = addresses[0]
            self.faults.pop(name, None)
