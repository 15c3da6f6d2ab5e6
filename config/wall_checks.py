"""What the types of `[wall]` cannot say: proxies that are addresses, and a header that only they may set."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from config.settings import Wall
    from config.wrong import Wrong

_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


def check_wall(wall: Wall, wrong: Wrong) -> None:
    """Raise the first thing that is wrong."""
    for index, text in enumerate(wall.proxies):
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            problem = f'"{text}" is no address and no network'
            raise wrong(("wall", "proxies", index), problem, 'write "10.0.0.7" or "10.1.0.0/24"') from None
        if network.prefixlen == 0:
            problem = f'"{text}" is everybody, and everybody could say to be anybody'
            raise wrong(("wall", "proxies", index), problem, "write the proxy's own address")
    if not wall.proxy_user_header:
        return
    if not _HEADER.fullmatch(wall.proxy_user_header):
        problem = f'"{wall.proxy_user_header}" cannot be the name of a header'
        raise wrong(("wall", "proxy_user_header"), problem, 'write "X-Remote-User"')
    if not wall.proxies:
        problem = "proxy_user_header is set and proxies is empty: nobody may set that header"
        raise wrong(("wall", "proxy_user_header"), problem, 'write proxies = ["10.0.0.7"]')
