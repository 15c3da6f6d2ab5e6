"""The grid of our histograms and their form on the wire, apart from the arithmetic: who only checks a message needs no numpy."""

from __future__ import annotations

import math
from typing import Final

RATIO: Final = 1.02
FLOOR_NS: Final = 1_000
CEILING_NS: Final = 60_000_000_000
BINS: Final = math.ceil(math.log(CEILING_NS / FLOOR_NS) / math.log(RATIO)) + 1

Sparse = tuple[int, ...]
"""Flat pairs `(bin, count, bin, count, …)` with rising bins and positive counts: the form on the wire."""
