"""The edges that a vector may hold and the public file does not: nothing at all, one packet, all of them lost, nothing known.

What is expected is worked out by hand from the definitions; where a figure has no value, null stands.
"""

from __future__ import annotations

from typing import Any, Final

_NO_PDV: Final = dict.fromkeys(("d_min", "pdv_p50", "pdv_p95", "pdv_p99", "pdv_p99.9"))
_NO_COUNTS: Final = dict.fromkeys(("c11", "c13", "c14", "c22", "c23", "c33"), 0)
EDGES: Final[tuple[tuple[str, dict[str, Any], dict[str, Any]], ...]] = (
    (
        "rfc3550_jitter",
        {"send": [], "arrival": []},
        {"jitter_float": 0, "jitter_float_series": [], "jitter_q4": 0, "jitter_int": 0},
    ),
    ("rfc3550_jitter", {"send": [7], "arrival": [30]}, {"jitter_float": 0, "jitter_float_series": [0]}),
    ("rfc5481_pdv_ipdv", {"delay_ms": []}, {"ipdv": [], "pdv": [], **_NO_PDV}),
    (
        "rfc5481_pdv_ipdv",
        {"delay_ms": [None, None]},
        {"ipdv": [None, None], "pdv": [None, None], **_NO_PDV},
    ),
    (
        "rfc5481_pdv_ipdv",
        {"delay_ms": [9, None, 5, 6]},
        {"ipdv": [None, None, None, 1], "pdv": [4, None, 0, 1], "d_min": 5, "ipdv_abs_mean": 1},
    ),
    ("rfc2330_percentile", {"values": [], "p": 50}, {"value": None}),
    ("rfc2330_percentile", {"values": [3], "p": 1}, {"value": 3}),
    (
        "rfc3357_loss_pattern",
        {"loss": [], "delta": 1},
        {"loss_distance": [], "loss_period": [], "losses": 0, "loss_period_lengths": []},
    ),
    (
        "rfc3357_loss_pattern",
        {"loss": [1, 1, 1], "delta": 1},
        {"loss_distance": [0, 1, 1], "loss_period": [1, 1, 1], "noticeable_losses": 2, "losses": 3}
        | {"loss_period_total": 1, "loss_period_lengths": [3], "inter_loss_period_lengths": [0]},
    ),
    (
        "rfc3611_burst_gap",
        {"pattern": "", "gmin": 16},
        {"n": 0, "bursts": [], "burst_density": 0, "gap_density": 0, "gap_duration_mean_ms": 0}
        | {"a2_counters": _NO_COUNTS},
    ),
    ("rfc3611_burst_gap", {"pattern": "0", "gmin": 1}, {"bursts": [], "gap_density": 1}),
    (
        "rfc3611_burst_gap",
        {"pattern": "010", "gmin": 1},
        {"bursts": [], "burst_density": 0, "gap_density": 2 / 3},
    ),
    ("rfc3611_burst_gap", {"pattern": "010", "gmin": 2}, {"bursts": [[0, 2, 2]], "burst_density": 2 / 3}),
    (
        "rfc4737_reordering",
        {"arrival_seq": []},
        {"reordered_seq": [], "ratio": 0, "extent": {}, "gaps": [], "free_runs": [], "x": 0, "a": 0, "p": 0},
    ),
    ("rfc5560_duplication", {"sent": [1], "arrived": []}, {"fraction": 0, "replicated": 0, "lost": 1}),
    ("burst_ratio", {"loss": [], "runlength": None}, {"BurstR": 1, "Ppl_pct": 0}),
    ("burst_ratio", {"loss": None, "runlength": []}, {"BurstR": 1, "Ppl_pct": 0}),
    ("burst_ratio", {"loss": [1, 1], "runlength": None}, {"BurstR": 0, "Ppl_pct": 100}),
    (
        "stamp_directional_loss",
        {"replies": []},
        {"forward_lost": 0, "backward_lost": 0, "roundtrip_lost": 0},
    ),
    ("emodel_mos_to_r", {"MOS": 0.9}, {"R": None}),
    ("emodel_wb", {"Ie_wb": 13, "Bpl_wb": None, "Ppl_pct": 1, "Ta_ms": 0}, {"R": None, "MOS_CQEW": None}),
    ("lastmile_diurnal", {"A_ms": 4, "phase": 0, "noise": 0, "days": 1}, {"amp_ms": None, "daily": False}),
)
