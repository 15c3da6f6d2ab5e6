"""Signing in and out, what keeps strangers out, and what they learn."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from dashboards.wall.access import door, passwords, tokens
from dashboards.wall.access.attempts import Attempts
from dashboards.wall.access.checking import MOST_WAITING, Checking
from dashboards.wall.web.answers import BadRequestError
from telemetry.access import Role, User, WallLink
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS
from tests.wall.access.conftest import NAMES, PASSWORD, Browser

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_until(check: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 60
    while not check():
        assert time.monotonic() < until_s
        time.sleep(0.05)


def test_a_stranger_sees_the_sign_in_and_nothing_else(nobody: Browser) -> None:
    """The page leads to the sign-in; data, words and the stream are refused in one line; health says only whether it is at work."""
    status, headers, _ = nobody.ask("/")
    assert (status, headers["location"]) == (303, "/sign-in")
    assert nobody.ask("/?lang=hi")[1]["location"] == "/sign-in?lang=hi"  # what somebody chose stays
    assert nobody.ask("/?lang=no")[1]["location"] == "/sign-in"
    for path in ("/api/snapshot", "/api/stream", "/api/words/hi.json", "/api/me", "/api/openapi.json"):
        status, headers, body = nobody.ask(path)
        assert (status, json.loads(body)) == (401, {"error": "sign in first: /sign-in"}), path
    wait_until(lambda: json.loads(nobody.ask("/healthz")[2]) == {"ok": True})


@pytest.mark.parametrize(
    ("language", "word"), [("hi", "साइन इन करें"), ("en", "Sign in"), ("hi-IN,en;q=0.5", "साइन इन करें")]
)
def test_the_page_speaks_the_browsers_language(nobody: Browser, language: str, word: str) -> None:
    """Hindi or English as the browser asks, without script, with a policy that allows nothing but our own styles and this form."""
    status, headers, body = nobody.ask("/sign-in", accept_language=language)
    assert status == 200
    assert word in body.decode()
    assert b"<script" not in body
    assert "form-action 'self'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]


def test_name_and_password_open_the_wall(nobody: Browser) -> None:
    """Signed in, the snapshot comes and /api/me says who it is; the cookie is out of reach for scripts and other sites."""
    form = urlencode({"name": "asha", "password": PASSWORD}).encode()
    status, headers, _ = nobody.ask("/sign-in", data=form)
    assert (status, headers["location"]) == (303, "/")
    cookie = headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie  # plain http
    assert nobody.ask("/api/snapshot")[0] == 200
    me = nobody.me()
    assert (me["name"], me["role"], me["way"]) == ("asha", "acknowledge", "user")
    assert nobody.ask("/sign-in")[0] == 303
    assert Browser(nobody.url).ask("/sign-in?lang=en", data=form)[1]["location"] == "/?lang=en"  # as chosen


@pytest.mark.parametrize(
    ("name", "password"), [("asha", "wrong"), ("nobody", PASSWORD), ("", ""), ("ASHA", PASSWORD)]
)
def test_wrong_is_wrong_without_saying_which(closed: Any, name: str, password: str) -> None:
    """A wrong name and a wrong password are answered alike."""
    browser = Browser(closed.url)
    status, headers, body = browser.ask(
        "/sign-in?lang=en", data=urlencode({"name": name, "password": password}).encode()
    )
    assert status == 403
    assert "set-cookie" not in headers
    assert "No such name and password." in body.decode()


def test_nobody_is_checked_as_long_as_somebody() -> None:
    """An unknown name costs a full check too."""
    begin = time.process_time()
    assert not passwords.fits("anything", None)
    alone = time.process_time() - begin
    assert alone > 0.005  # Argon2id over 19 MB; a comparison of strings takes microseconds


def test_a_head_of_the_stream_ends_at_once(closed: Any, visit: Callable[[str], Browser]) -> None:
    """Nobody waits for it, and no viewer stays behind."""
    cookie = "; ".join(f"{one.name}={one.value}" for one in visit("asha").jar)
    where = urlsplit(closed.url)
    with closing(HTTPConnection(where.hostname, where.port, 60)) as line:
        for method, path in (("HEAD", "/api/stream"), ("GET", "/api/me")):  # the same connection serves on
            line.request(method, path, headers={"cookie": cookie})
            answer = line.getresponse()
            answer.read()
            assert answer.status == 200
            assert answer.headers["content-type"].startswith(
                "text/event-stream" if method == "HEAD" else "application/json"
            )


def test_signing_out_ends_the_session(visit: Callable[[str], Browser]) -> None:
    """After it the same cookie opens nothing."""
    browser = visit("sita")
    kept = {cookie.name: cookie.value for cookie in browser.jar}[door.COOKIE]
    assert browser.ask("/sign-out", data=b"")[0] == 303
    assert browser.ask("/api/me", cookie=f"{door.COOKIE}={kept}")[0] == 401


def test_whoever_signs_in_over_a_session_ends_it(visit: Callable[[str], Browser]) -> None:
    """The browser forgets the cookie before, so nobody else shall have it: not who took a copy of it at a shared desk."""
    browser = visit("sita")
    kept = {cookie.name: cookie.value for cookie in browser.jar}[door.COOKIE]
    assert browser.sign_in("asha") == 303
    assert browser.ask("/api/me", cookie=f"{door.COOKIE}={kept}")[0] == 401
    assert browser.me()["name"] == "asha"


def test_a_changed_password_or_a_removed_user_is_out(closed: Any, secret: str) -> None:
    """Within the seconds that an answer is remembered, in every browser."""
    closed.state.add_user(User(name="temp", role=Role.SEE, secret=secret, made_ns=1, changed_ns=1))
    browser = Browser(closed.url)
    assert browser.sign_in("temp") == 303
    closed.state.change_user("temp", 5, role=Role.REHEARSE)
    wait_until(lambda: browser.ask("/api/me")[0] == 401)
    assert browser.sign_in("temp") == 303
    closed.state.remove_user("temp")
    wait_until(lambda: browser.ask("/api/me")[0] == 401)


def test_a_link_shows_and_lets_nobody_act(closed: Any) -> None:
    """The token leaves the address at once; a link that is taken back, or over, opens nothing."""
    now_ns = closed.clock.now_ns()
    for name, until_ns in (("good", now_ns + DAY_NS), ("over", now_ns - 1)):
        link = WallLink(id=name, label="north wall", made_by="noor", made_ns=1, until_ns=until_ns)
        closed.state.put_link(tokens.hash_of(f"token-{name}"), link)
    browser = Browser(closed.url)
    assert browser.ask("/look/token-over")[0] == 404
    assert browser.ask("/look/" + "x" * 500)[0] == 404
    status, headers, _ = browser.ask("/look/token-good")
    assert (status, headers["location"]) == (303, "/")
    assert (browser.me()["role"], browser.me()["way"]) == ("see", "link")
    status, said = browser.act("/api/alerts/AAAAAA/acknowledge", {"note": ""})
    assert (status, "acknowledge" in said["error"]) == (403, True)
    closed.state.remove_link("good")
    wait_until(lambda: browser.ask("/api/me")[0] == 401)


@pytest.fixture
def one_moment(closed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All happens at one moment of the wall's clock: on a busy machine an attempt would come back with time."""
    for name in ("now_ns", "monotonic_ns"):
        at_ns = getattr(closed.clock, name)()
        monkeypatch.setattr(closed.clock, name, lambda at_ns=at_ns: at_ns)


@pytest.mark.usefixtures("one_moment")
def test_too_many_attempts_wait(closed: Any) -> None:
    """After a handful of failures even the right password waits, and is told how long; it is counted in the log."""
    browser = Browser(closed.url)
    answers = [browser.sign_in("sita", "wrong") for _ in range(12)]
    assert answers[0] == 403
    assert answers[-1] == 429
    assert browser.sign_in("sita") == 429


@pytest.mark.usefixtures("one_moment")
def test_ones_own_password_does_not_pay_for_guesses_at_others(closed: Any) -> None:
    """Who signs in as oneself between guesses at another's password waits as every guesser does."""
    where = urlsplit(closed.url)

    def signs_in(name: str, password: str) -> int:
        with closing(HTTPConnection(where.hostname, where.port, 60, source_address=("127.0.0.9", 0))) as line:
            form = urlencode({"name": name, "password": password})
            kind = "application/x-www-form-urlencoded"
            line.request("POST", "/sign-in", form, {"content-type": kind, "origin": closed.url})
            return line.getresponse().status

    found = [signs_in(*one) for one in [("noor", "wrong"), ("noor", "wrong"), ("sita", PASSWORD)] * 6]
    assert found[:3] == [403, 403, 303]
    assert (found[-3], found[-1]) == (429, 429)


def _from(closed: Any, source: str, name: str, password: str) -> int:
    where = urlsplit(closed.url)
    with closing(HTTPConnection(where.hostname, where.port, 60, source_address=(source, 0))) as line:
        form = urlencode({"name": name, "password": password})
        kind = "application/x-www-form-urlencoded"
        line.request("POST", "/sign-in", form, {"content-type": kind, "origin": closed.url})
        return line.getresponse().status


def test_guesses_from_everywhere_keep_nobody_out(
    closed: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name is not locked: its owner comes in from elsewhere, stays in where signed in, and the operator is told."""
    monkeypatch.setattr(passwords, "fits", lambda given, _: given == PASSWORD)  # the price is not the subject
    closed.state.begin_session(tokens.hash_of("inside"), "ravi", "test", closed.clock.now_ns())
    found = [_from(closed, f"127.0.{3 + n // 4}.{1 + n % 4}", "ravi", "wrong") for n in range(40)]
    assert set(found) == {403}
    assert _from(closed, "127.0.77.1", "ravi", PASSWORD) == 303
    assert Browser(closed.url).ask("/api/me", cookie=f"{door.COOKIE}=inside")[0] == 200
    told = [record for record in caplog.records if getattr(record, "event", "") == "wall.sign-in-guessed"]
    assert [(one.user, one.failures, one.sources) for one in told] == [("ravi", 24, 24)]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("one_moment")
def test_who_does_not_stop_fills_no_log(closed: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Attempts that come too often are counted all, and told once a minute for each address."""
    found = [_from(closed, "127.0.99.1", "nobody", "wrong") for _ in range(40)]
    assert found.count(429) == 32
    told = [one for one in caplog.records if getattr(one, "reason", "") == "too often"]
    assert [one.source for one in told] == ["127.0.99.1"]  # type: ignore[attr-defined]


def test_strangers_wait_for_strangers_only() -> None:
    """However many guess from new addresses, an address where somebody has signed in is checked at once; more than wait are told so."""

    async def crowd() -> tuple[int, bool]:
        checking, gate = Checking(), asyncio.Event()

        async def guesses() -> None:
            async with checking.lane(known=False).turn():
                await gate.wait()

        guessers = [asyncio.create_task(guesses()) for _ in range(60)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        refused = sum(1 for one in guessers if one.done() and isinstance(one.exception(), BadRequestError))
        async with asyncio.timeout(60), checking.lane(known=True).turn():
            came_in = True
        for one in guessers:
            one.cancel()
        await asyncio.gather(*guessers, return_exceptions=True)
        return refused, came_in

    assert asyncio.run(crowd()) == (60 - 1 - MOST_WAITING, True)


def test_the_wait_grows_and_is_forgotten() -> None:
    """Doubled each time that the one attempt fails too, up to a limit; what was given back leaves no trace; quiet empties it."""
    attempts = Attempts(burst=2, every_ns=10 * SECOND_NS, longest_ns=60 * SECOND_NS)
    attempts.failed(("a",), 0)
    now_ns, waits = 0, []
    for _ in range(5):
        attempts.failed(("a",), now_ns)
        waits.append(attempts.wait_ns(("a",), now_ns) // SECOND_NS)
        attempts.give_back(attempts.failed(("a",), now_ns))
        assert attempts.wait_ns(("a",), now_ns) // SECOND_NS == waits[-1]
        now_ns += waits[-1] * SECOND_NS
    assert waits == [10, 20, 40, 60, 60]
    now_ns += 120 * SECOND_NS
    attempts.failed(("a",), now_ns)
    assert attempts.wait_ns(("a",), now_ns) == 0
    attempts.failed(("a",), now_ns)
    assert attempts.wait_ns(("a",), now_ns) == 10 * SECOND_NS


def test_attempts_come_back_with_time() -> None:
    """A burst, then one in so long; a table that is full forgets the oldest."""
    attempts = Attempts(burst=3, every_ns=30 * SECOND_NS, most=2)
    for _ in range(3):
        assert attempts.wait_ns(("a",), 0) == 0
        attempts.failed(("a",), 0)
    assert attempts.wait_ns(("a",), 0) == 30 * SECOND_NS
    assert attempts.wait_ns(("b",), 0) == 0
    assert attempts.wait_ns(("a",), 30 * SECOND_NS) == 0
    attempts.failed(("b", "c"), 0)
    assert attempts.wait_ns(("a",), 0) == 0


@pytest.mark.parametrize("password", ["short", "a" * 30, "asha is the best of all", "x" * 300])
def test_weak_passwords_are_refused(password: str) -> None:
    """Too short, one character over and over, the name in it, too long."""
    with pytest.raises(passwords.PasswordError):
        passwords.check(password, "asha")


def test_sessions_end_by_age_and_by_rest(closed: Any) -> None:
    """A session of eight days ago, and one that nobody used for a day, count no more, and are let go of."""
    now_ns = closed.clock.now_ns()
    state = closed.state
    for token, made_ns, seen_ns in (
        ("old", now_ns - 8 * DAY_NS, now_ns),
        ("idle", now_ns - DAY_NS, now_ns - 13 * HOUR_NS),
        ("good", now_ns - DAY_NS, now_ns - HOUR_NS),
    ):
        state.begin_session(tokens.hash_of(token), "sita", "test", made_ns)
        state.saw_session(tokens.hash_of(token), seen_ns)
    found = {
        token: Browser(closed.url).ask("/api/me", cookie=f"{door.COOKIE}={token}")[0]
        for token in ("old", "idle", "good", "forged", "y" * 4_000)
    }
    assert list(found.values()) == [401, 401, 200, 401, 401]


def test_the_oldest_of_too_many_browsers_is_signed_out(closed: Any) -> None:
    """Twenty at once, of one person."""
    for number in range(25):
        closed.state.begin_session(tokens.hash_of(f"many-{number}"), "noor", "test", 10 + number)
    assert closed.state.session(tokens.hash_of("many-4")) is None
    assert closed.state.session(tokens.hash_of("many-5")) is not None
    assert closed.state.end_sessions("noor") == 20
    assert set(NAMES) <= {user.name for user in closed.state.users()}
