"""How the embedded broker is started: as a process of its own, so that a busy hub does not hold up its clients."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from collector.broker.child import Recipe

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Broker


def recipe(settings: Broker, port: int, data_dir: Path) -> Recipe:
    """Write the credentials where only we can read them, and say how to start it.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = (data_dir / "broker").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    logs = (data_dir / "logs").absolute()
    command = [sys.executable, "-P", "-m", "collector.broker.embedded", settings.host, str(port)]
    if settings.user:
        credentials = folder / "credentials"
        descriptor = os.open(credentials, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{settings.user}:{settings.password}\n")
        command.append(str(credentials))
    return Recipe(
        name="the embedded broker",
        command=tuple(command),
        host=settings.host,
        port=port,
        log_file=logs / "broker.log",
        pid_file=folder / "broker.pid",
        user=settings.user,
        password=settings.password,
    )
