"""Start a program that must not outlive us: `python leash.py PARENT_PID OPEN_FILES PROGRAM ARGUMENT…`.

Asks the kernel to kill this process when its parent dies (prctl PR_SET_PDEATHSIG; it holds across exec), then
becomes the program, keeping its pid, with that many files that it may hold open. Run by its path with `python -I -S`, so that it costs little.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def main(arguments: list[str]) -> None:
    """Put on the leash and become the program."""
    parent, files, program = int(arguments[0]), int(arguments[1]), arguments[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            raise SystemExit(1)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    os.execv(program[0], program)  # noqa: S606 - becoming the program is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
