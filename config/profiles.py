"""Call profiles: what a platform needs of a line at one resolution."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

AUDIO_MOST_BPS: Final = 128_000
"""Of the built-in profiles none asks more than 100 kbit/s for sound, and none less than 384 kbit/s for a picture."""


class Limits(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Limits over the vendors' own windows; an absent limit is not judged."""

    loss_ratio: float | None = None
    """Per direction, any 15 s."""
    burst_loss_ratio: float | None = None
    """Per direction, any 200 ms."""
    jitter_ms: float | None = None
    """RFC 3550, per direction, any 15 s."""
    rtt_ms: float | None = None
    """95th percentile of a window."""
    rtt_above_floor_ms: float | None = None
    """The same, above the line's own floor (`analytics.floor`)."""
    bitrate_up_bps: float | None = None
    bitrate_down_bps: float | None = None


class CallProfile(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One platform at one resolution: `target` is what it should be, `alarm` what breaks a window."""

    id: str
    name_en: str
    name_hi: str
    rank: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
    """Higher asks more of the line; unique within its ladder, orders it for "the best profile the line will hold"."""
    ladder: str = ""
    """The profiles that this one is compared with share its name; without one it stands alone."""
    source: str
    target: Limits
    alarm: Limits

    def name(self, language: str) -> str:
        """The profile's name in `hi` or `en`."""
        return self.name_hi if language == "hi" else self.name_en

    @property
    def is_audio_only(self) -> bool:
        """Whether the rates that it asks for leave no room for a picture; one that states none is not taken for that."""
        rates = (self.target.bitrate_up_bps, self.target.bitrate_down_bps)
        return all(rate is not None and rate <= AUDIO_MOST_BPS for rate in rates)


def ladder_of(profiles: dict[str, CallProfile], profile_id: str) -> list[CallProfile]:
    """The profiles of the same ladder that ask as much or less, hardest first; the profile itself leads."""
    top = profiles[profile_id]
    if not top.ladder:
        return [top]
    rungs = [other for other in profiles.values() if other.ladder == top.ladder and other.rank <= top.rank]
    return sorted(rungs, key=lambda rung: -rung.rank)
