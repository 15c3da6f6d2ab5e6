"""Interarrival jitter, RFC 3550 section 6.4.1 and appendix A.8."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.arrays import np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

GAIN: Final = 1 / 16
_DECAY: Final = 1 - GAIN
_BLOCK: Final = 128
_POWERS: Final = np.array([_DECAY**k for k in range(1, _BLOCK + 1)], dtype=np.float64)
"""Not numpy's power, whose last bit differs between processors."""
_SCALE: Final = GAIN / _POWERS  # (16/15)^128 is 3.9e3: no digits are lost within a block


def smoothed(differences: ArrayLike, before: float = 0.0) -> NDArray[np.float64]:
    """J after each packet: `J_i = J_{i-1} + (|D_i| - J_{i-1}) / 16`, with `before` the J carried in.

    Args:
        differences: D_i, shape (n,): change of transit time between packets in order of ARRIVAL, any unit.
        before: J before the first of them, same unit.

    Returns:
        J_i, shape (n,). The recursion is solved in closed form by blocks of 128.
    """
    d = np.abs(np.asarray(differences, dtype=np.float64))
    out = np.empty_like(d)
    for begin in range(0, len(d), _BLOCK):
        part = d[begin : begin + _BLOCK]
        n = len(part)
        out[begin : begin + n] = (before + np.cumsum(part * _SCALE[:n])) * _POWERS[:n]
        before = float(out[begin + n - 1])
    return out


def interarrival_jitter(send: ArrayLike, arrival: ArrayLike) -> NDArray[np.float64]:
    """J after each packet of a session, packets in order of arrival; J_0 = 0.

    Args:
        send: send times, shape (n,). A constant offset between the two clocks cancels.
        arrival: arrival times in the same unit, shape (n,), not falling.
    """
    transit = np.asarray(arrival, dtype=np.float64) - np.asarray(send, dtype=np.float64)
    return smoothed(np.diff(transit, prepend=transit[:1]))


def interarrival_jitter_scaled(send: ArrayLike, arrival: ArrayLike) -> int:
    """State of the integer form of A.8 after the last packet, scaled by 16: `jitter = state >> 4`.

    Rounding makes this form a true recursion; it is for comparing with RTCP reports, not for hot paths.
    """
    transit = np.asarray(arrival, dtype=np.int64) - np.asarray(send, dtype=np.int64)
    state = 0
    for d in np.abs(np.diff(transit)).tolist():
        state += d - ((state + 8) >> 4)
    return state


def fraction_lost(expected: int, received: int) -> int:
    """Fraction lost of an interval in 256ths (RFC 3550 A.3); 0 when more came than expected.

    256 when nothing came, as the formula gives it: the 8 bits of a report cannot hold that.
    """
    lost = expected - received
    return 0 if expected == 0 or lost <= 0 else (lost << 8) // expected
