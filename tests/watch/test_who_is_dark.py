"""Who is dark: what a look asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tatpar.watching.raised import RaisedFlags
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    import pytest

    from tests.watch.conftest import Town

IDLE_S = 5


def test_the_open_flags_are_gone_through_no_oftener_than_a_look_has_use_for(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for who is heard and once for who is dark, however many offices there are: ten thousand of ten thousand flags each took seconds."""
    asked, dark_sites = [0], RaisedFlags.dark_sites

    def counted(self: RaisedFlags) -> set[str]:
        asked[0] += 1
        return dark_sites(self)

    town.play(60)
    town.offline.add("meerut")
    town.play(200)
    assert set(town.flags()) == {("meerut", "dark")}
    monkeypatch.setattr(RaisedFlags, "dark_sites", counted)
    assert town.watch.step(town.now_ns + IDLE_S * SECOND_NS).looked
    assert asked[0] == 2


def test_an_office_that_is_linked_while_the_hub_runs_is_silent_from_then_on(town: Town) -> None:
    """Its contact would be told to look at the router before anybody has set up a probe there, and "since" a time when nobody expected it."""
    town.play(200)
    before = (town.folder / "sites.csv").read_text(encoding="utf-8")
    assert "planned" in before
    (town.folder / "sites.csv").write_text(before.replace("planned", "linked"), encoding="utf-8")
    linked_ns = town.now_ns
    town.play(60)
    assert town.watch._current is not None
    assert town.watch._current.offices.linked.all(), "it has been taken up"
    assert town.flags() == {}
    town.play(90)
    ((site, code),) = town.flags()
    assert code == "dark"
    since_ns = town.flags()[site, code].since_ns
    assert linked_ns <= since_ns <= linked_ns + 30 * SECOND_NS
