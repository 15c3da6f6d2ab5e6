"""What a tree of processes takes: memory by the kernel's own account, and CPU time."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psutil

_KB: float = 1024 / 1e6


class Memory(NamedTuple):
    """Memory of a tree, MB (10^6 octets)."""

    rss_mb: dict[str, float]
    """Resident, by process; what two processes share counts in both."""
    pss_mb: float
    """The sum of proportional sizes: what is shared is shared out, also with processes outside the tree."""
    alone_mb: float
    """What the machine would have free again without the tree, were nothing else running: private memory of each process, and
    of each file the resident part of the process that has most of it."""


def processes(root: psutil.Process) -> list[psutil.Process]:
    """The process and all that it started, itself first."""
    return [root, *root.children(recursive=True)]


def memory(root: psutil.Process) -> Memory:
    """What the tree holds at this moment."""
    rss: dict[str, float] = {}
    files: Counter[str] = Counter()
    pss = private = 0
    for process in processes(root):
        own: Counter[str] = Counter()
        total = 0
        for name, figures in _mappings(process.pid):
            total += figures["Rss"]
            pss += figures["Pss"]
            private += figures["Anonymous"]
            own[name] += figures["Rss"] - figures["Anonymous"]
        rss[role(process)] = total * _KB
        files |= own  # of each file the larger
    return Memory(rss, pss * _KB, (private + sum(files.values())) * _KB)


def peak_mb(root: psutil.Process) -> float:
    """The most that each process ever held, start-up included, added up: more than was ever held at once."""
    found = 0
    for process in processes(root):
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        found += int(status.partition("VmHWM:")[2].split()[0])
    return found * _KB


def cpu_s(root: psutil.Process) -> float:
    """CPU seconds of the tree so far, of living processes."""
    times = [process.cpu_times() for process in processes(root)]
    return float(sum(one.user + one.system for one in times))


def role(process: psutil.Process) -> str:
    """What the process is for."""
    return "measuring" if any("measuring" in part for part in process.cmdline()) else "agent"


def _mappings(pid: int) -> Iterator[tuple[str, Counter[str]]]:
    """Name and figures (kB) of each mapping, from /proc/PID/smaps."""
    name, figures = "", Counter[str]()
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        key, _, rest = line.partition(":")
        if " " in key:  # addresses, rights, offset, device, inode, and perhaps the file
            if name:
                yield name, figures
            parts = line.split(maxsplit=5)
            name, figures = (parts[5] if len(parts) > 5 else "anonymous"), Counter()
            continue
        with contextlib.suppress(ValueError, IndexError):
            figures[key] = int(rest.split()[0])
    if name:
        yield name, figures
