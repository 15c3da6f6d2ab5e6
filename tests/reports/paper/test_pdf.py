"""The PDF: its text can be found, its first page is one page, it is the same each time, and no name is markup."""

from __future__ import annotations

import subprocess
import unicodedata
from typing import TYPE_CHECKING

from reports.paper import pdf
from tests.conftest import find_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reports.document import Document


def text_of(content: bytes, folder: Path, *, page: int | None = None) -> str:
    """What a reader finds when searching."""
    file = folder / "paper.pdf"
    file.write_bytes(content)
    pages = [] if page is None else ["-f", str(page), "-l", str(page)]
    command = [find_program("pdftotext"), "-layout", *pages, str(file), "-"]
    return unicodedata.normalize(
        "NFC", subprocess.run(command, check=True, capture_output=True).stdout.decode()
    )


def test_hindi_is_found(make_document: Callable[..., Document], tmp_path: Path) -> None:
    """Conjuncts, nuktas and matras come out as they were put in."""
    found = text_of(pdf(make_document()), tmp_path)
    for words in (
        "साप्ताहिक तैयारी रिपोर्ट",
        "मुज़फ़्फ़रनगर",
        "द्वितीय क्षेत्र ज़िला",
        "राउटर बंद करके चालू करें",
        "कुछ नहीं हुआ",
    ):
        assert unicodedata.normalize("NFC", words).replace(" ", "") in found.replace(" ", "")


def test_leadership_has_one_page(make_document: Callable[..., Document], tmp_path: Path) -> None:
    """What stands before the first break fits the first page, and what follows begins the second."""
    content = pdf(make_document(offices=5))
    assert "मदद चाहिए" in text_of(content, tmp_path, page=1)
    second = text_of(content, tmp_path, page=2)
    assert "क्षेत्र के अनुसार".replace(" ", "") in second.replace(" ", "")
    assert "मदद चाहिए" not in second


def test_headings_of_a_long_table_come_again(make_document: Callable[..., Document], tmp_path: Path) -> None:
    """On each page that it runs over."""
    content = pdf(make_document(offices=130))
    pages = text_of(content, tmp_path).split("\f")
    with_rows = [page for page in pages if page.count("12 h") > 10]
    assert len(with_rows) > 1
    assert all("घंटे" in page for page in with_rows)


def test_the_same_document_gives_the_same_bytes(make_document: Callable[..., Document]) -> None:
    """Its time is the document's."""
    assert pdf(make_document()) == pdf(make_document())


def test_a_name_is_never_markup(make_document: Callable[..., Document], tmp_path: Path) -> None:
    """No code, no reference, no emphasis."""
    found = text_of(pdf(make_document(office='#panic("x") *y* @z $1$ <w>')), tmp_path)
    assert '#panic("x") *y* @z $1$ <w>' in found
