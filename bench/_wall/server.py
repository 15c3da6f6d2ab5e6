"""The wall's server in a process of its own, as `tatpar wall` runs it: prints its address, serves until its input ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from config.live import LiveConfig
from dashboards.wall.app import create_app
from dashboards.wall.serve import address, listen, serve_on
from telemetry.state.db import StateDb
from telemetry.store.sqlite import SqliteReader

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def serving(settings: Path, data: Path) -> Iterator[tuple[str, int]]:
    """A server over a folder; its address and the process's id."""
    command = [sys.executable, "-m", "bench._wall.server", str(settings), str(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            told = process.stdout.readline().strip()
            if not told:
                raise RuntimeError("the wall's server did not start")
            yield told, process.pid
        finally:
            with suppress(OSError):
                process.stdin.close()
            process.wait(30)


def main(settings: Path, data: Path) -> None:
    listener = listen("127.0.0.1", 0)
    reader, state = SqliteReader(data / "reports.db"), StateDb(data / "state.db")
    print(address(listener), flush=True)

    async def serve() -> None:
        task = asyncio.create_task(serve_on(create_app(LiveConfig(settings), reader, state), listener))
        await asyncio.to_thread(sys.stdin.read)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(serve())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
