"""`tatpar broker` says in one line what it cannot work with."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    "settings", ["", '[broker]\nbring = "mosquitto"\n', '[broker]\nbring = "none"\nport = 1883\n']
)
def test_a_broker_that_nobody_would_find(operator: Any, settings: str) -> None:
    """A free port of its own choice, or one that runs elsewhere, is wrong input: what to write is said."""
    done = operator.types("broker", "--config", str(operator.write(settings)), "--data", str(operator.data))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "port = 1883" in done.stderr
    assert not operator.data.exists()


@pytest.mark.parametrize("part", ["broker", "collect", "watch", "alerts", "wall", "desk", "reflect"])
def test_a_part_that_does_not_run(operator: Any, part: str) -> None:
    """The doctor ends with 1 and says how to start it; looking makes nothing."""
    port = "port = 9\n"
    public = f'[broker]\nbring = "mosquitto"\nhost = "127.0.0.1"\n{port}public_host = "0.0.0.0"\npublic_names = ["localhost"]\n'
    where = f"{public}[enrolment]\n{port}[wall]\n{port}[metrics]\n{port}"
    place = ("--config", str(operator.write(where)), "--data", str(operator.data))
    done = operator.types("doctor", *place, "--part", part, "--at", "127.0.0.1:9", "--lang", "en")
    assert done.returncode == 1, done.stderr
    assert f"■ broken  {part}" in done.stdout
    assert "→ start it: tatpar " in done.stdout
    assert not operator.data.exists()
