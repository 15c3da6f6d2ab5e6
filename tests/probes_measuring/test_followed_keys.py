"""A reflector's file of keys while it changes: an empty one takes nobody's key away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.reflecting.followed_keys import FollowedKeys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

KEY = bytes(range(32))


def test_an_empty_file_is_left_untaken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Emptied, or with remarks alone: said once with what to do, the keys stay; the next file with keys counts."""
    file = tmp_path / "keys"
    taken: list[Mapping[int, bytes]] = []
    followed = FollowedKeys(file, taken.append)
    caplog.set_level("INFO", "probes.reflecting.followed_keys")
    for text in (f"77 {KEY.hex()}\n", "", "# offices\n", f"78 {KEY.hex()}\n"):
        file.write_text(text, encoding="utf-8")
        followed.read_again()
    assert taken == [{77: KEY}, {78: KEY}]
    assert [one.event for one in caplog.records] == ["keys.failed", "keys.recovered"]  # type: ignore[attr-defined]
    assert f"write {file} anew" in caplog.records[0].getMessage()
    assert "remove the option" in caplog.records[0].getMessage()
