"""The page: whole in one file, the same each time, and nothing in a name is markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from reports.paper import html

if TYPE_CHECKING:
    from collections.abc import Callable

    from reports.document import Document


class Outline(HTMLParser):
    """The elements with their attributes, and the texts in them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_it_asks_nobody_for_anything(make_document: Callable[..., Document]) -> None:
    """No script, no link but within the page, every source a data URL."""
    outline = Outline(html(make_document()))
    assert not [tag for tag, _ in outline.elements if tag in {"script", "link", "iframe", "object"}]
    sources = [
        value for _, attrs in outline.elements for key, value in attrs.items() if key in {"src", "href"}
    ]
    assert sources
    assert all(str(source).startswith(("data:", "#")) for source in sources)
    assert all(found.startswith("data:") for found in re.findall(r'url\("?([^")]+)', html(make_document())))


def test_every_block_stands_in_it(make_document: Callable[..., Document]) -> None:
    """Tiles, cards, tables with their rows and captions, what is said of an empty one, and all four plots with words."""
    page = html(make_document())
    outline = Outline(page)
    said = "\n".join(outline.texts)
    for words in (
        "49 / 56",
        "राउटर बंद करके चालू करें।",
        "कुछ नहीं हुआ",
        "अनुमान एक संभावना है।",
        "तालिका",
        "23 नवंबर को बनी",
    ):
        assert words in said
    assert sum(tag == "tr" for tag, _ in outline.elements) == 1 + 3
    pictures = [attrs for tag, attrs in outline.elements if tag == "img"]
    assert len(pictures) == 4
    assert all(len(str(attrs["alt"])) > 10 for attrs in pictures)
    assert [tag for tag, _ in outline.elements if tag in {"h1", "h2", "h3"}][:3] == ["h1", "h2", "h2"]


def test_a_tone_is_a_sign_and_a_word_too(make_document: Callable[..., Document]) -> None:
    """Whoever sees no colour sees a sign, and whoever sees nothing hears a word."""
    page = html(make_document())
    cell = re.search(r'<td class="n">(.*?)</td>', page)
    assert cell is not None
    assert "<svg" in cell[1]
    assert "ख़राब" in cell[1]


def test_the_same_document_gives_the_same_bytes(make_document: Callable[..., Document]) -> None:
    """Nothing of the hour or the machine is in it."""
    assert html(make_document()) == html(make_document())


def test_a_name_is_never_markup(make_document: Callable[..., Document]) -> None:
    """What an operator calls an office stands there as it was written."""
    name = '<script>alert("x")</script> & "y"'
    outline = Outline(html(make_document(office=name)))
    assert name in "".join(outline.texts)
    assert not [tag for tag, _ in outline.elements if tag == "script"]
