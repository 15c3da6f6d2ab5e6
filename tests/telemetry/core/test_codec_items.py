"""Items that break a rule: kept as they came, with a reason that says where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from telemetry import codec
from telemetry.histogram_grid import BINS
from telemetry.messages import Opaque, Stream

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "stream.json").read_text("utf-8"))["items"][0]


def changed(path: str, value: object) -> bytes:
    item = json.loads(json.dumps(GOLDEN))
    *inner, last = path.split(".")
    target = item
    for key in inner:
        target = target[key]
    target[last] = value
    return json.dumps(item).encode()


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("rtt.hist", [1], "hist must be pairs of bin and count - at `$.rtt`"),
        (
            "rtt.hist",
            [5, 1, 4, 1],
            f"hist must hold rising bins below {BINS} with positive counts - at `$.rtt`",
        ),
        (
            "rtt.hist",
            [5, 1, 5, 1],
            f"hist must hold rising bins below {BINS} with positive counts - at `$.rtt`",
        ),
        ("rtt.hist", [5, 0], f"hist must hold rising bins below {BINS} with positive counts - at `$.rtt`"),
        (
            "up.pdv_hist",
            [-1, 1],
            f"pdv_hist must hold rising bins below {BINS} with positive counts - at `$.up`",
        ),
        (
            "up.pdv_hist",
            [BINS, 1],
            f"pdv_hist must hold rising bins below {BINS} with positive counts - at `$.up`",
        ),
        (
            "up.ipdv_hist",
            [5, 2**32],
            f"ipdv_hist must hold rising bins below {BINS} with positive counts - at `$.up`",
        ),
        ("lost", 1, "received 728 + lost 1 are not sent 750"),
        ("lost_unattributed", 4, "up.lost + down.lost + lost_unattributed are not lost"),
        ("up.lost", 700, "received 731 + lost 700 exceed sent 750 - at `$.up`"),
        ("rtt.hist", [5, 729], "rtt.hist holds 729 samples of 728 packets"),
        ("up.pdv_hist", [5, 734], "pdv_hist holds 734 samples of 733 packets - at `$.up`"),
        ("down.ipdv_hist", [5, 729], "ipdv_hist holds 729 samples of 728 packets - at `$.down`"),
        ("rtt.min_ms", 21.0, "min_ms, p50_ms, p95_ms, p99_ms, max_ms do not rise - at `$.rtt`"),
        ("rtt.mean_ms", 62.0, "mean_ms 62.0 lies outside of 18.5 to 61.125 - at `$.rtt`"),
        ("worst_200ms_lost", 11, "worst_200ms_lost 11 exceeds worst_200ms_sent 10"),
        ("up.worst_200ms_lost", 11, "worst_200ms_lost 11 exceeds worst_200ms_sent 10 - at `$.up`"),
        ("longest_loss_run", 23, "longest_loss_run 23 exceeds lost 22"),
        ("stamps.t1", 9, "Invalid enum value 9 - at `$.stamps.t1`"),
        ("up.jitter_ms", -1.0, "Expected `float` >= 0.0 - at `$.up.jitter_ms`"),
        ("sent", 10**20, "Expected `int` <= 9007199254740991 - at `$.sent`"),
    ],
)
def test_an_item_that_breaks_a_rule_is_kept_with_the_reason(path, value, reason) -> None:
    """The bytes stay as they came."""
    raw = changed(path, value)
    assert codec.decode_item(raw) == Opaque(raw, reason)


@pytest.mark.parametrize("hist", [[], [0, 1], [BINS - 1, 728], [0, 1, 1, 1, BINS - 1, 726]])
def test_histograms_at_their_limits_are_taken(hist) -> None:
    """First and last bin, as many samples as packets."""
    item = codec.decode_item(changed("rtt.hist", hist))
    assert isinstance(item, Stream)
    assert item.rtt.hist == tuple(hist)


def test_a_tombstone_that_runs_backwards_is_not_taken_for_one() -> None:
    """It would write off what it cannot mean."""
    raw = b'{"type":"tombstone","first_seq":5,"last_seq":4,"from_ns":0,"until_ns":0,"reason":"x"}'
    assert codec.decode_item(raw) == Opaque(raw, "first_seq 5 lies after last_seq 4")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (
            b'{"type":"tombstone","first_seq":4,"last_seq":5,"from_ns":9,"until_ns":8,"reason":"x"}',
            "from_ns 9 lies after until_ns 8",
        ),
        (b'{"type":"ping","target":"gateway","sent":3,"received":4}', "received 4 exceed sent 3"),
    ],
)
def test_other_items_that_cannot_be_are_kept_with_the_reason(raw, reason) -> None:
    """Time that runs backwards; more answers than questions."""
    assert codec.decode_item(raw) == Opaque(raw, reason)
