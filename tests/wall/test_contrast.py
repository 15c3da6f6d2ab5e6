"""Colours of the wall by WCAG 2.2's own formula, in both themes: words 4.5 : 1 (1.4.3), shapes 3 : 1 (1.4.11)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

import dashboards.wall

TOKENS: Final = Path(dashboards.wall.__file__).parent / "static" / "css" / "tokens.css"
GROUNDS: Final = ("bg", "panel", "raised", "tone-0", "tone-1", "tone-2")
TEXTS: Final = ("text", "muted", "ready-text", "at_risk-text", "not_ready-text", "dark-text", "unknown-text")
SHAPES: Final = ("ready-edge", "at_risk-edge", "not_ready", "dark", "unknown")


def colours(theme: str) -> dict[str, str]:
    """The theme's colours as six hexadecimal digits; the light one overwrites the dark."""
    css = TOKENS.read_text(encoding="utf-8")
    dark, light = re.findall(r":root(?:\[data-theme=.light.\])? \{[^}]*--bg[^}]*\}", css)
    found = dict(re.findall(r"--([\w-]+): #([0-9a-f]{6})(?![0-9a-f])", dark))
    return found | (
        dict(re.findall(r"--([\w-]+): #([0-9a-f]{6})(?![0-9a-f])", light)) if theme == "light" else {}
    )


def luminance(colour: str) -> float:
    """Relative luminance."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("names", "least"), [(TEXTS, 4.5), (SHAPES, 3.0)], ids=["words", "shapes"])
def test_every_word_and_shape_stands_out(theme: str, names: tuple[str, ...], least: float) -> None:
    """On every ground that the wall has, also the darkest of the map's."""
    found = colours(theme)
    assert contrast(found["text"], found["bg"]) > 10
    weak = {
        (name, ground): round(contrast(found[name], found[ground]), 2)
        for name in names
        for ground in GROUNDS
        if contrast(found[name], found[ground]) < least
    }
    assert weak == {}
