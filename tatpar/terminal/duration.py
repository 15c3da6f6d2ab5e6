"""A span of time on the command line."""

from __future__ import annotations

import re
from typing import Any, Final

import click

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)?")
_SECONDS: Final = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class Duration(click.ParamType[float]):
    """A span of time as people write it: `90`, `90s`, `5m`, `2h`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - click's signature
        """Seconds."""
        if isinstance(value, float):
            return value
        match = _DURATION.fullmatch(str(value))
        if match is None or float(match.group(1)) <= 0:
            self.fail(f"`{value}` is no span of time; write for example 90s, 5m or 2h", param, ctx)
        return float(match.group(1)) * _SECONDS[match.group(2)]
