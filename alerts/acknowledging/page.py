"""The page behind a link: one file, no script, nothing from elsewhere, readable on any telephone."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Final

from telemetry.words import say

if TYPE_CHECKING:
    from config.config import Config

NOTE_CHARACTERS: Final = 300
_STYLE: Final = """
:root { color-scheme: light dark; --bg: #eef1f3; --panel: #fff; --text: #12181d; --line: #b9c3cb; --button: #00568c; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #0c1014; --panel: #161d24; --text: #f1f4f6; --line: #44525e; --button: #8cc8f2; --on: #0c1014; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; background: var(--bg); color: var(--text);
  font: 1.125rem/1.5 "Noto Sans", "Noto Sans Devanagari", system-ui, sans-serif; }
main { max-width: 34rem; margin: 0 auto; padding: 1.25rem; background: var(--panel); border: 1px solid var(--line);
  border-radius: .75rem; overflow-wrap: anywhere; }
h1 { margin: 0 0 .75rem; font-size: 1.375rem; }
p { margin: 0 0 1rem; white-space: pre-line; }
form { margin-bottom: 1rem; } label { display: block; margin-bottom: 1rem; }
input { display: block; width: 100%; margin-top: .25rem; padding: .6rem; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--line); border-radius: .5rem; }
button { width: 100%; min-height: 3.5rem; padding: .5rem; font: inherit; font-size: 1.375rem; font-weight: 700;
  color: var(--on, #fff); background: var(--button); border: 0; border-radius: .5rem; }
.said { font-weight: 600; } .small { font-size: 1rem; }
""".strip()
_DIGEST: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
HEADERS: Final = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",  # the address is the permission
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


def asking(config: Config, language: str, alert_id: str, what: str, token: str) -> str:
    """What is wrong, and the button; it acknowledges what is shown here, by `token`."""
    form = (
        f'<form method="post" action="./{escape(token)}"><label>{_said(language, "ack.note")}'
        f'<input name="note" maxlength="{NOTE_CHARACTERS}" autocomplete="off"></label>'
        f'<button type="submit">{_said(language, "ack.button")}</button></form>'
    )
    body = f'<p>{escape(what)}</p><p class="small">{_said(language, "ack.ask")}</p>{form}'
    return _page(config, language, say(language, "ack.title", alert=alert_id), body)


def told(config: Config, language: str, alert_id: str, said: str, what: str = "") -> str:
    """What became of it, without a button."""
    title = say(language, "ack.title", alert=alert_id) if alert_id else config.settings.deployment.name
    rest = f"<p>{escape(what)}</p>" if what else ""
    return _page(config, language, title, f'<p class="said" role="status">{escape(said)}</p>{rest}')


def _said(language: str, key: str) -> str:
    return escape(say(language, key))


def _page(config: Config, language: str, title: str, body: str) -> str:
    phone = config.settings.deployment.noc_phone
    help_ = f'<p class="small">{escape(say(language, "ack.phone", phone=phone))}</p>' if phone else ""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}{help_}</main></body></html>"
    )
