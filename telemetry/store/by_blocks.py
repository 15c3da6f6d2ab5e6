"""Work over many offices, block by block: here, in some processes, or on Dask workers; those read the store themselves.

A piece of work is a module's function `(reader, job)`; a job is a small frozen record that says which offices and which
span. Whoever does the work opens the store where it is, so figures travel and roll-ups do not, and no more
than a few blocks are under way at a time. The answers come in the order of the jobs: the same numbers either way.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from telemetry.store.errors import StoreError
from telemetry.store.open import open_reader, store_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from config.settings import Store
    from telemetry.store.protocol import StoreReader

J = TypeVar("J")
R = TypeVar("R")

ANSWER_S: Final = 10.0
"""A scheduler that does not answer for so long is not there."""
WORKERS_S: Final = 60.0
"""So long a scheduler may be without any worker."""
SCHEMES: Final = ("tcp", "tls", "ws", "wss", "ucx")
"""Ways to reach a scheduler; the first where an address names none."""
AHEAD: Final = 2
"""Blocks under way for each worker's thread: one in work, one waiting."""


class SchedulerError(Exception):
    """The Dask scheduler or its workers cannot do the work; the message says what to do."""


def check_address(address: str) -> None:
    """That it names a host and a port. Dask itself keeps a half-made client of any other, and waits for it at the end.

    Raises:
        SchedulerError: it does not.
    """
    try:
        parts = urlsplit(address if "://" in address else f"{SCHEMES[0]}://{address}")
        whole = parts.scheme in SCHEMES and parts.hostname and parts.port and not parts.path.strip("/")
    except ValueError:  # a port that is no number, or a bracket that is not closed
        whole = False
    if not whole:
        raise SchedulerError(
            f'--scheduler: "{address}" is no address of a scheduler; write its host and port, as tcp://10.0.0.5:8786'
        )


def check_installed() -> None:
    """That Dask is here, whole: it is an extra that no other command needs.

    Raises:
        SchedulerError: it is not.
    """
    try:
        import distributed  # noqa: PLC0415, F401 - half a second, and only for those who ask for it
    except ImportError as error:
        raise SchedulerError(
            f"--scheduler: Dask is not installed here ({_short(error)});"
            " install it with `pip install 'tatpar[hub,scale]'`, or leave --scheduler out"
        ) from None


class Blocks(Protocol):
    """Does work block by block."""

    def each(self, work: Callable[[StoreReader, J], R], jobs: Sequence[J]) -> Iterator[R]:
        """The answers to all jobs, in their order."""
        ...


class InProcess:
    """Here, one block after the other, with a reader that is open already."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader

    def each(self, work: Callable[[StoreReader, J], R], jobs: Sequence[J]) -> Iterator[R]:
        """The answers to all jobs, in their order."""
        return (work(self._reader, job) for job in jobs)


class InProcesses:
    """In some processes of this machine, each with a reader of its own: for long work of the command line, never within the hub."""

    def __init__(self, processes: int, settings: Store, data_dir: Path) -> None:
        self._store = (settings, data_dir.absolute())
        self._pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
        self._processes = processes

    def each(self, work: Callable[[StoreReader, J], R], jobs: Sequence[J]) -> Iterator[R]:
        """The answers to all jobs, in their order.

        Raises:
            StoreError: the store cannot be read, or a process was killed.
        """
        waiting: deque[Future[R]] = deque()
        left = iter(jobs)
        try:
            while True:
                for job in left:
                    waiting.append(self._pool.submit(_there, self._store, work, job))
                    if len(waiting) >= self._processes * AHEAD:
                        break
                if not waiting:
                    return
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise StoreError(f"a process that read the store was ended: {_short(error)}") from error
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)


class OnDask:
    """On the workers of a Dask scheduler. They need this release of Tatpar, and the store: its server, or the same data folder."""

    def __init__(self, address: str, settings: Store, data_dir: Path) -> None:
        """Find the scheduler.

        Raises:
            SchedulerError: it is no address, Dask is not installed, nobody answers there, or it has no workers.
        """
        check_address(address)
        check_installed()
        from distributed import Client  # noqa: PLC0415

        self._store = (settings, data_dir.absolute())
        try:
            self._client = Client(address, timeout=ANSWER_S, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError, ImportError) as error:
            raise SchedulerError(
                f"--scheduler {address}: no scheduler answers ({_short(error)});"
                " start one with `dask scheduler`, or leave --scheduler out"
            ) from None
        try:
            self._client.wait_for_workers(1, timeout=WORKERS_S)
        except TimeoutError:
            self.close()
            raise SchedulerError(
                f"--scheduler {address}: it has no workers; start some with `dask worker {address}`"
            ) from None

    def each(self, work: Callable[[StoreReader, J], R], jobs: Sequence[J]) -> Iterator[R]:
        """The answers to all jobs, in their order.

        Raises:
            SchedulerError: a worker was lost again and again, or cannot do the work.
            StoreError: a worker cannot read the store.
        """
        from distributed.scheduler import KilledWorker  # noqa: PLC0415

        threads = sum(self._client.nthreads().values())  # type: ignore[no-untyped-call]
        waiting: deque[Any] = deque()
        left = iter(jobs)
        try:
            while True:
                for job in left:
                    waiting.append(self._client.submit(_there, self._store, work, job, pure=False))
                    if len(waiting) >= max(threads, 1) * AHEAD:
                        break
                if not waiting:
                    return
                yield waiting.popleft().result()
        except (KilledWorker, ModuleNotFoundError) as error:
            raise SchedulerError(f"the Dask workers cannot do the work: {_short(error)}") from error
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """Leave the scheduler; it goes on without us."""
        self._client.close()  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def blocks_of(
    scheduler: str | None, reader: StoreReader, settings: Store, data_dir: Path
) -> Iterator[Blocks]:
    """Here, or on the scheduler's workers where one is named.

    Raises:
        SchedulerError: nobody answers there, or it has no workers.
    """
    if scheduler is None:
        yield InProcess(reader)
        return
    with OnDask(scheduler, settings, data_dir) as on_dask:
        yield on_dask


def _there(store: tuple[Store, Path], work: Callable[[StoreReader, J], R], job: J) -> R:
    """On a worker or in a process: open the store and do one block."""
    settings, data_dir = store
    file = store_file(settings, data_dir)
    if not file.exists():  # to read it would be to find an empty past
        raise StoreError(
            f"{file} is not there for the worker on {socket.gethostname()}:"
            " let it see the same data folder, or use a database server"
        )
    with contextlib.closing(open_reader(settings, data_dir)) as reader:
        return work(reader, job)


def _short(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
