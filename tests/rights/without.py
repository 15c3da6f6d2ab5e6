"""Commands without rights: the opposite of `elsewhere`, so that what is said for want of one is seen under root too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from tests.rights.elsewhere import refusal

HOUSE: Final = Path(__file__).parents[2]


def has_own_network() -> bool:
    """Whether a command can be given a network of its own: by a user namespace, or as root."""
    return refusal() is None or os.geteuid() == 0


def without(*capabilities: str, first: str = ":") -> list[str]:
    """What goes before a command that is to lack these capabilities, in a network of its own, where at first nobody may ping.

    A network of its own has the kernel's own settings: no group may ping, ports below 1024 are kept. Where no user
    namespace is to be had, root makes the network as root, and another account, which has none of the capabilities,
    is taken as it is. `first` is a command of the shell, run there before the capabilities go.
    """
    if not has_own_network():
        return []
    dropped = ",".join(f"-{name}" for name in capabilities)
    enter = f'PATH="$PATH:/usr/sbin:/sbin"; ip link set lo up && {first} && exec setpriv --inh-caps=-all --bounding-set={dropped} "$@"'
    user = ["--user", "--map-root-user"] if refusal() is None else []
    return ["unshare", *user, "--net", "--kill-child", "sh", "-c", enter, "sh"]
