"""The catalogues: gettext .po files with symbolic msgids, read at run time, one folder a language.

Every `*.po` of a folder belongs to the language's catalogue, so that each room keeps its words in a file of
its own. A plural entry has two forms, `one` and `other` (all that CLDR knows for Hindi and English); in the
flat catalogue they are `key#one` and `key`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from telemetry.words.po_file import PoError, read_po

LANGUAGES: Final = ("hi", "en")
_FOLDER: Final = Path(__file__).parent
_SUFFIX: Final = {"msgstr": "", "msgstr[0]": "#one", "msgstr[1]": ""}


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
        try:
            entries = list(read_po(file))
        except PoError as error:
            raise WordsError(str(error)) from error
        for key, forms in entries:
            if key in words:
                raise RepeatedWordError(f"{file.name}: {key!r} has its words in another file already")
            words |= {key + _SUFFIX[name]: text for name, text in forms.items()}
    return words


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
