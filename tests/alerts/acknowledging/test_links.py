"""A link is good for one alert, one person, until its time, and for the hub that made it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import links
from alerts.links import Link, Wrong, ack_url, read, reply_token, secret, sign
from telemetry.windows import HOUR_NS, SECOND_NS
from tests.alerts.parts import NOW_NS, made_live

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"k" * 32


def test_what_was_signed_is_read() -> None:
    """Alert, person and end come back as they were; a contact's id too."""
    for person in ("asha", "site:agra", "noc-2"):
        token = sign(KEY, "K7M2PQ", person, NOW_NS)
        assert read(KEY, token, NOW_NS - 1) == Link("K7M2PQ", person, NOW_NS)


def test_the_turn_is_part_of_it() -> None:
    """What was told in a later turn says so."""
    token = sign(KEY, "K7M2PQ", "site:agra", NOW_NS, 12)
    assert read(KEY, token, 0) == Link("K7M2PQ", "site:agra", NOW_NS, 12)
    assert read(KEY, token.replace(".12.", ".13."), 0) is Wrong.FOREIGN


def test_it_ends_with_its_time() -> None:
    """Past its end it is expired, which is another thing than foreign."""
    token = sign(KEY, "K7M2PQ", "asha", NOW_NS)
    assert read(KEY, token, NOW_NS) is Wrong.EXPIRED
    assert read(KEY, token, NOW_NS + HOUR_NS) is Wrong.EXPIRED


def test_another_hub_another_person_another_alert() -> None:
    """With another key, or with anything in it changed, it is foreign."""
    token = sign(KEY, "K7M2PQ", "asha", NOW_NS)
    assert read(b"x" * 32, token, 0) is Wrong.FOREIGN
    for changed in (
        token.replace("asha", "ravi"),
        token.replace("K7M2PQ", "K7M2PR"),
        token[:-1],
        token + "A",
    ):
        assert read(KEY, changed, 0) is Wrong.FOREIGN


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_foreign(text: str) -> None:
    """Whatever somebody writes there is refused without a fault."""
    assert read(KEY, text, 0) is Wrong.FOREIGN


@settings(deadline=None)
@given(st.data())
def test_any_changed_letter_is_foreign(data: st.DataObject) -> None:
    """No single letter can be changed."""
    token = sign(KEY, "K7M2PQ", "site:agra", NOW_NS)
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda c: c != token[at]))
    assert read(KEY, token[:at] + letter + token[at + 1 :], 0) is Wrong.FOREIGN


def test_the_link_is_short_and_needs_an_address(tmp_path: Path) -> None:
    """It fits into a message: 43 characters after the address for a short id; without public_url there is none."""
    config = made_live(tmp_path, delivery='public_url = "https://hub.example/"').current
    url = ack_url(config, KEY, "K7M2PQ", "asha", NOW_NS)
    assert url.startswith("https://hub.example/ack/K7M2PQ.asha.")
    assert len(url) == len("https://hub.example/ack/") + 39
    token = url.rpartition("/")[2]
    assert read(KEY, token, NOW_NS + links.GRACE_NS - SECOND_NS) == Link(
        "K7M2PQ", "asha", NOW_NS + links.GRACE_NS
    )
    assert not ack_url(made_live(tmp_path).current, KEY, "K7M2PQ", "asha", NOW_NS)


def test_the_key_is_made_once_and_is_ours_alone(tmp_path: Path) -> None:
    """Of several that ask at once all get the same key; nobody else may read the file."""
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(secret(tmp_path / "data"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(found[0]) == 32
    (file,) = (tmp_path / "data").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("key", ["a", "K7M2PQ/site:agra/mail/1", "ज"])
def test_a_reply_mark_outlives_a_change_of_case(key: str) -> None:
    """24 small letters and digits, the same each time, another with another key."""
    mark = reply_token(KEY, key)
    assert len(mark) == 24
    assert mark == mark.lower() == reply_token(KEY, key)
    assert mark != reply_token(KEY, key + "x")
    assert mark != reply_token(b"x" * 32, key)
