"""Whose arrays `telemetry.arrays` gives out: said once by a program, before anything that calculates is loaded."""

from __future__ import annotations

import sys
from typing import Literal

Kind = Literal["numpy", "plain"]
_choice: list[Kind] = []


def without_numpy() -> None:
    """This process works out figures with plain lists.

    Raises:
        RuntimeError: modules that calculate are loaded already, and hold numpy's.
    """
    if "telemetry.arrays" in sys.modules and made() != "plain":
        raise RuntimeError("telemetry.arrays is loaded already; choose before")
    _choice[:] = ["plain"]


def made() -> Kind:
    """What was chosen: numpy, where nobody said otherwise."""
    return _choice[0] if _choice else "numpy"
