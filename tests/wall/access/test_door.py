"""Who is asked at all: this machine, proxies that are trusted, and those that are not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request

from config.settings import Wall
from dashboards.wall.access import origin
from dashboards.wall.access.door import Door
from dashboards.wall.serve import warning_for
from telemetry.access import Role, User
from telemetry.clock import ManualClock
from telemetry.state.db import StateDb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROXIED = {"proxies": ("10.0.0.0/24",), "proxy_user_header": "X-Remote-User"}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDb]:
    opened = StateDb(tmp_path / "state.db")
    yield opened
    opened.close()


def asked(listens_on: str = "127.0.0.1", peer: str = "127.0.0.1", *headers: tuple[str, str]) -> Request:
    app = SimpleNamespace(state=SimpleNamespace(listens_on=listens_on))
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return Request(
        {"type": "http", "method": "GET", "path": "/", "query_string": b"", "scheme": "http",
         "headers": raw, "client": (peer, 5), "app": app}
    )  # fmt: skip


def a_door(state: StateDb, **wall: Any) -> Door:
    settings = SimpleNamespace(wall=Wall(**wall))
    live: Any = SimpleNamespace(current=SimpleNamespace(settings=settings))
    return Door(live, state, ManualClock(10))


@pytest.mark.parametrize(
    ("wall", "request_", "name"),
    [
        ({}, asked(), "local"),
        ({}, asked("::1", "::1"), "local"),
        ({"sign_in": "always"}, asked(), None),
        ({}, asked("0.0.0.0", "127.0.0.1"), None),
        ({}, asked("127.0.0.1", "127.0.0.1", ("X-Forwarded-For", "198.51.100.7")), None),
        ({"proxies": ("127.0.0.1",)}, asked(), None),
        (PROXIED, asked("0.0.0.0", "10.0.0.7", ("X-Remote-User", "asha")), "asha"),
        (PROXIED, asked("0.0.0.0", "10.0.1.7", ("X-Remote-User", "asha")), None),
        (PROXIED, asked("0.0.0.0", "::ffff:10.0.0.7", ("X-Remote-User", "asha")), "asha"),
        (PROXIED, asked("0.0.0.0", "10.0.0.7", ("X-Remote-User", "asha"), ("X-Remote-User", "noor")), None),
        (PROXIED, asked("0.0.0.0", "10.0.0.7", ("X-Remote-User", " ")), None),
        (PROXIED, asked("0.0.0.0", "10.0.0.7"), None),
    ],
)
async def test_who_is_let_in(state: StateDb, wall: Any, request_: Request, name: str | None) -> None:
    """On this machine nobody is asked, unless a proxy is there or it is set; a proxy's word counts only from its own address, once."""
    found = await a_door(state, **wall).visitor(request_)
    assert (None if found is None else found.name or found.way.value) == name


async def test_whom_a_proxy_names_has_the_role_of_the_user_here(state: StateDb) -> None:
    """A user of ours keeps the role; others get the one of the settings."""
    state.add_user(User(name="noor", role=Role.ADMINISTER, secret="", made_ns=1, changed_ns=1))
    door = a_door(state, **PROXIED, proxy_role="acknowledge")
    roles = {}
    for name in ("noor", "guest"):
        visitor = await door.visitor(asked("0.0.0.0", "10.0.0.7", ("X-Remote-User", name)))
        assert visitor is not None
        roles[name] = visitor.role
    assert roles == {"noor": Role.ADMINISTER, "guest": Role.ACKNOWLEDGE}


def test_where_a_request_comes_from() -> None:
    """Behind a trusted proxy the last address that it names, and its word on TLS; an IPv6 network counts as one."""
    proxies = ("10.0.0.7",)
    forwarded = (("X-Forwarded-For", "6.6.6.6, 198.51.100.7"), ("X-Forwarded-Proto", "https"))
    assert origin.source_of(asked("0.0.0.0", "10.0.0.7", *forwarded), proxies) == "198.51.100.7"
    assert origin.source_of(asked("0.0.0.0", "10.0.0.8", *forwarded), proxies) == "10.0.0.8"
    assert origin.source_of(asked("::", "2001:db8::1:2"), ()) == "2001:db8::/64"
    assert origin.is_secure(asked("0.0.0.0", "10.0.0.7", *forwarded), proxies)
    assert not origin.is_secure(asked("0.0.0.0", "10.0.0.8", *forwarded), proxies)


def test_a_wall_at_which_nobody_can_sign_in_says_so(state: StateDb) -> None:
    """On the network without users or a proxy: one line with the command; silent otherwise."""
    assert warning_for("127.0.0.1", Wall(), state) is None
    assert "tatpar users add" in (warning_for("0.0.0.0", Wall(), state) or "")
    assert "tatpar users add" in (warning_for("127.0.0.1", Wall(sign_in="always"), state) or "")
    assert warning_for("0.0.0.0", Wall(proxies=("10.0.0.7",), proxy_user_header="X-User"), state) is None
    state.add_user(User(name="noor", role=Role.ADMINISTER, secret="", made_ns=1, changed_ns=1))
    assert warning_for("0.0.0.0", Wall(), state) is None
