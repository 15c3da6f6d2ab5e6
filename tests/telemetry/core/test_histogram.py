"""The histogram grid: one for everyone, right within one percent, mergeable in any order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from telemetry import histogram
from telemetry.histogram_grid import BINS, CEILING_NS, FLOOR_NS

durations = st.integers(FLOOR_NS, CEILING_NS)
samples = arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 2 * CEILING_NS))


@given(durations)
def test_a_duration_is_at_most_one_percent_from_its_bin(duration) -> None:
    """From 1 µs to 60 s."""
    value = float(histogram.value_ns(histogram.bin_of(duration)))
    assert abs(value - duration) <= 0.01 * duration


@pytest.mark.parametrize(
    ("duration", "index"),
    [(0, 0), (1, 0), (1000, 0), (1001, 1), (1020, 1), (1021, 2), (CEILING_NS * 100, BINS - 1)],
)
def test_the_ends_of_the_grid_take_what_lies_beyond(duration, index) -> None:
    """All below 1 µs in the first bin, all above 60 s in the last; a bin holds its upper edge."""
    assert histogram.bin_of(duration) == index


def test_the_grid_is_frozen() -> None:
    """Stored histograms hang on it: never change it."""
    assert (histogram.RATIO, FLOOR_NS, CEILING_NS, BINS) == (1.02, 1_000, 60_000_000_000, 906)
    found = histogram.bin_of([1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 6e10])
    assert found.tolist() == [0, 117, 233, 349, 466, 582, 698, 905]


@given(durations, st.integers(0, 10**9))
def test_bins_rise_with_durations(duration, more) -> None:
    """A longer duration never lies in a lower bin."""
    assert histogram.bin_of(duration) <= histogram.bin_of(duration + more)


@given(st.lists(samples, max_size=5), st.randoms())
def test_merging_is_associative_and_knows_no_order(parts, random) -> None:
    """Merging histograms is the histogram of all samples, in whatever order and grouping."""
    whole = histogram.sparse(np.concatenate(parts)) if parts else ()
    sparse = [histogram.sparse(part) for part in parts]
    assert histogram.merge(sparse) == whole
    random.shuffle(sparse)
    at = random.randint(0, len(sparse))
    assert histogram.merge([histogram.merge(sparse[:at]), histogram.merge(sparse[at:])]) == whole


@given(samples)
def test_the_wire_form_has_rising_bins_and_all_the_samples(some) -> None:
    """Pairs of bin and count; dense and back is the same."""
    pairs = histogram.sparse(some)
    assert list(pairs[0::2]) == sorted(set(histogram.bin_of(some).tolist()))
    assert sum(pairs[1::2]) == len(some)
    dense = histogram.dense(pairs)
    assert dense.shape == (BINS,)
    assert histogram.merge([pairs]) == pairs
    assert dense.sum() == len(some)


@given(arrays(np.int64, st.integers(1, 200), elements=durations), st.floats(0.001, 1.0))
def test_percentiles_are_within_one_percent_of_the_nearest_rank(some, p) -> None:
    """RFC 2330 11.3: the smallest sample with F(x) >= p."""
    ordered = np.sort(some)
    nearest = ordered[max(math.ceil(p * len(some) - 1e-9), 1) - 1]
    (found,) = histogram.percentiles_ns(histogram.dense(histogram.sparse(some)), [p])
    assert abs(found - nearest) <= 0.01 * nearest


def test_an_empty_histogram_has_no_percentiles() -> None:
    """NaN, not zero; beside others that have some."""
    counts = np.stack([histogram.dense(()), histogram.dense((5, 3))])
    found = histogram.percentiles_ns(counts, [0.5, 1.0])
    assert np.isnan(found[0]).all()
    assert (found[1] == histogram.value_ns(5)).all()
    assert histogram.sparse([]) == ()
    assert histogram.merge([]) == ()
