"""Words in Devanagari: found by the search, and said to be Hindi.

The generator takes a word for a run of letters. In Devanagari vowel signs and the virama are marks, not letters, so that
`कार्यालय` would fall into `क`, `र`, `य`, `लय`; here they are part of the word, in the index as in the browser.
A page says its language by `language: hi` at its top.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from sphinx.search.en import SearchEnglish

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARKS: Final = r"\u0900-\u0963\u0966-\u097f\u200c\u200d"
"""Devanagari without its full stops, and the two joiners."""


class EnglishAndHindi(SearchEnglish):
    """English as it is, and whole words in Devanagari."""

    _word_re = re.compile(rf"[\w{MARKS}]+")
    js_splitter_code = (
        "var splitQuery = (query) =>\n"
        rf"  query.split(/[^\p{{Letter}}\p{{Mark}}\p{{Number}}_\p{{Emoji_Presentation}}{MARKS}]+/gu).filter((term) => term);"
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Put them in place."""
    app.add_search_language(EnglishAndHindi)
    app.connect("html-page-context", _say_language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _say_language(
    app: Sphinx,
    pagename: str,
    templatename: str,  # noqa: ARG001 - the generator's signature
    context: dict[str, Any],
    doctree: object,  # noqa: ARG001
) -> None:
    context["language"] = app.env.metadata.get(pagename, {}).get("language", context["language"])
