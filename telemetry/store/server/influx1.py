"""InfluxDB 1.x: the line protocol at `/write`, databases and retention policies made by InfluxQL."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

from telemetry.store.server.database import DeniedError, Problem, Wrong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.store.server.database import Place
    from telemetry.store.server.wire import Http

POLICY: Final = "tatpar"


class Influx1:
    """How to write, look and make in a 1.x server."""

    def __init__(self, http: Http, place: Place) -> None:
        self._http, self._where = http, place.where
        self._database, self._days = place.bucket, math.ceil(place.days)

    def write(self, lines: Sequence[str]) -> None:
        """One request; HTTP 400 is partial success here: the good lines are stored, one fault is named."""
        asked = {"db": self._database, "precision": "ms"}
        self._http.call("POST", "/write", asked, "\n".join(lines).encode())

    def examine(self) -> list[Problem]:
        """Is the database there, and does it keep long enough."""
        names = [row[0] for row in self._rows("SHOW DATABASES")]
        if self._database not in names:
            text = f"there is no database {self._database}"
            return [Problem(Wrong.MISSING, text, "run: tatpar store init")]
        for name, duration, *_rest, is_default in self._rows(
            f'SHOW RETENTION POLICIES ON "{self._database}"'
        ):
            number, unit, _ = str(duration).partition("h")
            hours = int(number) if unit else 0  # `0s` is for ever
            if is_default and 0 < hours < 24 * self._days:
                text = f"retention policy {name} keeps {hours / 24:.0f} days, the settings want {self._days}"
                return [Problem(Wrong.FORGETS, text, "run: tatpar store init", grave=False)]
        return []

    def create(self) -> list[str]:
        """Database and retention policy."""
        self._rows(f'CREATE DATABASE "{self._database}"')
        policies = {row[0] for row in self._rows(f'SHOW RETENTION POLICIES ON "{self._database}"')}
        verb = "ALTER" if POLICY in policies else "CREATE"
        self._rows(
            f'{verb} RETENTION POLICY "{POLICY}" ON "{self._database}" DURATION {self._days}d'
            f"{' REPLICATION 1' if verb == 'CREATE' else ''} SHARD DURATION 7d DEFAULT"
        )
        return [f"database {self._database}", f"retention policy {POLICY}: {self._days} days"]

    def _rows(self, text: str) -> list[list[object]]:
        body = msgspec.json.decode(self._http.call("POST", "/query", {"q": text}))
        out: list[list[object]] = []
        for result in body.get("results", ()):
            if "error" in result:
                raise DeniedError(f"{self._where}: {result['error']}; asked: {text}")
            for series in result.get("series", ()):
                out += series.get("values", ())
        return out

    def close(self) -> None:
        """The connections are the reader's."""
