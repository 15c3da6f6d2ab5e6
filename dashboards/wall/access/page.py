"""The sign-in page: HTML alone, readable on any telephone, in Hindi and English."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from telemetry.words import LANGUAGES, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from config.config import Config

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "same-origin",  # with no-referrer a browser calls the form's origin null
}
_OTHER: Final = {"hi": "en", "en": "hi"}


def language_of(request: Request, fallback: str) -> str:
    """Asked for in the address, else the browser's first that we speak, else the deployment's."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        return asked
    wanted = request.headers.get("accept-language", "").lower().split(",")
    spoken = (part.partition(";")[0].strip().partition("-")[0] for part in wanted[:10])
    return next((one for one in spoken if one in LANGUAGES), fallback)


def asked_for(request: Request) -> str:
    """The query that keeps a language that somebody chose; empty when nobody did, and the wall keeps to its own."""
    asked = request.query_params.get("lang")
    return f"?lang={asked}" if asked in LANGUAGES else ""


def sign_in(config: Config, request: Request, static: str, said: str, facts: Mapping[str, Any]) -> str:
    """The form, in the language of the request; `said` is the key of the line above it, or empty."""
    deployment = config.settings.deployment
    language = language_of(request, deployment.language)
    alert = f'<p class="wrong" role="alert">{escape(say(language, said, **facts))}</p>' if said else ""
    phone = deployment.noc_phone
    help_ = f"<p>{_said(language, 'signin.help')}</p>"
    help_ += f"<p>{escape(say(language, 'ack.phone', phone=phone))}</p>" if phone else ""
    other = _OTHER[language]
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="dark light">'
        f"<title>{escape(deployment.name)}: {_said(language, 'signin.title')}</title>"
        f'<link rel="icon" href="{static}/icon.svg" type="image/svg+xml">'
        f'<link rel="stylesheet" href="{static}/css/tokens.css">'
        f'<link rel="stylesheet" href="{static}/css/base.css">'
        f'<link rel="stylesheet" href="{static}/css/sign_in.css">'
        f'</head><body class="sign-in"><main><h1>{escape(deployment.name)}</h1>{alert}'
        f'<form method="post" action="/sign-in{asked_for(request)}">'
        f'<label for="name">{_said(language, "signin.name")}</label>'
        '<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64" required autofocus>'
        f'<label for="password">{_said(language, "signin.password")}</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" maxlength="256" required>'
        f'<button type="submit">{_said(language, "signin.button")}</button></form>{help_}'
        f'<p><a href="/sign-in?lang={other}" lang="{other}" hreflang="{other}">{_said(language, "wall.other_language")}</a></p>'
        "</main></body></html>"
    )


def _said(language: str, key: str) -> str:
    return escape(say(language, key))
