"""Threads for what would block the event loop: the disk (fsync) and the network (names, connects, TLS).

Two pools, so that a name server that does not answer never delays a report on its way to the disk.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
R = TypeVar("R")

DISK_THREADS: Final = 4
NETWORK_THREADS: Final = 8


class Workers:
    """Both pools, shared by all offices of the process; a context manager."""

    def __init__(self, disk_threads: int = DISK_THREADS, network_threads: int = NETWORK_THREADS) -> None:
        self.disk = ThreadPoolExecutor(disk_threads, thread_name_prefix="spool")
        self.network = ThreadPoolExecutor(network_threads, thread_name_prefix="connect")

    async def on_disk(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a call that touches the disk."""
        return await asyncio.get_running_loop().run_in_executor(self.disk, partial(call, *args, **kwargs))

    async def in_network(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a call that may wait for the network."""
        return await asyncio.get_running_loop().run_in_executor(self.network, partial(call, *args, **kwargs))

    def close(self) -> None:
        """Let the disk finish; abandon connects that still hang (they end by their own timeouts)."""
        self.network.shutdown(wait=False, cancel_futures=True)
        self.disk.shutdown(wait=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
