"""What figures of one window must keep, whoever sent them."""

from __future__ import annotations

from operator import lt

from telemetry.histogram_grid import BINS, Sparse


def check_pairs(pairs: Sparse, where: str, most: int | None = None) -> None:
    """Refuse what is no histogram, or one of more samples than there can be.

    Raises:
        ValueError: in words for whoever sent it, with the field's name.
    """
    if len(pairs) % 2:
        raise ValueError(f"{where} must be pairs of bin and count")
    if not pairs:
        return
    bins, counts = pairs[0::2], pairs[1::2]
    rising = all(map(lt, bins, bins[1:]))  # every histogram of every report passes here: no loop in Python
    if not (rising and bins[0] >= 0 and bins[-1] < BINS and _are_positive(counts)):
        raise ValueError(f"{where} must hold rising bins below {BINS} with positive counts")
    if most is not None and sum(counts) > most:
        raise ValueError(f"{where} holds {sum(counts)} samples of {most} packets")


def check_worst(lost: int, sent: int) -> None:
    """Refuse a worst 200 ms in which more was lost than sent.

    Raises:
        ValueError: it is one.
    """
    if lost > sent:
        raise ValueError(f"worst_200ms_lost {lost} exceeds worst_200ms_sent {sent}")


def _are_positive(counts: Sparse) -> bool:
    try:
        # nearly always below 256, and then this is the quickest look at all of them
        return 0 not in bytes(counts)
    except ValueError:
        return min(counts) > 0 and max(counts) < 2**32
