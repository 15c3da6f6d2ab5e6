"""A state database, and decisions to keep in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from telemetry.decisions import Flag, Outcome, OutcomeState, Reason, ReasonCode, State, Verdict
from telemetry.state.db import StateDb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "state.db"


@pytest.fixture
def state(file: Path) -> Iterator[StateDb]:
    one = StateDb(file)
    yield one
    one.close()


@pytest.fixture
def flag() -> Callable[..., Flag]:
    def make(site: str = "agra", code: ReasonCode = ReasonCode.LOSS_UP, **more: Any) -> Flag:
        since_ns = more.pop("since_ns", 100)
        seen_ns = more.pop("seen_ns", since_ns + 15)
        path = more.pop("path", "main.state")
        return Flag(
            site=site,
            path=path,
            reason=Reason(code=code, value=0.05, limit=0.01, unit="ratio", path=path),
            since_ns=since_ns,
            seen_ns=seen_ns,
            **more,
        )

    return make


@pytest.fixture
def verdict() -> Callable[..., Verdict]:
    def make(site: str = "agra", meeting: str = "weekly@hq", starts_ns: int = 1_000, **more: Any) -> Verdict:
        return Verdict(
            site=site,
            meeting=meeting,
            occurrence_ns=more.pop("occurrence_ns", starts_ns),
            starts_ns=starts_ns,
            ends_ns=starts_ns + 600,
            profile="hd",
            issued_ns=more.pop("issued_ns", 10),
            state=more.pop("state", State.READY),
            **more,
        )

    return make


@pytest.fixture
def outcome() -> Callable[..., Outcome]:
    def make(
        site: str = "agra", meeting: str = "weekly@hq", occurrence_ns: int = 1_000, **more: Any
    ) -> Outcome:
        return Outcome(
            site=site,
            meeting=meeting,
            occurrence_ns=occurrence_ns,
            state=more.pop("state", OutcomeState.HELD),
            windows=40,
            broken=more.pop("broken", 0),
            missing=0,
            settled_ns=9_000,
            **more,
        )

    return make
