"""A nursery: a process that has imported everything and forks a child per request, so that a start costs milliseconds.

`python -m bench._faults.nursery FD MODULE…` imports the modules and serves the socket FD. A child runs `python -m NAME …`
as the interpreter would, in a process of its own that can be killed like any other; only the imports are not done again.

    harness ──{argv, env} and a descriptor for its output──▶ nursery ──fork──▶ child
            ◀──{pid}, and when it is over {pid, status}─────
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from types import FrameType

MAX_REQUEST: Final = 65_536
_PR_SET_PDEATHSIG: Final = 1


class Job(NamedTuple):
    """What a child is to be."""

    argv: list[str]
    env: dict[str, str]
    output: int


def main() -> None:
    """Import, serve, and in the child become what was asked for."""
    control = socket.socket(fileno=int(sys.argv[1]))
    libc = ctypes.CDLL(None)
    if "libfaketime" in os.environ.get("LD_PRELOAD", ""):
        time.sleep = rest  # type: ignore[assignment]  # nobody here sleeps for what only has an index
    for name in sys.argv[2:]:
        importlib.import_module(name)
    if threading.active_count() > 1:
        raise RuntimeError("a module started a thread: a forked child would be without it")
    gc.collect()
    gc.freeze()
    job = _serve(control)
    if job is None:
        return
    control.close()
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _become(job)


def rest(seconds: float) -> None:
    """`time.sleep` for a process under libfaketime, which answers `clock_nanosleep` with EINVAL once its moment is over.

    So it is whenever a busy machine holds the process up between the reckoning of that moment and the call: a store whose writer waits
    a millisecond for its turn then could not store, for a reason that no real machine knows.
    """
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


def _become(job: Job) -> None:
    os.setpgid(0, 0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(job.output, 1)
    os.dup2(job.output, 2)
    os.close(null)
    os.close(job.output)
    os.environ.update(job.env)
    sys.argv = list(job.argv)
    runpy.run_module(job.argv[0], run_name="__main__", alter_sys=True)


def _serve(control: socket.socket) -> Job | None:
    """Fork for each request. Returns the job in a child, None in the nursery when the harness is gone."""
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _noted)
    children: set[int] = set()
    control.send(json.dumps({"ready": os.getpid()}).encode())
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            _tell_ended(control, children)
        if control in ready:
            data, fds, _, _ = socket.recv_fds(control, MAX_REQUEST, 1)
            if not data:
                break
            job = Job(output=fds[0], **json.loads(data))
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                woken.close()
                wake.close()
                return job
            os.close(job.output)
            children.add(pid)
            control.send(json.dumps({"pid": pid}).encode())
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    return None


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The wakeup descriptor says it."""


def _tell_ended(control: socket.socket, children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        children.discard(pid)
        told: dict[str, Any] = {"pid": pid, "status": os.waitstatus_to_exitcode(status)}
        control.send(json.dumps(told).encode())


if __name__ == "__main__":
    main()
