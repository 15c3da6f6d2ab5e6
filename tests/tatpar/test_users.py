"""`tatpar users`: people, their browsers and links, from a terminal or a pipe, with a password that is never an argument."""

from __future__ import annotations

import json
import stat
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from dashboards.wall.access import passwords, tokens
from tatpar.__main__ import main
from telemetry.access import Role
from telemetry.state.db import StateDb

if TYPE_CHECKING:
    from click.testing import Result

PASSWORD = "three rivers meet here"


def users(operator: Any, *arguments: str, typed: str = "") -> Result:
    place = ["--config", str(operator.config), "--data", str(operator.data)]
    done = CliRunner().invoke(main, ["users", *place, *arguments, "--lang", "en"], input=typed)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def listed(operator: Any, what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(users(operator, what, "--json").stdout)
    return found


def test_somebody_is_put_in_changed_and_let_go(operator: Any) -> None:
    """With a role and a password from standard input, of which only a hash is kept; a change signs all browsers out."""
    added = users(operator, "add", "noor", "--role", "administer", typed=PASSWORD + "\n")
    assert (added.exit_code, added.stdout) == (0, "noor may sign in (administer)\n")
    assert users(operator, "add", "asha", typed=PASSWORD).exit_code == 0
    assert stat.S_IMODE((operator.data / "state.db").stat().st_mode) & 0o077 == 0
    assert [(one["name"], one["role"]) for one in listed(operator, "list")] == [
        ("asha", "see"),
        ("noor", "administer"),
    ]
    with closing(StateDb(operator.data / "state.db")) as state:
        kept = state.user("asha")
        assert kept is not None
        assert PASSWORD not in kept.secret
        assert passwords.fits(PASSWORD, kept.secret)
        state.begin_session(b"a" * 32, "asha", "10.0.0.9", 1)
        assert [one["source"] for one in listed(operator, "sessions")] == ["10.0.0.9"]
        assert (
            users(
                operator, "set", "asha", "--role", "rehearse", "--password", typed="other words than before"
            ).exit_code
            == 0
        )
        changed = state.user("asha")
        assert changed is not None
        assert (changed.role, state.sessions()) == (Role.REHEARSE, [])
        assert passwords.fits("other words than before", changed.secret)
        state.begin_session(b"b" * 32, "asha", "10.0.0.9", 1)
        assert users(operator, "sessions", "--end", "asha").stdout == "1 signed out\n"
        assert users(operator, "remove", "asha").exit_code == 0
        assert state.user("asha") is None


@pytest.mark.parametrize(
    ("arguments", "typed", "says"),
    [
        (("add", "noor"), PASSWORD, "tatpar users set noor"),
        (("add", " "), PASSWORD, "is no name"),
        (("add", "x" * 65), PASSWORD, "is no name"),
        (("add", "ravi"), "short", "at least 10"),
        (("add", "ravi"), "", "at least 10"),
        (("set", "noor"), "", "--role ROLE, --password, or both"),
        (("set", "noor", "--role", "see"), "", "somebody else an administrator"),
        (("set", "ravi", "--role", "see"), "", "no user ravi"),
        (("remove", "ravi"), "", "no user ravi"),
        (("sessions", "--end", "ravi"), "", "no user ravi"),
        (("link", " "), "", "is no label"),
        (("unlink", "zzz"), "", "no link zzz"),
    ],
)  # fmt: skip
def test_what_is_wrong_gets_one_line(
    operator: Any, arguments: tuple[str, ...], typed: str, says: str
) -> None:
    """Status 2: what, and what to write instead; nothing has changed."""
    assert users(operator, "add", "noor", "--role", "administer", typed=PASSWORD).exit_code == 0
    done = users(operator, *arguments, typed=typed)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert says in line
    assert [one["name"] for one in listed(operator, "list")] == ["noor"]


def test_a_link_is_shown_once_listed_and_taken_back(operator: Any) -> None:
    """Its address alone on standard output; the list never holds the token."""
    made = users(operator, "link", "NOC, north wall", "--days", "2")
    token = made.stdout.strip().removeprefix("/look/")
    (kept,) = listed(operator, "links")
    assert (kept["label"], token in json.dumps(kept)) == ("NOC, north wall", False)
    assert "NOC, north wall" in users(operator, "links").stdout
    with closing(StateDb(operator.data / "state.db")) as state:
        assert state.link(tokens.hash_of(token)) is not None
    assert users(operator, "unlink", kept["id"]).exit_code == 0
    assert listed(operator, "links") == []
