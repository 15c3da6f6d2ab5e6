"""The reflector as a child process: started when it says where it listens, ended with its owner."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from probes.child_process import command, environment
from probes.reflecting.reflector import Reflector
from probes.reflecting.reflector_keys import ReflectorKeysError, read_keys
from probes.reflecting.reflector_policy import ReflectorPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import Any, Self

START_S: Final = 15.0
STOP_S: Final = 3.0
NICE: Final = -10


class ReflectorProcess:
    """Runs a `Reflector` in a process of its own.

    Args:
        binds: `(host, port)`, port 0 for a free one.
        stateful: number replies per session.
        keys_file: keys of the offices (`reflector_keys`); `read_keys_again` after a change.
        rehearsal_bps: what rehearsals may load the line with, each way; 0 for none.
        log_file: where its complaints and its final counters go; None leaves them on our own standard error.
    """

    def __init__(
        self,
        binds: Sequence[tuple[str, int]],
        *,
        stateful: bool = True,
        log_file: Path | None = None,
        keys_file: Path | None = None,
        rehearsal_bps: float = 0.0,
    ) -> None:
        self._binds = list(binds)
        self._stateful = stateful
        self._log_file = log_file
        self._keys_file = keys_file
        self._rehearsal_bps = rehearsal_bps
        self._process: subprocess.Popen[bytes] | None = None
        self.addresses: list[tuple[str, int]] = []
        """Where it listens, in the order of `binds`."""

    @property
    def process_id(self) -> int | None:
        """The child, while it runs."""
        return None if self._process is None else self._process.pid

    @property
    def ended_with(self) -> int | None:
        """The status with which it has ended by itself (of a signal its negative number); None while it runs, and when it was stopped."""
        return None if self._process is None else self._process.poll()

    def start_again(self) -> None:
        """Start one that has ended, at the addresses that it had.

        Raises:
            OSError: as `start`.
        """
        self.stop()
        self._binds = self.addresses
        self.start()

    def start(self) -> list[tuple[str, int]]:
        """Start it and wait until it listens.

        Raises:
            OSError: it cannot be started, or cannot bind; the message says what and where.
        """
        keys = None if self._keys_file is None else str(self._keys_file)
        arguments = json.dumps(
            {
                "binds": self._binds,
                "stateful": self._stateful,
                "keys": keys,
                "rehearsal_bps": self._rehearsal_bps,
            }
        )
        with contextlib.ExitStack() as stack:
            log = None if self._log_file is None else stack.enter_context(self._log_file.open("ab"))
            self._process = subprocess.Popen(
                command("probes.reflecting.reflector_process", arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(),
            )
        answer = self._first_line()
        if "error" in answer:
            self.stop()
            why = str(answer["error"])
            raise OSError(answer["errno"], why) if answer["errno"] else OSError(why)
        self.addresses = [(str(host), int(port)) for host, port in answer["addresses"]]
        return self.addresses

    def _first_line(self) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdout is None:
            raise OSError("the reflector process has no output")
        ready, _, _ = select.select([process.stdout], [], [], START_S)
        line = process.stdout.readline() if ready else b""
        if not line:
            self.stop()
            raise OSError("the reflector process ended, or said nothing, before it listened")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def read_keys_again(self) -> None:
        """The keys file has changed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End it; kills what does not end by itself."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _end_with_owner(reflector: Reflector) -> None:
    """Wait for the end of standard input, which comes when the owner is gone, however it went."""
    while os.read(0, 4096):
        pass
    reflector.stop()


def main() -> None:
    """The child: say where it listens, then reflect until SIGTERM or the owner's end."""
    wanted = json.loads(sys.argv[1])
    binds = [(str(host), int(port)) for host, port in wanted["binds"]]
    keys_file = Path(wanted["keys"]) if wanted["keys"] else None
    try:
        keys = read_keys(keys_file) if keys_file is not None else {}
        policy = ReflectorPolicy(keys=keys, rehearsal_bps=float(wanted["rehearsal_bps"]))
        reflector = Reflector(binds, stateful=bool(wanted["stateful"]), policy=policy)
    except (OSError, ReflectorKeysError) as error:
        why = getattr(error, "strerror", None) or str(error)
        told = {"error": f"cannot reflect on {binds}: {why}", "errno": getattr(error, "errno", None)}
        sys.stdout.write(json.dumps(told) + "\n")
        raise SystemExit(1) from None

    def stop(_signal: int, _frame: FrameType | None) -> None:
        reflector.stop()

    def read_again(_signal: int, _frame: FrameType | None) -> None:
        """The keys as they are now; when the file is wrong, those before stay."""
        if keys_file is not None:
            with contextlib.suppress(OSError, ReflectorKeysError):
                reflector.set_keys(read_keys(keys_file))

    signal.signal(signal.SIGHUP, read_again)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the terminal is the owner's to handle
    with contextlib.suppress(OSError):  # only with the privilege to do so: T3 is stamped in the program
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    with reflector:
        sys.stdout.write(json.dumps({"addresses": reflector.addresses}) + "\n")
        sys.stdout.flush()
        threading.Thread(target=_end_with_owner, args=(reflector,), name="owner's end", daemon=True).start()
        reflector.serve()
        sys.stderr.write(json.dumps({"reflector": reflector.counters.as_dict()}) + "\n")


if __name__ == "__main__":
    main()
