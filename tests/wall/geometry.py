"""A wall that is open, and where on it things stand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from telemetry.windows import SECOND_NS
from tests.wall.conftest import at_rest

if TYPE_CHECKING:
    from playwright.sync_api import Page


NOW_NS = 1_795_495_670 * SECOND_NS


def open_wall(page: Page, fleet: Any, address: str = "/?lang=en&theme=dark") -> None:
    page.goto(fleet.url + address)
    page.wait_for_selector(".mark, .tile")
    at_rest(page)


def mark(site: str) -> str:
    return f'.marks a[href="#/site/{site}"]'


def places(page: Page, selector: str) -> dict[str, tuple[float, float]]:
    """Where each link's shape stands."""
    found: dict[str, tuple[float, float]] = page.evaluate(
        """selector => Object.fromEntries([...document.querySelectorAll(selector)].map(link => {
            const box = link.querySelector('.shape').getBoundingClientRect();
            return [link.getAttribute('href'), [box.x, box.y]]; }))""",
        selector,
    )
    return found


def boxes(page: Page, selector: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(
        """selector => [...document.querySelectorAll(selector)].filter(e => e.checkVisibility()).map(e => {
            const {x, y, width, height} = e.getBoundingClientRect();
            return {text: e.textContent, x, y, width, height}; })""",
        selector,
    )
    return found


def overlap(a: dict[str, Any], b: dict[str, Any], slack: float = 1.0) -> bool:
    across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    return bool(across > slack and down > slack)


def apart(a: dict[str, Any], b: dict[str, Any]) -> float:
    """Between the middles of two boxes."""
    return math.hypot(
        a["x"] + a["width"] / 2 - b["x"] - b["width"] / 2, a["y"] + a["height"] / 2 - b["y"] - b["height"] / 2
    )
