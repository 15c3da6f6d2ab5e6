"""A link that carries all IP: two network namespaces, office and hub, and between them a line that can be impaired.

ICMP, TCP, UDP and other people's programs cross it unchanged: `link.run(["ping", "-c", "3", link.address("hub")], side="office")`.
Needs root and /dev/net/tun; the relays (`lab.line.relay`, `lab.line.tcp_relay`) need neither.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from lab.errors import LabError
from lab.line.impairment import CLEAR
from lab.tun.addresses import HUB, OFFICE
from lab.tun.channel import R, ask
from lab.tun.namespaces import check_rights, ip_program, make_pair, remove
from lab.tun.truth import TunTruth, read_tun_truth
from lab.tun.wire import AskCounts, Counts, Done, Request, SetUp, SetWays

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from lab.line.impairment import Impairment

Side = Literal["office", "hub"]
_PATIENCE_S: Final = 30.0


class TunLink:
    """A running link; a context manager."""

    def __init__(self, folder: Path, *, seed: str = "link") -> None:
        """Prepare a link.

        Args:
            folder: where its truth log and the words of its process go.
            seed: the same packets at the same times meet the same fates.
        """
        self._folder = folder
        self._seed = seed
        self._names: tuple[str, str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = None
        self._started: list[subprocess.Popen[Any]] = []

    def start(self) -> None:
        """Make namespaces and devices; a clear line until told otherwise.

        Raises:
            LabError: there is no right to, or something is missing; one line that says what.
        """
        check_rights()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._names = make_pair()
        try:
            self._start_process()
            truth = str(self._folder / "truth")
            self._ask(SetUp(office=self._names[0], hub=self._names[1], seed=self._seed, truth=truth), Done)
        except BaseException:
            self.stop()
            raise

    def _start_process(self) -> None:
        ours, theirs = socket.socketpair()
        ours.settimeout(_PATIENCE_S)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        with theirs, (self._folder / "link.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lab.tun.process", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # the terminal's Ctrl-C is the owner's; and the scheduler shares by session
            )
        self._sock = ours

    def set(self, *, up: Impairment = CLEAR, down: Impairment = CLEAR) -> None:
        """What the two directions do from now on; it is in force when this returns."""
        self._ask(SetWays(up, down), Done)

    def counts(self) -> Counts:
        """What has passed so far, also what the link itself had to drop or could not stamp."""
        return self._ask(AskCounts(), Counts)

    def truth(self) -> TunTruth:
        """What became of every packet so far."""
        self.counts()  # has the log written out
        return read_tun_truth(self._folder / "truth")

    @staticmethod
    def address(side: Side, version: int = 4) -> str:
        """Address of an end."""
        return (OFFICE if side == "office" else HUB).by(version)

    def command(self, words: Sequence[str], side: Side) -> list[str]:
        """The command line that runs `words` at an end; as a process it is `words` itself, not a child.

        Raises:
            LabError: the link does not run.
        """
        if self._names is None:
            raise LabError("the link does not run")
        return [ip_program(), "netns", "exec", self._names[side == "hub"], *words]

    def run(
        self, words: Sequence[str], *, side: Side, timeout_s: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a program at an end, to its end; the caller looks at its status and words.

        Raises:
            subprocess.TimeoutExpired: it took longer.
        """
        command = self.command(words, side)
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)

    def begin(self, words: Sequence[str], *, side: Side, **options: Any) -> subprocess.Popen[Any]:  # noqa: ANN401 - Popen's
        """Start a program at an end; what still runs when the link stops is ended."""
        process = subprocess.Popen(self.command(words, side), **options)
        self._started.append(process)
        return process

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Names of the namespaces while the link runs: office, hub."""
        return self._names or ()

    @property
    def process_id(self) -> int | None:
        """The link's process."""
        return None if self._process is None else self._process.pid

    def stop(self) -> None:
        """End what was begun on the link, then the link; nothing of it is left."""
        for process in self._started:
            _end(process)
        self._started.clear()
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        if self._process is not None:
            _end(self._process)
            self._process = None
        if self._names is not None:
            remove(self._names)
            self._names = None

    def _ask(self, request: Request, kind: type[R]) -> R:
        if self._sock is None:
            raise LabError("the link does not run")
        try:
            return ask(self._sock, request, kind)
        except OSError as error:
            raise LabError(f"the link's process has ended; see {self._folder / 'link.log'}") from error

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _end(process: subprocess.Popen[Any]) -> None:
    """End a process, in order if it will, and take its status."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5.0)
    if process.poll() is None:
        process.kill()
        process.wait()
