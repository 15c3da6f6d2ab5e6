"""The wall in a real Chromium: what is old looks old and says its age."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.wall.geometry import boxes, mark, open_wall, overlap

if TYPE_CHECKING:
    from playwright.sync_api import Page


pytestmark = pytest.mark.browser


def test_old_data_looks_old(page: Page, fleet: Any) -> None:
    """An office that reports is fresh; one that does not is dimmed and its age is said."""
    fleet.report(["agra"])
    open_wall(page, fleet)
    page.wait_for_selector(f"{mark('agra')}:not(.old)")
    page.wait_for_selector(f"{mark('auraiya')}.old")
    assert "old data, " in (page.get_attribute(mark("auraiya"), "aria-label") or "")
    assert re.fullmatch(r"Auraiya \d+\u00a0(min|s|h)", page.text_content(f"{mark('auraiya')} text") or "")
    assert re.fullmatch(r"Lalitpur \d+\u00a0(min|h)", page.text_content(f"{mark('lalitpur')} text") or "")


@pytest.mark.parametrize("language", ["hi", "en"])
def test_when_everything_is_old_every_mark_says_its_age(page: Page, fleet: Any, language: str) -> None:
    """A collector that stopped: 56 marks with an age each, and still no two labels over each other."""
    open_wall(page, fleet, f"/?lang={language}")
    page.wait_for_selector(".mark")
    page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model, takeChange} = await import(script);
        const tiles = Object.entries(model.tiles).filter(([, tile]) => tile.shade !== 'planned');
        const then = Math.min(...tiles.map(([, tile]) => tile.newest_ms));
        takeChange({tiles: Object.fromEntries(tiles.map(([site]) => [site, {newest_ms: then}]))}); }"""
    )
    unit = {"hi": "मिनट|घंटा|घंटे", "en": "min|h"}[language]
    said = page.evaluate(
        "[...document.querySelectorAll('.mark.old')].map(mark => mark.querySelector('text')?.textContent ?? '')"
    )
    assert len(said) == 56
    assert [text for text in said if not re.search(rf"\d+\u00a0({unit})$", text)] == []
    labels = [label for label in boxes(page, ".marks text") if label["text"]]
    slack = labels[0]["height"] * 0.25
    assert [
        (a["text"], b["text"]) for a, b in itertools.combinations(labels, 2) if overlap(a, b, slack)
    ] == []


def test_an_age_without_a_name_is_said_only_when_everything_is_old(page: Page, fleet: Any) -> None:
    """In a crowd the name has the room, or nothing has; with every office old some marks can say their age alone."""
    page.set_viewport_size({"width": 1366, "height": 768})
    open_wall(page, fleet, "/?lang=en")
    page.wait_for_selector(".mark")
    bare = page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model, now, takeChange} = await import(script);
        const linked = Object.keys(model.tiles).filter(site => model.tiles[site].shade !== 'planned');
        const heard = fresh => takeChange({tiles: Object.fromEntries(linked.map(site => [site, {newest_ms: now() + (site === fresh ? 3_600_000 : -600_000)}]))});
        const bare = () => [...document.querySelectorAll('.mark.old text')].map(e => e.textContent.trim()).filter(text => /^\\d/.test(text)).length;
        heard(''); const all = bare();
        heard('agra'); return [all, bare(), document.querySelectorAll('.mark.old').length]; }"""
    )
    assert bare[0] > 0
    assert bare[1:] == [0, 55]
