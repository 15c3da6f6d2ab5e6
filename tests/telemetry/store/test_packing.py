"""Packed columns come back bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from telemetry.store import packing
from telemetry.store.errors import StoreError
from telemetry.store.packed_tables import pack_histograms, unpack_histograms
from telemetry.store.ragged import ragged, row

EXTREME = np.iinfo(np.int64)


def same(found: np.ndarray, wanted: np.ndarray) -> None:
    """Equal to the last bit: 0.0 is not -0.0, and one NaN is as good as another."""
    if wanted.dtype.kind == "f":
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(
            np.signbit(found[~np.isnan(found)]), np.signbit(wanted[~np.isnan(wanted)])
        )
    np.testing.assert_array_equal(found, wanted)


def column_sets(rows: int) -> st.SearchStrategy[dict[str, np.ndarray]]:
    measured = st.one_of(
        st.integers(0, 10**10).map(lambda n: n / 1e6),
        st.integers(0, 10**6).map(float),
        st.just(float("nan")),
        st.floats(),
    )
    return st.dictionaries(
        st.text("abcxyz", min_size=1, max_size=3),
        st.one_of(
            arrays(np.int64, rows, elements=st.integers(-(2**40), 2**40)),
            arrays(np.int64, rows, elements=st.integers(EXTREME.min, EXTREME.max)),
            arrays(np.int32, rows, elements=st.integers(0, 3)),
            arrays(np.float64, rows, elements=measured),
            arrays(np.float32, rows, elements=st.floats(width=32)),
            st.just(np.full(rows, np.nan)),
        ),
        min_size=1,
        max_size=6,
    )


@given(st.integers(0, 40).flatmap(column_sets))
@settings(max_examples=150, deadline=None)
def test_any_columns_come_back_as_they_were(columns) -> None:
    """Integers of any width, decimals, NaN, infinities, negative zero, no rows."""
    found = packing.unpack(packing.pack(columns))
    assert set(found) == set(columns)
    for name, wanted in columns.items():
        same(found[name], wanted)
    some = list(columns)[::2]
    narrow = packing.unpack(packing.pack(columns), some)
    assert set(narrow) == set(some)
    for name in some:
        same(narrow[name], columns[name])


def test_measured_columns_pack_small() -> None:
    """Counts that hardly differ and times on a grid cost next to nothing; a time of day in µs about three bytes."""
    rng = np.random.default_rng(1)
    counts = {f"c{i}": rng.integers(148, 151, 480) for i in range(20)}
    times = {"start": np.arange(480) * 15_000_000_000 + 1_800_000_000_000_000_000}
    assert len(packing.pack(counts | times)) < 480 * 20 * 0.5
    decimals = {"ms": np.round(rng.lognormal(3, 0.5, 480), 3)}
    assert len(packing.pack(decimals)) < 480 * 3


@pytest.mark.parametrize("damage", [b"", b"x" * 40, "cut", "swap"])
def test_damaged_bytes_are_said_to_be_damaged(damage) -> None:
    """Whatever happened to a block, the answer is one clear error."""
    good = packing.pack({"a": np.arange(1000) ** 2, "b": np.random.default_rng(1).random(1000)})
    bad = {"cut": good[: len(good) // 2], "swap": packing.compress(b"\xff" * 64)}.get(damage, damage)
    with pytest.raises(StoreError, match="damaged"):
        packing.unpack(bad)


@given(
    st.lists(
        st.tuples(*[st.dictionaries(st.integers(0, 905), st.integers(1, 2**32 - 1), max_size=6)] * 2),
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None)
def test_histograms_come_back_as_they_were(rows) -> None:
    """Any rows, also empty ones and none."""
    wire = [[tuple(x for pair in sorted(h.items()) for x in pair) for h in pair] for pair in rows]
    tables = {"first": ragged([pair[0] for pair in wire]), "second": ragged([pair[1] for pair in wire])}
    found = unpack_histograms(pack_histograms(tables), ("first", "second"))
    for k, name in enumerate(tables):
        assert [row(found[name], i) for i in range(len(rows))] == [pair[k] for pair in wire]
