"""Network namespaces that a link makes for itself: unique names, removed at the end, and after a crash by the next link.

A name says whose it is, `tatpar-lab-PID-BORN-N-SIDE`: owner's process id, the kernel tick at which that process began (so
that a reused id is not taken for the owner), and which link of the process it is.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME: Final = Path("/run/netns")
TUN: Final = Path("/dev/net/tun")
_NAME: Final = re.compile(r"tatpar-lab-(\d+)-(\d+)-\d+-(?:office|hub)")
_CLONE_NEWNET: Final = 0x40000000
_BORN: Final = 19
"""Field 22 of /proc/PID/stat, counted behind the name, which may hold anything (proc(5))."""
_numbers = count(1)


def ip_program() -> str:
    """Path of `ip`.

    Raises:
        LabError: iproute2 is not here.
    """
    found = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise LabError(
            "a link that carries all IP needs `ip`: install iproute2, or use the relays (tatpar lab)"
        )
    return found


def check_rights() -> None:
    """See that namespaces and TUN devices can be made here.

    Raises:
        LabError: they cannot; one line that says what is missing.
    """
    if os.geteuid() != 0:
        raise LabError("a link that carries all IP needs root: run as root, or use the relays (tatpar lab)")
    if not TUN.exists():
        raise LabError(
            f"a link that carries all IP needs {TUN}: load the module tun, or give the container the device"
        )
    if not os.access(TUN, os.R_OK | os.W_OK):
        raise LabError(
            f"a link that carries all IP needs {TUN}, which may not be opened: in a user namespace its mode must be 0666"
        )
    ip_program()


def ip(*words: str) -> None:
    """Run `ip` with these words.

    Raises:
        LabError: it failed; with its own words.
    """
    done = subprocess.run([ip_program(), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"ip {' '.join(words)}: {done.stderr.strip() or f'status {done.returncode}'}")


def born(pid: int) -> int | None:
    """Kernel tick at which a process began; None when there is none of that id."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[_BORN])


def make_pair() -> tuple[str, str]:
    """Two new namespaces of this process, office and hub; leftovers of dead owners are removed first.

    Raises:
        LabError: they cannot be made.
    """
    remove_leftovers()
    pid = os.getpid()
    stem = f"tatpar-lab-{pid}-{born(pid)}-{next(_numbers)}"
    names = f"{stem}-office", f"{stem}-hub"
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
    except LabError:
        remove(names)
        raise
    return names


def remove(names: tuple[str, ...]) -> None:
    """Remove namespaces; those that are gone already do not matter."""
    for name in names:
        with suppress(LabError):
            ip("netns", "del", name)


def leftovers() -> tuple[str, ...]:
    """Namespaces of owners that are no more."""
    found = []
    for path in sorted(HOME.glob("tatpar-lab-*")):
        match = _NAME.fullmatch(path.name)
        if match is not None and born(int(match[1])) != int(match[2]):
            found.append(path.name)
    return tuple(found)


def remove_leftovers() -> None:
    """Remove what owners left behind that were killed."""
    remove(leftovers())


@contextmanager
def entered(name: str) -> Iterator[None]:
    """Be in a namespace, with this thread; what is opened there stays there.

    Raises:
        OSError: there is no such namespace, or no right to enter it.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(HOME / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def _setns(fd: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
