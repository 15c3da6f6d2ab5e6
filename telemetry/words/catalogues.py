"""The catalogues: gettext .po files with symbolic msgids, read at run time, one folder a language.

Every `*.po` of a folder belongs to the language's catalogue, so that each room keeps its words in a file of
its own. A plural entry has two forms, `one` and `other` (all that CLDR knows for Hindi and English); in the
flat catalogue they are `key#one` and `key`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.pofile import read_po

LANGUAGES: Final = ("hi", "en")
_FOLDER: Final = Path(__file__).parent


class WordsError(Exception):
    """The words are wrong; a programming mistake, never the operator's."""


class UnknownLanguageError(WordsError):
    """There is no catalogue of that language."""

    def __init__(self, language: str) -> None:
        super().__init__(f"no words in {language!r}; the languages are {', '.join(LANGUAGES)}")


class UnknownWordError(WordsError):
    """The catalogue has no such key."""

    def __init__(self, language: str, key: str) -> None:
        super().__init__(f"no words for {key!r} in {language!r}; add them to telemetry/words/*/")


class RepeatedWordError(WordsError):
    """Two files of one language define the same key."""


@cache
def _read(language: str) -> dict[str, str]:
    if language not in LANGUAGES:
        raise UnknownLanguageError(language)
    words: dict[str, str] = {}
    for file in sorted((_FOLDER / language).glob("*.po")):
        with file.open("rb") as lines:
            entries = read_po(lines, locale=language, abort_invalid=True)
        for entry in entries:
            if not entry.id:
                continue
            key, forms = _forms(entry.id, entry.string)
            if key in words:
                raise RepeatedWordError(f"{file.name}: {key!r} has its words in another file already")
            words |= {key + suffix: text for suffix, text in forms.items()}
    return words


def _forms(msgid: str | tuple[str, ...] | list[str], msgstr: object) -> tuple[str, dict[str, str]]:
    """Key of an entry and its texts by suffix: `""` for the only or the `other` form, `#one`."""
    if isinstance(msgid, str):
        return msgid, {"": str(msgstr)}
    one, other = msgstr if isinstance(msgstr, list | tuple) else (msgstr, msgstr)
    return msgid[0], {"#one": str(one), "": str(other)}


def catalogue(language: str) -> dict[str, str]:
    """All words of a language by key, as the browser takes them; raises UnknownLanguageError."""
    return dict(_read(language))


def knows(language: str, key: str) -> bool:
    """Whether the catalogue has words for a key (for names that the operator may choose, as regions)."""
    return key in _read(language)


def template(language: str, key: str, *, one: bool) -> str:
    """The text with its placeholders, in the form for one or for many; raises UnknownWordError."""
    words = _read(language)
    text = words.get(f"{key}#one") if one else None
    text = text if text is not None else words.get(key)
    if text is None:
        raise UnknownWordError(language, key)
    return text
