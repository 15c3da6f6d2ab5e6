"""Call profiles: the built-in ones, and the operator's laid over them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import structs

from config.profiles import Limits, ladder_of
from config.profiles_file import DEFAULT_PROFILES, read_profiles

if TYPE_CHECKING:
    from conftest import Write

BUILT_IN = read_profiles(DEFAULT_PROFILES)
AT_MOST = ("loss_ratio", "burst_loss_ratio", "jitter_ms", "rtt_ms", "rtt_above_floor_ms")
AT_LEAST = ("bitrate_up_bps", "bitrate_down_bps")
OWN = """\
[[profile]]
id = "{id}"
ladder = "common"
rank = {rank}
name_en = "Own"
name_hi = "अपना"
source = "measured here"
[profile.target]
loss_ratio = 0.02
[profile.alarm]
loss_ratio = 0.05
"""


def test_common_ladder_has_its_four_rungs_in_order() -> None:
    """The ladder for any platform goes from sound to 1080p, and a profile's ladder leads down from it."""
    assert [profile.id for profile in ladder_of(BUILT_IN, "video-1080p")] == [
        "video-1080p",
        "video-720p",
        "video-360p",
        "audio",
    ]
    assert [profile.id for profile in ladder_of(BUILT_IN, "audio")] == ["audio"]


def test_those_without_a_picture_are_known() -> None:
    """By what they ask for; one that states no rate is not taken for sound alone."""
    assert {one.id for one in BUILT_IN.values() if one.is_audio_only} == {
        "audio",
        "teams-audio",
        "zoom-audio",
    }
    bare = structs.replace(BUILT_IN["audio"], target=Limits(loss_ratio=0.01))
    assert not bare.is_audio_only


def test_profile_without_a_ladder_stands_alone(write: Write) -> None:
    """A profile that names no ladder is compared with no other."""
    text = OWN.format(id="own", rank=1).replace('ladder = "common"\n', "")
    profiles = read_profiles(write("profiles.toml", text))
    assert [profile.id for profile in ladder_of(profiles, "own")] == ["own"]


def test_figures_are_those_of_their_sources() -> None:
    """Spot checks against the vendors' tables."""
    teams = BUILT_IN["teams-720p"]
    assert teams.alarm == Limits(
        loss_ratio=0.01,
        burst_loss_ratio=0.10,
        jitter_ms=30,
        rtt_ms=100,
        bitrate_up_bps=1.2e6,
        bitrate_down_bps=1.2e6,
    )
    assert (teams.target.loss_ratio, teams.target.jitter_ms, teams.target.rtt_ms) == (0.001, 15, 60)
    poor = BUILT_IN["audio"].alarm
    assert (poor.loss_ratio, poor.jitter_ms, poor.rtt_ms) == (0.10, 30, 500)
    assert BUILT_IN["webex-1080p"].alarm.bitrate_down_bps == 6e6
    assert BUILT_IN["room-1080p"].target.loss_ratio == 0.0005
    assert (BUILT_IN["meet-large"].alarm.bitrate_up_bps, BUILT_IN["meet-large"].alarm.bitrate_down_bps) == (
        3.2e6,
        4e6,
    )


def test_higher_rungs_never_ask_less() -> None:
    """Going up a built-in ladder, no alarm limit becomes laxer: what holds the higher rung holds the lower."""
    for ladder in {profile.ladder for profile in BUILT_IN.values()}:
        rungs = sorted((one for one in BUILT_IN.values() if one.ladder == ladder), key=lambda one: one.rank)
        for low, high in pairwise(rungs):
            for key in (*AT_MOST, *AT_LEAST):
                lower, higher = getattr(low.alarm, key), getattr(high.alarm, key)
                if lower is not None and higher is not None:
                    asks_more = higher <= lower if key in AT_MOST else higher >= lower
                    assert asks_more, (low.id, high.id, key)


def test_every_built_in_limit_names_its_source() -> None:
    """Each limit of the built-in file ends in the letter of a source that the file's head explains."""
    text = DEFAULT_PROFILES.read_text(encoding="utf-8")
    letters = {line[4] for line in text.splitlines() if line.startswith("#   ") and line[5:7] == "  "}
    limits = [line for line in text.splitlines() if line.split(" = ")[0] in {*AT_MOST, *AT_LEAST}]
    assert len(limits) > 100
    assert {line.rsplit("# ", 1)[-1] for line in limits} <= letters


def test_own_profiles_are_laid_over_the_built_in_ones_by_id(write: Write) -> None:
    """A new id adds a profile, a known one replaces it; the others stay."""
    profiles = read_profiles(
        write("profiles.toml", OWN.format(id="own", rank=25) + OWN.format(id="audio", rank=10))
    )
    assert set(profiles) == {*BUILT_IN, "own"}
    assert profiles["audio"].name("hi") == "अपना"
    assert [one.id for one in ladder_of(profiles, "video-720p")] == [
        "video-720p",
        "own",
        "video-360p",
        "audio",
    ]
