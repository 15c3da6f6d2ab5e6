"""A page's commands, and terminals that they are typed into as they stand."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

LASTING: Final = re.compile(r"^tatpar (up|probe|reflect|collect|watch|wall)\b", re.MULTILINE)
"""What keeps its terminal until somebody ends it."""
_PIECE: Final = re.compile(
    r"^```sh\n(?P<typed>.*?)^```$|^<!-- says: (?P<says>.*?) -->$", re.MULTILINE | re.DOTALL
)
_DONE: Final = "block-is-done"
WITHIN_S: Final = 300.0
"""For one block, on a machine that is busy with other things."""


@dataclass
class Block:
    """What is typed at once, and phrases that the answer must have, in this order."""

    typed: str
    says: tuple[str, ...] = ()

    @property
    def lasts(self) -> bool:
        return LASTING.search(self.typed) is not None


def blocks(page: str) -> list[Block]:
    """The `sh` blocks of a page, each with the `says` comment that follows it."""
    found: list[Block] = []
    for piece in _PIECE.finditer(page):
        if piece["typed"] is not None:
            found.append(Block(piece["typed"]))
        else:
            assert found, f"a comment before any block: {piece[0]}"
            assert not found[-1].says, f"a second comment on one block: {piece[0]}"
            found[-1].says = tuple(phrase.strip() for phrase in piece["says"].split("|"))
    return found


def missing(said: str, phrases: tuple[str, ...]) -> str | None:
    """The first phrase that does not come, after those before it; None: all are there."""
    at = 0
    for phrase in phrases:
        found = said.find(phrase, at)
        if found < 0:
            return phrase
        at = found + len(phrase)
    return None


def of_its_own() -> list[str]:
    """What gives a terminal's programs a loopback of their own, where this machine lets us, so that no port is taken."""
    wrapped = ["unshare", "--map-root-user", "--net"]
    try:
        can = subprocess.run([*wrapped, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        can = False
    return wrapped if can else []


class Terminals:
    """Shells that share a machine; each block goes to the newest that is free."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keeper: subprocess.Popen[bytes] | None = None
        self._enter: list[str] = []
        self._shells: list[_Shell] = []
        if wrapped := of_its_own():
            self._keeper = subprocess.Popen(
                [*wrapped, "sh", "-c", "ip link set lo up && echo up && exec sleep 3600"],
                stdout=subprocess.PIPE,
            )
            assert self._keeper.stdout is not None
            assert self._keeper.stdout.readline() == b"up\n", "no loopback of its own"
            self._enter = [
                "nsenter",
                "--user",
                "--net",
                "--preserve-credentials",
                "--target",
                str(self._keeper.pid),
            ]

    def type(self, block: Block, within_s: float) -> str:
        """What is said to it: to its end, or, when it lasts, until it has said its phrases."""
        if not self._shells or self._shells[-1].is_taken:
            self._shells.append(_Shell(self._enter, self._folder))
        return self._shells[-1].type(block, within_s)

    def interrupt_the_first(self, within_s: float) -> str:
        """Ctrl-C in the first terminal; the rest of what is said there."""
        return self._shells[0].interrupt(within_s)

    def close(self) -> None:
        for shell in self._shells:
            shell.close()
        if self._keeper is not None:
            self._keeper.kill()
            self._keeper.wait()
            assert self._keeper.stdout is not None
            self._keeper.stdout.close()


class _Shell:
    """One bash that reads what is typed."""

    def __init__(self, enter: list[str], folder: Path) -> None:
        path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
        mine = {
            name: value for name, value in os.environ.items() if not name.startswith(("TATPAR_", "PYTHON"))
        }
        self._process = subprocess.Popen(
            [*enter, "bash", "--noprofile", "--norc"],
            cwd=folder,
            env={**mine, "PATH": path, "HOME": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._said = b""
        self.is_taken = False

    def type(self, block: Block, within_s: float) -> str:
        assert self._process.stdin is not None
        self._said = b""
        self._process.stdin.write(f"{block.typed}\necho {_DONE} $?\n".encode())
        self._process.stdin.flush()
        self.is_taken = block.lasts
        phrases = block.says if block.lasts else (_DONE,)
        said = self._hear(phrases, within_s)
        return said if block.lasts else said.partition(_DONE)[0]

    def interrupt(self, within_s: float) -> str:
        """To everything in the terminal's foreground: what the shell has started."""
        for child in psutil.Process(self._process.pid).children():
            child.send_signal(signal.SIGINT)
        return self._hear((_DONE,), within_s)

    def _hear(self, phrases: tuple[str, ...], within_s: float) -> str:
        assert self._process.stdout is not None
        until = time.monotonic() + within_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while (absent := missing(self._text, phrases)) is not None:
                left = until - time.monotonic()
                assert left > 0, f"not within {within_s:g} s: {absent!r}; it said:\n{self._text}"
                if selector.select(left):
                    more = os.read(self._process.stdout.fileno(), 65536)
                    assert more, f"the shell ended; it said:\n{self._text}"
                    self._said += more
        return self._text

    @property
    def _text(self) -> str:
        return self._said.decode(errors="replace")

    def close(self) -> None:
        """End what runs here, gently first."""
        shell = psutil.Process(self._process.pid)
        below = shell.children(recursive=True)
        for child in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.terminate()
        _, left = psutil.wait_procs(below, timeout=60)
        for process in [*left, shell]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
