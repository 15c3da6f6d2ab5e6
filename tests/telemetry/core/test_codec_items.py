"""Items that break a rule: kept as they came, with a reason that says where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from telemetry import codec
from telemetry.histogram import BINS
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
        ("stamps.t1", 9, "Invalid enum value 9 - at `$.stamps.t1`"),
        ("up.jitter_ms", -1.0, "Expected `float` >= 0.0 - at `$.up.jitter_ms`"),
        ("sent", 10**20, "Expected `int` <= 9007199254740991 - at `$.sent`"),
    ],
)
def test_an_item_that_breaks_a_rule_is_kept_with_the_reason(path, value, reason) -> None:
    """The bytes stay as they came."""
    raw = changed(path, value)
    assert codec.decode_item(raw) == Opaque(raw, reason)


@pytest.mark.parametrize("hist", [[], [0, 1], [BINS - 1, 2**32 - 1], [0, 1, 1, 1, BINS - 1, 7]])
def test_histograms_at_their_limits_are_taken(hist) -> None:
    """First and last bin, greatest count."""
    item = codec.decode_item(changed("rtt.hist", hist))
    assert isinstance(item, Stream)
    assert item.rtt.hist == tuple(hist)


def test_a_tombstone_that_runs_backwards_is_not_taken_for_one() -> None:
    """It would write off what it cannot mean."""
    raw = b'{"type":"tombstone","first_seq":5,"last_seq":4,"from_ns":0,"until_ns":0,"reason":"x"}'
    assert codec.decode_item(raw) == Opaque(raw, "first_seq 5 lies after last_seq 4")
