"""The outbox's own parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.alerts.parts import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made
