"""A wall at which everybody signs in, with four people who may do more and more, and a browser made of urllib."""

from __future__ import annotations

import http.cookiejar
import json
import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from dashboards.wall.access import passwords
from telemetry.access import Role, User
from tests.wall.storied_fleet import StoryClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PASSWORD = "three rivers meet here"
NAMES = {"sita": Role.SEE, "asha": Role.ACKNOWLEDGE, "ravi": Role.REHEARSE, "noor": Role.ADMINISTER}
SETTINGS = '[wall]\nsign_in = "always"\n'


class _Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """A redirect is an answer here."""


@dataclass
class Browser:
    """Keeps cookies; says where it comes from as a browser does."""

    url: str
    origin: str | None = ""
    """Empty: the wall's own; None: none is sent."""
    jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def __post_init__(self) -> None:
        self._opener = urllib.request.build_opener(_Stays, urllib.request.HTTPCookieProcessor(self.jar))

    def ask(
        self, path: str, *, data: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data=data, headers=named)
        if data is not None and self.origin is not None:
            request.add_header("origin", self.origin or self.url)
        try:
            with self._opener.open(request, timeout=60) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()

    def sign_in(self, name: str, password: str = PASSWORD) -> int:
        form = urlencode({"name": name, "password": password}).encode()
        return self.ask("/sign-in", data=form)[0]

    def me(self) -> dict[str, str]:
        return json.loads(self.ask("/api/me")[2])

    def act(self, path: str, body: dict[str, Any], csrf: str | None = None) -> tuple[int, dict[str, Any]]:
        token = self.me().get("csrf", "") if csrf is None else csrf
        status, _, said = self.ask(
            path, data=json.dumps(body).encode(), content_type="application/json", x_tatpar_csrf=token
        )
        return status, json.loads(said)


@pytest.fixture(scope="module")
def secret() -> str:
    """The password, hashed once."""
    return passwords.hashed(PASSWORD)


@pytest.fixture(scope="module")
def closed(
    told_story: Path,
    make_fleet: Callable[..., Any],
    serve_fleet: Callable[..., Any],
    secret: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    """The fleet's wall, with a sign-in."""
    folder = tmp_path_factory.mktemp("closed") / "data"
    shutil.copytree(told_story, folder)
    config = folder / "tatpar.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    running = StoryClock()  # what is remembered of a visitor is forgotten with time
    with make_fleet(folder, config, story=False, clock=running) as made:
        for name, role in NAMES.items():
            made.state.add_user(User(name=name, role=role, secret=secret, made_ns=1, changed_ns=1))
        with serve_fleet(made) as url:
            made.url = url
            yield made


@pytest.fixture
def nobody(closed: Any) -> Browser:
    """A browser that is not signed in."""
    return Browser(closed.url)


@pytest.fixture
def visit(closed: Any) -> Callable[[str], Browser]:
    """A browser in which somebody has signed in."""

    def signed_in(name: str) -> Browser:
        browser = Browser(closed.url)
        assert browser.sign_in(name) == 303
        return browser

    return signed_in
