"""Makes docs/pictures/messages-hi.png: how messages look where they are read. `python -m tests.alerts.words.pictures [FOLDER]`."""

from __future__ import annotations

import shutil
import sys
from html import escape
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from alerts.facts import Audience, Form
from alerts.words import render
from telemetry.alerting import Kind, Step
from tests.alerts.words.cases import config, facts
from tests.wall.conftest import CHROMIUM_FLAGS

STYLE: Final = """
body { margin: 0; padding: 24px; background: #e8ebef; font: 17px/1.55 "Noto Sans Devanagari", "Noto Sans", sans-serif;
  display: grid; grid-template-columns: 620px 400px; gap: 24px; color: #16202a; }
article { background: #fff; border-radius: 10px; padding: 18px 22px; white-space: pre-line; margin-bottom: 18px; overflow-wrap: anywhere; }
h1 { font-size: 17px; margin: 0 0 10px; border-bottom: 1px solid #ccd3da; padding-bottom: 8px; }
.sms { background: #dff3e4; border-radius: 18px; } small { display: block; color: #5b6773; margin-bottom: 4px; }
"""
MAILS: Final = (
    (Kind.NOT_READY, Step.RAISED, Audience.IN_CHARGE),
    (Kind.NOT_YOUR_LINE, Step.RAISED, Audience.IN_CHARGE),
)
TEXTS: Final = (
    (Kind.NOT_READY, Step.RAISED, Audience.IN_CHARGE),
    (Kind.DARK, Step.RAISED, Audience.IN_CHARGE),
    (Kind.NOT_READY, Step.ESCALATED, Audience.REGIONAL),
    (Kind.SHARED, Step.RAISED, Audience.NOC),
)


def page() -> str:
    """Mails on the left, text messages on the right."""
    mails = [render(facts(*what), config(), "hi", Form.MAIL) for what in MAILS]
    texts = [render(facts(*what, link=""), config(), "hi", Form.SMS) for what in TEXTS]
    left = "".join(f"<article><h1>{escape(m.subject)}</h1>{escape(m.body.strip())}</article>" for m in mails)
    right = "".join(
        f'<article class="sms"><small>SMS {t.template}</small>{escape(t.body)}</article>' for t in texts
    )
    return f"<meta charset=utf-8><style>{STYLE}</style><div>{left}</div><div>{right}</div>"


def make(folder: Path) -> None:
    """Write the picture into a folder."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        shown = browser.new_page(viewport={"width": 1092, "height": 400})
        shown.set_content(page())
        shown.evaluate("document.fonts.ready")
        shown.screenshot(path=folder / "messages-hi.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[3] / "docs" / "pictures")
