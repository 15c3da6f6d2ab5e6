"""What reaches the reader: the subject as it was written, the lines as they were written."""

from __future__ import annotations

import base64
import quopri
import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.mail import Mail, envelope
from alerts.delivery.wire import on_the_wire
from config.load import load_config
from tests.alerts.delivery.test_mail import ROW, SECRET, configured, served

if TYPE_CHECKING:
    from pathlib import Path

FOUND = "आगरा महानगर, आज 07:29 की मीटिंग: तैयार नहीं, कंपनी को फ़ोन करें (BNTM5Z)"
WORDS = (*FOUND.split(), "हाथरस", "provider-b", "ज़िला", "11:00", "रोज़ की", "—", "=?", "?=")
SETTINGS = load_config(None).settings.alerts
ENCODED = re.compile(rb"=\?utf-8\?([bq])\?([^? ]*)\?=", re.IGNORECASE)


def sent(subject: str, body: str = "नमस्ते\n") -> bytes:
    return on_the_wire(envelope(replace(ROW, subject=subject, body=body), (), SETTINGS, SECRET))


def header(wire: bytes) -> bytes:
    """The subject's lines, unfolded (RFC 5322, section 2.2.3)."""
    found = re.search(rb"^Subject: ([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", wire, re.MULTILINE)
    assert found is not None
    return found[1].replace(b"\r\n", b"")


def as_shown(raw: bytes) -> str:
    """As any mail program shows it: white space between two encoded words is dropped (RFC 2047, section 6.2)."""
    found = list(ENCODED.finditer(raw))
    shown, at = "", 0
    for before, word in pairwise([None, *found]):
        assert word is not None
        between = raw[at : word.start()].decode("ascii")
        shown += "" if before is not None and not between.strip() else between
        code, text = word[1].lower(), word[2]
        shown += (base64.b64decode(text) if code == b"b" else quopri.decodestring(text, header=True)).decode()
        at = word.end()
    return shown + raw[at:].decode("ascii")


def test_the_blank_that_was_lost() -> None:
    assert as_shown(header(sent(FOUND))) == FOUND


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30))
def test_a_hindi_subject_arrives_as_it_was_written(words: list[str]) -> None:
    subject = " ".join(["आगरा", *words])
    wire = sent(subject)
    assert as_shown(header(wire)) == subject
    assert all(len(line) <= 76 for line in wire.partition(b"Date:")[0].split(b"\r\n"))


@pytest.mark.parametrize(
    "subject", ["Agra: not ready", "Agra, Today 11:00: not ready, call the provider " * 3]
)
def test_an_english_subject_stays_readable(subject: str) -> None:
    assert header(sent(subject.strip())).decode() == subject.strip()


def test_no_mark_comes_before_a_line_that_begins_with_from(tmp_path: Path) -> None:
    """Through a real conversation: what the server was given."""
    body = "All is well again.\nFrom 07:24 to 07:30\n"
    with served() as server:
        config = configured(tmp_path, server.port)
        Mail(SECRET)(replace(ROW, subject=FOUND, body=body), (), config)
    (mail,) = server.taken
    assert mail.get_content().replace("\r\n", "\n") == body
    assert mail["Subject"] == FOUND
