"""The office's agent as a program of its own, which `tatpar probe` becomes once all is checked.

Nothing then stays of what reading options and settings took, and the agent can do without numpy
(`telemetry.array_choice`), so that an office's machine holds as little as it can. The process keeps its number and its
environment; who started it sees no difference.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from probes.publishing.office_settings import OfficeSettings


class OfficeError(Exception):
    """The agent ended otherwise than it was asked to; the text says why, in one line."""


def can_become() -> bool:
    """Whether this process is `tatpar` itself and not a program that calls it, on a system where a program can take another's place."""
    main = sys.modules["__main__"]
    started_as = main.__spec__.name if main.__spec__ is not None else Path(sys.argv[0]).name
    return os.name == "posix" and started_as in {"tatpar", "tatpar.__main__"}


def become(config_file: Path, data_dir: Path, log_format: str) -> NoReturn:
    """Go on as the agent alone.

    Raises:
        OSError: the interpreter cannot be started.
    """
    from probes.child_process import environment  # noqa: PLC0415

    # -P: nothing is imported from the folder that we are started in
    arguments = [sys.executable, "-P", "-m", __name__, str(config_file), str(data_dir), log_format]
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # it is where somebody started us with the stream closed
            stream.flush()
    _fill_closed_streams()
    os.execve(sys.executable, arguments, environment())  # noqa: S606 - our own interpreter, no shell


def _fill_closed_streams() -> None:
    """Nothing where a standard stream was closed, so that no file of the agent's gets its number and what is meant for the stream."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(
                os.open(os.devnull, os.O_RDWR), True
            )  # the lowest number that is free, which is this one


def run(office: OfficeSettings, *, once_s: float | None = None) -> str | None:
    """Measure until stopped; or, with `once_s`, try for so long and say what came of it.

    Raises:
        OfficeError: the measuring process could not be started or failed for good, or the trial did not succeed.
    """
    import asyncio  # noqa: PLC0415

    from probes.lean_memory import one_heap  # noqa: PLC0415

    one_heap()
    try:
        # of Windows' event loops only this one can watch sockets
        loop = asyncio.SelectorEventLoop if os.name == "nt" else None
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(_run(office, once_s=once_s))
    except OSError as error:
        raise OfficeError(f"the measuring process cannot be started: {error.strerror or error}") from error
    except ExceptionGroup as faults:
        raise OfficeError(f"the measurer failed: {faults.exceptions[0]}; start the probe again") from faults


async def _run(office: OfficeSettings, *, once_s: float | None) -> str | None:
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from probes.measuring.measurer import Measurer  # noqa: PLC0415
    from probes.publishing.agent import Agent  # noqa: PLC0415
    from tatpar.service.notify import serving  # noqa: PLC0415
    from telemetry.clock import SystemClock  # noqa: PLC0415

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows' event loop has none
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    agent = Agent([office], Measurer(), clock=SystemClock())
    if once_s is None:
        async with serving(f"measuring for {office.key}"):
            await agent.run(stop)
        return None
    running = asyncio.create_task(agent.run(stop), name="agent")
    running.add_done_callback(lambda _: stop.set())  # should it fail, there is nothing to wait for
    trial = await agent.offices[office.key].tried(once_s, stop)
    stop.set()
    await running
    failure = trial.failure(once_s)
    if failure is not None:
        raise OfficeError(f"{office.key}: {failure}")
    return f"{office.key}: the hub has stored a report: {trial.told()}"


def main(config_file: str, data_dir: str, log_format: str) -> int:
    """The agent with settings that were found right; the exit status, as that of `tatpar probe`."""
    from config.errors import ConfigError  # noqa: PLC0415
    from probes.publishing.probe_file import load_probe_file  # noqa: PLC0415
    from tatpar.service.logs import set_up  # noqa: PLC0415
    from telemetry.array_choice import without_numpy  # noqa: PLC0415

    try:
        office = load_probe_file(Path(config_file), Path(data_dir))
        if not office.call_interface:  # the meter of live calls is numpy's through and through
            without_numpy()
        set_up(log_format)
        run(office)
    except ConfigError as error:  # changed since it was checked
        sys.stderr.write(f"{error}\n")
        return 2
    except OfficeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:  # in the moment before signals are watched
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
