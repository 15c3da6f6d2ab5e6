"""Who should speak and does not."""

from __future__ import annotations

from collector.silence import SilenceWatch, Silent
from telemetry.windows import SECOND_NS

AFTER = 120 * SECOND_NS
OFFICES = ("agra", "meerut")


def test_nobody_is_silent_before_we_have_listened() -> None:
    """A collector that has just started knows nothing yet."""
    watch = SilenceWatch(1000 * SECOND_NS)
    assert watch.look(OFFICES, 1119 * SECOND_NS, AFTER).fell_silent == ()


def test_silence_is_told_once_and_so_is_its_end() -> None:
    """Transitions only: fell silent, spoke again."""
    watch = SilenceWatch(0)
    watch.heard("agra", 100 * SECOND_NS)
    first = watch.look(OFFICES, 130 * SECOND_NS, AFTER)
    assert first.fell_silent == (Silent("meerut", None),)
    assert watch.look(OFFICES, 140 * SECOND_NS, AFTER).fell_silent == ()
    later = watch.look(OFFICES, 220 * SECOND_NS, AFTER)
    assert later.fell_silent == (Silent("agra", 100 * SECOND_NS),)
    watch.heard("meerut", 230 * SECOND_NS)
    assert watch.look(OFFICES, 231 * SECOND_NS, AFTER).spoke == ("meerut",)
    assert [silent.site for silent in watch.silent] == ["agra"]


def test_a_restart_does_not_hide_a_silence() -> None:
    """What the store knows of the last word counts."""
    watch = SilenceWatch(1000 * SECOND_NS, {"agra": 400 * SECOND_NS})
    watch.look(("agra",), 1120 * SECOND_NS, AFTER)
    assert watch.silent == (Silent("agra", 400 * SECOND_NS),)


def test_only_those_expected_can_be_silent() -> None:
    """A site that is not linked any more is missed by nobody."""
    watch = SilenceWatch(0)
    watch.look(OFFICES, AFTER, AFTER)
    assert watch.look(("agra",), AFTER, AFTER).spoke == ("meerut",)


def test_a_clock_that_is_set_silences_nobody_and_hides_no_silence() -> None:
    """Put forward by an hour nobody has been silent for an hour; put back, who is silent is so when it should be."""
    for by_ns in (3600 * SECOND_NS, -3600 * SECOND_NS):
        watch = SilenceWatch(10_000 * SECOND_NS)
        watch.heard("agra", 10_100 * SECOND_NS)
        watch.heard("meerut", 10_000 * SECOND_NS)
        watch.clock_set(by_ns)
        assert watch.look(OFFICES, 10_119 * SECOND_NS + by_ns, AFTER).fell_silent == ()
        fell = watch.look(OFFICES, 10_130 * SECOND_NS + by_ns, AFTER).fell_silent
        assert fell == (Silent("meerut", 10_000 * SECOND_NS + by_ns),)
