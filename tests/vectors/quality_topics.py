"""Quality scores: which function answers which topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analytics.quality import mos, teams
from analytics.quality.change_scores import change_weights, window_score
from analytics.quality.cusum import cusum_upper
from analytics.quality.daily_swing import SwingClass, daily_swing
from analytics.quality.impairments import Sensitivity, delay_impairment
from analytics.quality.multimedia import multimedia_quality
from analytics.quality.narrowband import narrowband
from analytics.quality.network_classes import CLASSES, classes_met
from analytics.quality.video import COEFFICIENTS, video_quality
from analytics.quality.wider_bands import fullband, wideband

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
_NONE: Final = float("nan")


def _number(given: Json, name: str, default: float) -> float:
    """A number that may be absent or null."""
    value = given.get(name)
    return default if value is None else value


def _narrowband(given: Json) -> Json:
    delay = _number(given, "Ta", _number(given, "delay_oneway_ms", 0))
    found = narrowband(
        delay,
        _number(given, "Ppl_pct", 0),
        ie=_number(given, "Ie", 0),
        bpl=_number(given, "Bpl", _NONE),
        burst_ratio=_number(given, "BurstR", 1),
        echo=(_number(given, "T", 0), _number(given, "Tr", 0)),
    )
    return {
        "R": float(found.r),
        "MOS": float(found.mos),
        "Idd": float(found.idd),
        "Id": float(found.delay),
        "Ie_eff": float(found.ie_eff),
    }


def _idd(given: Json) -> Json:
    sensitivity = Sensitivity(_number(given, "sT", 1), _number(given, "mT", 100))
    return {"Idd": float(delay_impairment(given["Ta_ms"], sensitivity))}


def _band(model: Callable[..., Any], kind: str, mos_name: str) -> Callable[[Json], Json]:
    def answer(given: Json) -> Json:
        found = model(
            _number(given, "Ta_ms", 0),
            _number(given, "Ppl_pct", 0),
            ie=given[f"Ie_{kind}"],
            bpl=_number(given, f"Bpl_{kind}", _NONE),
            burst_ratio=_number(given, "BurstR", 1),
        )
        return {"R": float(found.r), mos_name: float(found.mos)}

    return answer


def _gob_pow(given: Json) -> Json:
    return {
        "GoB_pct": float(mos.good_or_better_pct(given["R"])),
        "PoW_pct": float(mos.poor_or_worse_pct(given["R"])),
    }


def _video(given: Json) -> Json:
    found = video_quality(
        given["bitrate_kbps"], given["fps"], _number(given, "loss_pct", 0), COEFFICIENTS[given["coef"]]
    )
    return {
        "Ofr": float(found.optimal_fps),
        "IOfr": float(found.best),
        "DFrV": float(found.fps_spread),
        "Icoding": float(found.coding),
        "DPplV": float(found.loss_tolerance_pct),
        "Vq": float(found.vq),
    }


def _multimedia(given: Json) -> Json:
    found = multimedia_quality(given["Sq"], given["Vq"], given["Ts_ms"], given["Tv_ms"], given["display"])
    return {
        "MMsv": float(found.together),
        "AD": float(found.absolute_delay),
        "MS": float(found.media_sync),
        "MMt": float(found.delay),
        "MMq": float(found.mmq),
    }


def _classes(given: Json) -> Json:
    met = classes_met(*(_number(given, name, _NONE) for name in ("iptd_mean_ms", "ipdv_ms", "iplr")))
    return {"met": [name for name, fits in zip(CLASSES, met, strict=True) if fits]}


def _teams(given: Json) -> Json:
    names = {
        "latency_oneway": "oneway_ms",
        "latency_rtt": "rtt_ms",
        "burst_loss": "burst_loss_200ms_max",
        "loss": "loss_15s_max",
        "jitter": "jitter_15s_max_ms",
        "reorder": "reorder",
    }
    found = teams.violations({name: _number(given, key, _NONE) for name, key in names.items()})
    return {"violations": [name for name, missed in found.items() if missed]}


def _audio_class(given: Json) -> Json:
    names = {
        "rtt_ms": "rtt_ms",
        "loss_ratio": "loss",
        "jitter_ms": "jitter_ms",
        "concealed_ratio": "concealed",
        "degradation": "degradation",
    }
    found = teams.audio_class({name: _number(given, key, _NONE) for name, key in names.items()})
    return {"classification": teams.StreamClass(int(found)).name.capitalize()}


def _window_score(given: Json) -> Json:
    found = window_score(given["fact"], given["detected"], given["window"])
    return {
        "tp": found.matched,
        "fp": found.false,
        "fn": found.missed,
        "precision": found.precision,
        "recall": found.recall,
        "dis": found.distance,
    }


def _weights(given: Json) -> Json:
    return {"weights": change_weights(given["trace"], given["fact"]).tolist()}


def _daily_swing(given: Json) -> Json:
    t = np.arange(given["days"] * 48) / 2
    noise = given["noise"] * np.random.default_rng(7).standard_normal(len(t))
    found = daily_swing(given["A_ms"] / 2 * np.sin(2 * np.pi * t / 24 + given["phase"]) + noise)
    return {
        "amp_ms": float(found.swing_ms),
        "peak_freq_per_h": float(found.peak_per_hour),
        "daily": bool(found.daily),
        "classification": SwingClass(int(found.grade)).name.lower(),
    }


def _cusum(given: Json) -> Json:
    samples = [_NONE if x is None else x for x in given["x"]]
    found = cusum_upper(samples, given["mu"], given["k"], given["h"])
    return {"S": found.level.tolist(), "alarms": np.flatnonzero(found.alarm).tolist()}


QUALITY_TOPICS: Final[dict[str, Callable[[Json], Json]]] = {
    "cpt_weight": _weights,
    "cpt_window_score": _window_score,
    "cqd_audio_stream": _audio_class,
    "cusum_upper": _cusum,
    "emodel_fb": _band(fullband, "fb", "MOS_CQEF"),
    "emodel_gob_pow": _gob_pow,
    "emodel_idd": _idd,
    "emodel_mos_to_r": lambda given: {"R": float(mos.r_of_mos(given["MOS"]))},
    "emodel_nb": _narrowband,
    "emodel_r_to_mos": lambda given: {"MOS": float(mos.mos_of_r(given["R"]))},
    "emodel_wb": _band(wideband, "wb", "MOS_CQEW"),
    "g1070_mmq": _multimedia,
    "g1070_vq": _video,
    "lastmile_diurnal": _daily_swing,
    "teams_network_targets": _teams,
    "y1541_class": _classes,
}
