"""The watch that holds the lease sends the digests; one that waits for it sends none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.windows import HOUR_NS, SECOND_NS

MINUTE_NS = 60 * SECOND_NS

if TYPE_CHECKING:
    from conftest import Town


def test_only_the_watch_that_works_sends_them(town: Town) -> None:
    """At the hour before, once; the second watch, which has no lease, has none to send."""
    file = town.folder / "tatpar.toml"
    file.write_text(
        file.read_text(encoding="utf-8") + '[digest]\nto = ["desk@hq.example"]\n', encoding="utf-8"
    )
    second = town.another_watch()
    assert town.watch.digest(town.now_ns) == 0  # it has not looked yet, nobody has the lease
    town.watch.step(town.now_ns)
    assert not second.step(town.now_ns).working
    at_ns = town.t0 + 5 * MINUTE_NS
    assert second.digest(at_ns) == 0
    assert town.watch.digest(at_ns) == 1
    assert town.watch.digest(at_ns + MINUTE_NS) == 0
    (row,) = town.state.outbox(10)
    assert row.recipient == "desk@hq.example"
    assert row.expires_ns == town.t0 + HOUR_NS
