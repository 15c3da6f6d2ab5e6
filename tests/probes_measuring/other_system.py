"""Run by `test_other_systems`: the probe on a machine that has none of Linux's names (`sitecustomize` beside it hides them).

Prints as JSON what was measured through a reflector at HOST PORT.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
import sys
import time

import probes

LINUX_ONLY = ("probes.reflecting.reflector", "probes.rehearsing")
"""What an office's agent does not load."""
ENOUGH = 150


def imported() -> list[str]:
    """Modules that cannot be imported, with the reason."""
    failed = []
    for module in pkgutil.walk_packages(probes.__path__, "probes."):
        if module.name.startswith(LINUX_ONLY):
            continue
        try:
            importlib.import_module(module.name)
        except Exception as error:  # noqa: BLE001 - that is the question
            failed.append(f"{module.name}: {type(error).__name__}: {error}")
    return failed


async def measured(host: str, port: int) -> dict[str, object]:
    """Fifty packets a second for as long as it takes to have 150 of them judged."""
    from probes.measuring.measurer import Measurer
    from probes.measuring.session import Session
    from tests.probes_measuring.judging import judged, until

    measurer = Measurer()
    await measurer.start()
    began = time.monotonic()
    await measurer.set_sessions([Session("office", "main.state", host, port, rate_pps=50.0)])
    await until(lambda: judged(measurer) >= ENOUGH)
    await measurer.stop()
    streams = [stream async for window in measurer.windows() for stream in window.streams]
    return {
        "seconds": time.monotonic() - began,
        "sent": sum(one.sent for one in streams),
        "lost": sum(one.lost for one in streams),
        "t1": sorted({one.stamps.t1.name for one in streams}),
        "t2": sorted({one.stamps.t2.name for one in streams}),
        "t4": sorted({one.stamps.t4.name for one in streams}),
        "stateful": all(one.stateful for one in streams),
        "rtt_min_ms": min(one.rtt.min_ms for one in streams if one.rtt),
        "restarts": measurer.counters.process_restarts,
    }


def main() -> None:
    """Import, then measure."""
    from probes.kernel.system import HAS_BATCHES, HAS_PAIRS

    assert not HAS_BATCHES
    assert not HAS_PAIRS
    found = {"not importable": imported()}
    found |= asyncio.run(measured(sys.argv[1], int(sys.argv[2])))
    print(json.dumps(found))  # noqa: T201 - to the test


if __name__ == "__main__":
    main()
