"""Tests that need a right which this account has not, run in a user namespace of its own, where it has it.

A user namespace gives an ordinary account every capability over a network and mounts of its own, and none over the machine's. What
runs in it is pytest once more, for the marked tests of one file, which go there as they are; what it says of each comes back as that test's own outcome.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from tests.rights.needed import RIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterable

_OUTCOMES: Final = "TATPAR_TESTS_OUTCOMES"
"""In the environment of what runs inside: the file into which it says what became of each test."""
_ENTER: Final = Path(__file__).with_name("enter.sh")
_LIMIT_S: Final = 900.0
INSIDE: Final = "proved in a user namespace"
"""Property of a test that was run there."""


class Said(NamedTuple):
    """What is said of one phase of a test."""

    when: str
    outcome: str
    text: str


def wrapped() -> list[str]:
    """What goes before a command that is to have a user namespace, and in it a network and mounts, of its own."""
    return ["unshare", "--user", "--map-root-user", "--net", "--mount", "--kill-child", "sh", str(_ENTER)]


@cache
def refusal() -> str | None:
    """Why there is no user namespace here, in the kernel's words; None: there is one."""
    try:
        done = subprocess.run([*wrapped(), "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        return str(error)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason given"])[-1]


def send_elsewhere(items: list[pytest.Item]) -> None:
    """Replace each marked test whose rights are missing here: it runs in a namespace, or says why it is not proved."""
    for at, item in enumerate(items):
        missing = [word for word in _needs(item) if not RIGHTS[word].held()]
        if not missing:
            continue
        if _OUTCOMES not in os.environ and refusal() is None:
            items[at] = Elsewhere.from_parent(item.parent, name=item.name, own=item)
        elif not _anyway(item):
            item.add_marker(pytest.mark.skip(reason=_unproved(missing)))


def _needs(item: pytest.Item) -> list[str]:
    return [word for mark in item.iter_markers("needs") for word in mark.args]


def _anyway(item: pytest.Item) -> bool:
    """Whether the test has another way for who has not the right."""
    return any(mark.kwargs.get("anyway", False) for mark in item.iter_markers("needs"))


def _unproved(missing: Iterable[str]) -> str:
    inside = (
        "a user namespace does not give it" if _OUTCOMES in os.environ else f"no user namespace: {refusal()}"
    )
    told = "; ".join(f"may not {RIGHTS[word].what}: that needs {RIGHTS[word].remedy}" for word in missing)
    return f"{told} ({inside})"


class ElsewhereError(Exception):
    """What a test said that failed inside."""


class Elsewhere(pytest.Item):
    """A test that is run in a user namespace; the first of its file takes the others along."""

    def __init__(self, *, own: pytest.Item, **more: Any) -> None:
        super().__init__(**more)
        self._own = own
        self.own_markers.extend(own.own_markers)
        self.user_properties.append(("tatpar", INSIDE))

    def runtest(self) -> None:
        """Take what was said of it."""
        together = [one for one in self.session.items if isinstance(one, Elsewhere) and one.path == self.path]
        said = _outcomes(self.config.rootpath, tuple(one.nodeid for one in together)).get(self.nodeid, [])
        for one in said:
            if one.outcome == "failed":
                raise ElsewhereError(f"{INSIDE}, {one.when}:\n{one.text}")
            if one.outcome == "skipped":
                pytest.skip(one.text)
        if [one.when for one in said] != ["setup", "call", "teardown"]:
            raise ElsewhereError(f"it was not run to its end inside; said: {said}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The words of the run inside, and not how they came here."""
        return (
            str(excinfo.value)
            if excinfo.errisinstance(ElsewhereError)
            else super().repr_failure(excinfo, style)
        )

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where the test stands."""
        return self._own.reportinfo()


@cache
def _outcomes(root: Path, names: tuple[str, ...]) -> dict[str, list[Said]]:
    """Run these tests inside, once; what is said of each."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Path(folder) / "outcomes"
        done = subprocess.run(
            [*wrapped(), sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *names],
            cwd=root,
            env={**ours, _OUTCOMES: str(outcomes)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
        if not outcomes.exists():
            raise ElsewhereError(f"status {done.returncode}, nothing was run:\n{done.stdout}\n{done.stderr}")
        found: dict[str, list[Said]] = {}
        for line in outcomes.read_text(encoding="utf-8").splitlines():
            name, *rest = json.loads(line)
            found.setdefault(name, []).append(Said(*rest))
        return found


def report_outwards(report: pytest.TestReport) -> None:
    """Inside: write down what became of a phase of a test, for who waits outside."""
    if _OUTCOMES not in os.environ:
        return
    if isinstance(report.longrepr, tuple):  # of a skipped test: file, line, reason
        text = report.longrepr[2].removeprefix("Skipped: ")
    else:
        text = "\n".join((report.longreprtext, *(f"{name}\n{words}" for name, words in report.sections)))
    with Path(os.environ[_OUTCOMES]).open("a", encoding="utf-8") as file:
        file.write(json.dumps([report.nodeid, report.when, report.outcome, text]) + "\n")
