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
