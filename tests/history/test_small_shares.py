"""A column of losses that the mapping calls per cent, but looks like shares of 1, is asked about; nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from conftest import Desk

T0_S = 20_780 * DAY_NS // SECOND_NS


@pytest.mark.parametrize(
    ("unit", "losses", "asked"),
    [
        ("pct", [0, 0.2, 1], "1"),
        ("pct", [0, 0.25, 0.05], "0.25"),
        ("pct", [0, 0.25, 1.5], None),
        ("pct", [0, 0, 0], None),
        ("ratio", [0, 0.2, 1], None),
    ],
)
def test_per_cent_that_are_at_most_one_are_asked_about(
    desk: Desk, unit: str, losses: list[float], asked: str | None
) -> None:
    """The file is imported all the same: a line may lose as little as that."""
    mapping = desk.writes(
        "m.toml",
        '[time]\ncolumn = "t"\nformat = "unix_s"\n[site]\nis = "agra"\n[path]\nis = "main.state"\n[summary]\ncadence_s = 60\n'
        f'sent = {{ is = 60 }}\nloss = {{ column = "lost", unit = "{unit}" }}\nrtt_mean = {{ column = "rtt" }}\n',
    )
    rows = "".join(f"{T0_S + 60 * minute},{loss},40\n" for minute, loss in enumerate(losses))
    file = desk.writes("a.csv", "t,lost,rtt\n" + rows)
    done = desk.imports([file], mapping)
    assert done.exit_code == 0, done.output
    said = [line for line in done.stderr.splitlines() if line.startswith(f"{file}: ")]
    question = (
        f"{file}: lost is {asked} at most, taken for per cent as the mapping says; "
        'if it is a share of 1, write unit = "ratio" and import it again'
    )
    assert said == ([] if asked is None else [question])
