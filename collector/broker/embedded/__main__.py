"""The embedded broker as a process: `python -m collector.broker.embedded HOST PORT [CREDENTIALS_FILE]`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from collector.broker.embedded.server import Broker

log = logging.getLogger("broker")


async def _serve(host: str, port: int, user: str, password: str) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[int] = loop.create_future()
    serving = asyncio.create_task(
        Broker(user=user, password=password).serve(host, port, ready), name="broker"
    )
    ready.add_done_callback(
        lambda done: log.info(
            "listening on %s:%d",
            host,
            done.result(),
            extra={"event": "embedded-broker.listening", "address": f"{host}:{done.result()}"},
        )
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def main(arguments: list[str]) -> int:
    """Serve until told to stop; 1 when the address cannot be had."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    host, port = arguments[0], int(arguments[1])
    user, password = "", ""
    if len(arguments) > 2:
        user, _, password = Path(arguments[2]).read_text().rstrip("\n").partition(":")
    try:
        asyncio.run(_serve(host, port, user, password))
    except OSError as error:
        extra = {"event": "embedded-broker.not-started", "reason": error.strerror}
        log.error("cannot listen on %s:%d: %s", host, port, error.strerror, extra=extra)  # noqa: TRY400
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
