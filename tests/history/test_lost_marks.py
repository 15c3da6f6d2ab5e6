"""A mark of a lost packet is found however it is kept: as a word, a number or a truth, in CSV as in Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd  # type: ignore[import-untyped,unused-ignore]
import pytest

if TYPE_CHECKING:
    from conftest import Desk

MAPPING = (
    '[time]\ncolumn = "t"\n[site]\nis = "agra"\n[path]\nis = "main.state"\n[ping]\nrtt = { column = "rtt" }\n'
)
TIMES = pd.date_range("2026-11-20 09:00", periods=4, freq="15s", tz="UTC")


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize(
    ("lost", "marks"),
    [
        (pd.Series([1.0, 0.0, 0.0, 0.0]), None),
        (pd.Series([1.0, 0.0, None, 0.0]), None),
        (pd.Series([1, 0, 0, 0]), None),
        (pd.Series([1, 0, None, 0], dtype="Int64"), None),
        (pd.Series([True, False, False, False]), None),
        (pd.Series([True, False, None, False], dtype="boolean"), None),
        (pd.Series([True, False, None, False], dtype=object), None),
        (pd.Series([True, False, False, False]), ["1"]),
        (pd.Series([0.0, 1.0, 1.0, 1.0]), ["0"]),
        (pd.Series([False, True, True, True]), ["0"]),
        (pd.Series([0, 1, 1, 1]), ["false"]),
        (pd.Series(["Lost ", "ok", "", "10"]), None),
        (pd.Series([4.0, 1.0, 2.0, 3.0]), ["4.00"]),
    ],
)
def test_a_mark_is_found_however_it_is_kept(
    desk: Desk, ending: str, lost: pd.Series, marks: list[str] | None
) -> None:
    """The first of four packets; what is not known is no mark."""
    frame: Any = pd.DataFrame({"t": TIMES, "rtt": [40.0] * 4, "lost": lost})
    file = desk.folder / f"a.{ending}"
    if ending == "csv":
        frame.to_csv(file, index=False)
    else:
        frame.to_parquet(file)
    told = "" if marks is None else f", marks = {marks}"
    done = desk.imports([file], desk.writes("m.toml", f'{MAPPING}lost = {{ column = "lost"{told} }}\n'))
    assert done.exit_code == 0, done.output
    values = desk.rollups().window_values
    assert values["sent"][0, :4].tolist() == [1, 1, 1, 1]
    assert values["lost"][0, :4].tolist() == [1, 0, 0, 0]
