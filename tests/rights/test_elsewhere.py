"""A test that needs a right is run where there is one, its outcome is its own, and what is proved nowhere is said at the end."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rights.elsewhere import refusal
from tests.rights.without import HOUSE, without

SPECIMENS = Path(__file__).with_name("specimens.py")
FORBID = "echo 0 > /proc/sys/user/max_user_namespaces"
pytestmark = pytest.mark.skipif(refusal() is not None, reason=f"no user namespace: {refusal()}")


def run(first: str) -> subprocess.CompletedProcess[str]:
    """The specimens, by an account without rights."""
    words = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(SPECIMENS))
    command = without("net_raw", "sys_admin", first=first)
    return subprocess.run(
        [*command, *words], cwd=HOUSE, capture_output=True, text=True, timeout=300, check=False
    )


def test_each_has_its_own_outcome_in_a_user_namespace() -> None:
    """Passed, failed with the words of the failure, skipped with its reason; and the last lines say how many went there."""
    done = run(":")
    assert done.returncode == 1, done.stderr
    assert re.search(r"^=+ 1 failed, 3 passed, 1 skipped in ", done.stdout, re.MULTILINE)
    assert "specimens.py::test_that_fails" in done.stdout
    assert "['a word of its own']" in done.stdout
    assert "2 tests were proved in a user namespace of their own" in done.stdout
    assert "1: for a reason of its own\n    tests/rights/specimens.py::test_that_skips\n" in done.stdout


def test_without_a_user_namespace_the_last_lines_say_what_was_not_proved() -> None:
    """A kernel that forbids them: nothing fails, and each missing right is named with what would give it."""
    done = run(FORBID)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^=+ 2 passed, 3 skipped in ", done.stdout, re.MULTILINE)
    _, _, told = done.stdout.partition("not proved here, and why")
    forbidden = r"\(no user namespace: unshare: unshare failed: .+\)"
    capture = "may not see the packets of an interface: that needs CAP_NET_RAW"
    assert re.search(
        rf"^2: {capture} {forbidden}\n    .*test_that_captures\[lo\]\n    .*test_that_skips$",
        told,
        re.MULTILINE,
    )
    assert re.search(
        rf"^1: {capture}; may not mount a disk: that needs CAP_SYS_ADMIN {forbidden}\n", told, re.MULTILINE
    )
