"""A million mutated messages through the collector's intake into a real store: no crash, no rubbish, every refusal counted."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from collector.outcome import RefusalCode
from tests.fuzz.intake import RECEIVED_NS, bases, topics
from tests.fuzz.mutator import Mutator

MESSAGES = 1_000_000
PROCESSES = 2
SEED = 20261125
HOUSE = Path(__file__).parents[2]


async def half(number: int, folder: Path) -> dict[str, Any]:
    """One process's share."""
    await asyncio.to_thread(folder.mkdir)
    arguments = (str(SEED + number), str(MESSAGES // PROCESSES), str(folder))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fuzz.intake", *arguments),
        cwd=HOUSE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, failed = await process.communicate()
    assert said, failed.decode()[-3000:]
    figures: dict[str, Any] = json.loads(said)
    return figures


async def test_a_million_mutated_messages_store_no_rubbish(tmp_path: Path) -> None:
    """What is stored passes a second, independent reading; what is refused has a reason in one line, counted by code."""
    halves = await asyncio.gather(*(half(number, tmp_path / str(number)) for number in range(PROCESSES)))
    assert [line for one in halves for line in one["wrong"]] == []
    assert sum(one["messages"] for one in halves) == MESSAGES
    refused = {code: sum(one["refused"].get(code, 0) for one in halves) for code in RefusalCode}
    reached = {code for code, number in refused.items() if number}
    assert reached >= {"topic", "retained", "too_large", "malformed", "foreign", "unknown_site", "not_linked", "off_grid", "clock"}  # fmt: skip
    assert refused.get("unstorable", 0) == 0
    stored, redated = (sum(one[name] for one in halves) for name in ("stored", "redated"))
    assert stored > MESSAGES / 10
    assert redated > MESSAGES / 100


def test_the_same_seed_draws_the_same_messages() -> None:
    """A failure can be drawn again."""
    one, other = (Mutator(7, bases(), RECEIVED_NS, topics()) for _ in range(2))
    assert [one.draw() for _ in range(2000)] == [other.draw() for _ in range(2000)]
