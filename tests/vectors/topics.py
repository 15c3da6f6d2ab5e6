"""Which function of the house answers which topic of the vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from quality_topics import QUALITY_TOPICS
from stamp_topics import STAMP_TOPICS

from telemetry.metrics import jitter, loss_pattern, two_way
from telemetry.metrics.burst_gap import burst_gap, transition_counts
from telemetry.metrics.delay_variation import ipdv, pdv
from telemetry.metrics.duplication import duplication
from telemetry.metrics.percentile import nearest_rank
from telemetry.metrics.reordering import reordering

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


def _jitter(given: Json) -> Json:
    series = jitter.interarrival_jitter(given["send"], given["arrival"])
    state = jitter.interarrival_jitter_scaled(given["send"], given["arrival"])
    return {
        "jitter_float": float(series[-1]) if len(series) else 0.0,
        "jitter_float_series": series.tolist(),
        "jitter_q4": state,
        "jitter_int": state >> 4,
    }


def _fraction_lost(given: Json) -> Json:
    return {"fraction": jitter.fraction_lost(given["expected_interval"], given["received_interval"])}


def _delay_variation(given: Json) -> Json:
    delay = [np.nan if d is None else d for d in given["delay_ms"]]
    steps, above = ipdv(delay), pdv(delay)
    known = above[~np.isnan(above)]
    p50, p95, p99, p999 = nearest_rank(known, (0.5, 0.95, 0.99, 0.999)).tolist()
    magnitude = np.abs(steps[~np.isnan(steps)])
    least = float(np.nanmin(delay)) if len(known) else float("nan")
    out = {"ipdv": steps.tolist(), "pdv": above.tolist(), "d_min": least}
    out |= {"pdv_p50": p50, "pdv_p95": p95, "pdv_p99": p99, "pdv_p99.9": p999}
    if len(magnitude):
        out["ipdv_abs_mean"] = float(magnitude.mean())
    return out


def _percentile(given: Json) -> Json:
    return {"value": float(nearest_rank(given["values"], [given["p"] / 100])[0])}


def _loss_pattern(given: Json) -> Json:
    found = loss_pattern.loss_pattern(given["loss"])
    return {
        "loss_distance": found.distance.tolist(),
        "loss_period": found.period.tolist(),
        "noticeable_losses": found.noticeable(given["delta"]),
        "losses": found.losses,
        "loss_period_total": len(found.period_lengths),
        "loss_period_lengths": found.period_lengths.tolist(),
        "inter_loss_period_lengths": found.inter_period_lengths.tolist(),
    }


def _burst_gap(given: Json) -> Json:
    pattern, gmin, step = given["pattern"], given.get("gmin", 16), given.get("packet_ms", 20.0)
    event = [symbol != "1" for symbol in pattern]
    found = burst_gap(event, gmin)
    gap_total = found.gap_duration(step) * np.count_nonzero(_gaps(found))
    counts = transition_counts(event, gmin)
    return {
        "n": len(pattern),
        "loss": pattern.count("0"),
        "discard": pattern.count("X"),
        "bursts": np.stack((found.first, found.last, found.events), axis=1).tolist(),
        "burst_density": found.burst_density,
        "gap_density": found.gap_density,
        "burst_duration_mean_ms": found.burst_duration(step),
        "gap_duration_mean_ms": found.gap_duration(step),
        "gap_duration_total_ms": float(gap_total),
        "a2_counters": {name: getattr(counts, name) for name in ("c11", "c13", "c14", "c22", "c23", "c33")},
    }


def _gaps(found: Any) -> Any:
    return np.append(found.first, found.packets) - np.concatenate(([0], found.last + 1)) > 0


def _reordering(given: Json) -> Json:
    found = reordering(given["arrival_seq"])
    names = found.sequence[found.reordered].tolist()
    keyed = dict(zip(map(str, names), found.extent.tolist(), strict=True))
    n = dict(zip(map(str, names), found.n_reordering().tolist(), strict=True))
    runs = found.free_runs()
    out: Json = {
        "reordered_seq": names,
        "ratio": found.ratio,
        "extent": keyed,
        "n_reordering": {name: value for name, value in n.items() if value},
        "gaps": np.stack(found.gaps(), axis=1).tolist(),
        "free_runs": runs.tolist(),
        "x": len(names),
        "a": len(found.sequence) - len(names),
        "p": len(found.sequence),
        "q": int((runs**2).sum()),
    }
    if "dst_time_ms" in given:
        late = found.late_time(given["dst_time_ms"]).tolist()
        out["late_time"] = dict(zip(map(str, names), late, strict=True))
        held = found.byte_offset(given["payload"]).tolist()
        out["byte_offset"] = dict(zip(map(str, names), held, strict=True))
    return out


def _duplication(given: Json) -> Json:
    found = duplication(given["arrived"])
    return {
        "fraction": found.fraction,
        "replicated": found.replicated_rate,
        "lost": len(set(given["sent"]) - set(given["arrived"])),
    }


def _burst_ratio(given: Json) -> Json:
    if given["loss"] is not None:
        lost = np.asarray(given["loss"], dtype=bool)
    else:
        kinds, lengths = np.reshape(given["runlength"], (-1, 2)).astype(np.int64).T
        lost = np.repeat(kinds.astype(bool), lengths)
    return {
        "BurstR": loss_pattern.burst_ratio(lost),
        "Ppl_pct": 100 * np.count_nonzero(lost) / max(len(lost), 1),
    }


def _stamp_delay(given: Json) -> Json:
    found = two_way.delays(*(given[name] for name in ("t1_ns", "t2_ns", "t3_ns", "t4_ns")))
    return {
        "rtt_ns": found.rtt_ns,
        "forward_ns": found.up_ns,
        "backward_ns": found.down_ns,
        "residence_ns": found.residence_ns,
        "ntp_offset_ns": found.offset_ns,
    }


def _directional_loss(given: Json) -> Json:
    sender, reflector = np.reshape(given["replies"], (-1, 2)).astype(np.int64).T
    found = two_way.directional_loss(sender, reflector)
    return {
        "forward_lost": found.up,
        "backward_lost": found.down,
        "roundtrip_lost": found.total,
        "window": "first..last received reply",
    }


TOPICS: Final[dict[str, Callable[[Json], Json]]] = {
    "rfc2330_percentile": _percentile,
    "rfc3357_loss_pattern": _loss_pattern,
    "rfc3550_fraction_lost": _fraction_lost,
    "rfc3550_jitter": _jitter,
    "rfc3611_burst_gap": _burst_gap,
    "rfc4737_reordering": _reordering,
    "rfc5481_pdv_ipdv": _delay_variation,
    "rfc5560_duplication": _duplication,
    "burst_ratio": _burst_ratio,
    "stamp_delay": _stamp_delay,
    "stamp_directional_loss": _directional_loss,
    **QUALITY_TOPICS,
    **STAMP_TOPICS,
}

NOT_BUILT_YET: Final[dict[str, str]] = {}
