"""Who holds a lease: a name that no other process has, so that whoever is started again within one goes on with its own."""

from __future__ import annotations

import os
import secrets
import socket


def new_holder() -> str:
    """A name for one who takes turns with others; made once, and kept over what is started again."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
