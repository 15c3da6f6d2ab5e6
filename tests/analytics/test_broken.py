"""Broken windows of many roll-ups: each is judged by itself, whichever others are looked at beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.broken import broken_windows
from analytics.judge import judge
from config.profiles import Limits

if TYPE_CHECKING:
    from conftest import Bench
    from numpy.typing import NDArray

BURSTS = Limits(loss_ratio=0.05, burst_loss_ratio=0.1)
WAYS = ("", "up_", "down_")


def with_a_burst(made: Bench, way: str) -> dict[str, NDArray[np.float32]]:
    """Two roll-ups at 50 packets a second, in one window of the first 5 of 10 lost in 200 ms one way; the other ways are not told there."""
    values = made.values((2, 20), pps=50)
    for each in WAYS:
        values[f"{each}worst_200ms_sent"][...], values[f"{each}worst_200ms_lost"][...] = 10, 0
        if each != way:
            values[f"{each}worst_200ms_sent"][0] = values[f"{each}worst_200ms_lost"][0] = np.nan
    values["lost"][0, 3] = values[f"{way}worst_200ms_lost"][0, 3] = 5
    if way:
        values[f"{way}lost"][0, 3] = 5
    return values


@pytest.mark.parametrize("way", WAYS)
def test_a_burst_breaks_its_window_whatever_lies_beside_it(made: Bench, way: str) -> None:
    """Alone, beside a sound roll-up, and as the judge has it."""
    values = with_a_burst(made, way)
    alone = {name: column[:1] for name, column in values.items()}
    assert judge(alone, BURSTS).breaks.sum() == 1
    assert broken_windows(alone, [BURSTS]).tolist() == [[1]]
    assert broken_windows(values, [BURSTS]).tolist() == [[1, 0]]
    assert broken_windows(values, []).shape == (0, 2)
