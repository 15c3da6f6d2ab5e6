"""Our reader of catalogues finds what Babel finds, and says which line it cannot read; numbers are Babel's to the sign."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel import Locale
from babel.messages.pofile import read_po as babels
from babel.numbers import format_decimal
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry import words
from telemetry.words import format as form
from telemetry.words.po_file import PoError, read_po

FILES = sorted(Path(words.__file__).parent.glob("*/*.po"))
PATTERNS = {"hi": "#,##,##0.######", "en": "#,##0.######"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_catalogue_is_read_as_babel_reads_it(file: Path) -> None:
    """Key by key, in both forms where there are two."""
    with file.open("rb") as lines:
        entries = [entry for entry in babels(lines, abort_invalid=True) if entry.id]
    wanted = []
    for entry in entries:
        if isinstance(entry.string, str):
            wanted.append((entry.id, {"msgstr": entry.string}))
        else:
            forms = {f"msgstr[{number}]": text for number, text in enumerate(entry.string)}
            wanted.append((entry.id[0], forms))
    assert wanted
    assert list(read_po(file)) == wanted


def test_texts_in_several_lines_and_with_escapes(tmp_path: Path) -> None:
    """As gettext has them."""
    file = tmp_path / "a.po"
    file.write_text(
        'msgid ""\nmsgstr ""\n"Language: hi\\n"\n\n# why\nmsgid "a"\nmsgstr "x\\n"\n"\\"y\\" \\\\ \\t"\n',
        encoding="utf-8",
    )
    assert list(read_po(file)) == [("a", {"msgstr": 'x\n"y" \\ \t'})]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('msgid "a"\nmsgstr x\n', "a.po, line 2"),
        ('"lost"\n', "a.po, line 1"),
        ('msgid "a"\nmsgstr "x"\nmsgstr "y"\n', "a.po, line 3"),
        ('msgid "a"\n\nmsgid "b"\nmsgstr "y"\n', "a.po, before line 3: 'a'"),
        ('msgid "a"\nmsgid_plural "a"\nmsgstr[0] "x"\n', "a.po, at its end: 'a'"),
        ('msgid "a"\nmsgstr "x" y\n', "a.po, line 2"),
    ],
)
def test_what_cannot_be_read_is_said_by_line(tmp_path: Path, text: str, where: str) -> None:
    """A slip of the pen in a catalogue is found, never passed over."""
    (tmp_path / "a.po").write_text(text, encoding="utf-8")
    with pytest.raises(PoError) as wrong:
        list(read_po(tmp_path / "a.po"))
    assert where in str(wrong.value)


NUMBERS = st.one_of(
    st.integers(-(10**15), 10**15),
    st.floats(-1e15, 1e15, allow_nan=False),
    st.floats(-10, 10, allow_nan=False),
    st.sampled_from([0, 1, 1.0, -1, -0.0, 0.5, 99_999, 100_000, 1e-7, -1e-9, 5e-7, 1.5e-6, float("inf")]),
)


@pytest.mark.parametrize("language", words.LANGUAGES)
@settings(max_examples=200, deadline=None)
@given(number=NUMBERS)
def test_numbers_are_written_as_babel_writes_them(language: str, number: float) -> None:
    """Groups, point, sign and rounding; and which of the two forms a number takes."""
    theirs = format_decimal(number, format=PATTERNS[language], locale=language).replace("-", form.MINUS)
    assert form.decimal(language, number) == theirs
    if number != float("inf"):
        assert form.is_one(language, number) == (Locale.parse(language).plural_form(number) == "one")
