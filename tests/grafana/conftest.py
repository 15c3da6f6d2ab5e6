"""A store on a real server, filled through our own writer."""

from __future__ import annotations

from tests.telemetry.store.conftest import fleet, servers

__all__ = ["fleet", "servers"]
