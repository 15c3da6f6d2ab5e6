"""Tests to look at how they fare without rights; `test_elsewhere.py` runs them. By themselves they are not collected."""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.needs("capture")
@pytest.mark.parametrize("interface", ["lo"])
async def test_that_captures(interface: str) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((interface, 3))


@pytest.mark.needs("capture", "mount")
def test_that_fails(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], check=True)
    assert [one.name for one in tmp_path.iterdir()] == ["a word of its own"]


@pytest.mark.needs("capture")
def test_that_skips() -> None:
    pytest.skip("for a reason of its own")


@pytest.mark.needs("capture", anyway=True)
def test_that_has_another_way() -> None:
    pass


def test_that_needs_nothing() -> None:
    pass
