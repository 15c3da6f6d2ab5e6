"""A meeting's call profile as the ladder that its offices climb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.profiles import ladder_of
from telemetry.rehearsing import RungWanted

if TYPE_CHECKING:
    from config.profiles import CallProfile

AUDIO_BPS: Final = 150_000
AUDIO_FRAMES_PER_S: Final = 50.0
VIDEO_FRAMES_PER_S: Final = 30.0
MOST: Final = 8


def rungs_of(profiles: dict[str, CallProfile], profile: str) -> tuple[RungWanted, ...]:
    """The profiles of the same ladder up to this one, easiest first, each at the rate below which it breaks.

    Rates and limits are those of the alarm (what breaks a window); a profile that states no rate is no rung.
    """
    rungs = [_rung(one) for one in reversed(ladder_of(profiles, profile))]
    return tuple(rung for rung in rungs if rung is not None)[-MOST:]


def _rung(profile: CallProfile) -> RungWanted | None:
    alarm, target = profile.alarm, profile.target
    up = alarm.bitrate_up_bps or target.bitrate_up_bps
    down = alarm.bitrate_down_bps or target.bitrate_down_bps
    if up is None or down is None:
        return None
    audio = max(up, down) <= AUDIO_BPS
    return RungWanted(
        name=profile.id[:32],
        up_bps=up,
        down_bps=down,
        frames_per_s=AUDIO_FRAMES_PER_S if audio else VIDEO_FRAMES_PER_S,
        loss_ratio=alarm.loss_ratio,
        burst_loss_ratio=alarm.burst_loss_ratio,
        jitter_ms=alarm.jitter_ms,
        rtt_ms=alarm.rtt_ms,
    )
