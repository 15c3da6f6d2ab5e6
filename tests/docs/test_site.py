"""The documentation is built strictly, is found by search in both scripts, and asks no other machine for anything."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HOUSE: Final = Path(__file__).parents[2]
STRICT: Final = (
    "--fail-on-warning",
    "--keep-going",
    "--nitpicky",
    "--quiet",
    "-j",
    "auto",
    "-b",
    "html",
    "-c",
    "docs",
)
FETCHED: Final = re.compile(
    r"""(?:<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\bsrc=|<link\b[^>]*?\bhref=|<object\b[^>]*?\bdata=|@import\s+|\burl\()["']?(?P<from>[^"'\s)>]+)""",
)
"""What a browser fetches by itself for a page or a sheet; where a link leads is not."""


def build(source: Path, into: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *STRICT, ".", str(into)],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    done = build(HOUSE, folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_make_docs_is_what_is_tested() -> None:
    """The Makefile builds with the very options."""
    assert f"sphinx-build {' '.join(STRICT)} . build/docs" in (HOUSE / "Makefile").read_text(encoding="utf-8")


def test_every_page_is_built(site: Path) -> None:
    """Each Markdown file below docs, and each room's README, is a page; the front door leads in."""
    sources = [*(HOUSE / "docs").rglob("*.md"), *HOUSE.glob("[!.]*/README.md")]
    assert len(sources) > 100
    absent = [
        page
        for page in (p.relative_to(HOUSE).with_suffix(".html") for p in sources)
        if not (site / page).is_file()
    ]
    assert not absent
    assert "docs/index.html" in (site / "index.html").read_text(encoding="utf-8")


def test_nothing_is_asked_of_other_machines(site: Path) -> None:
    """No page, sheet or script that a page loads names another machine; what is fetched is there."""
    outside, seen = [], 0
    for file in [*site.rglob("*.html"), *site.rglob("*.css")]:
        for found in FETCHED.finditer(file.read_text(encoding="utf-8")):
            seen += 1
            where = found["from"].split("?")[0].split("#")[0]
            if re.match(r"(https?:)?//", where) or (
                where and not where.startswith("data:") and not (file.parent / where).exists()
            ):
                outside.append(f"{file.relative_to(site)}: {found['from']}")
    assert not outside, "\n".join(outside[:20])
    assert seen > 1000
    assert list(site.glob("_static/fonts/*devanagari*.woff2"))


def test_faults_fail_the_build(tmp_path: Path) -> None:
    """A link to a page or a heading that is not there, a picture that is not there, and a page in no list each fail it."""
    docs = tmp_path / "docs"
    shutil.copytree(HOUSE / "docs" / "_site", docs / "_site")
    shutil.copy(HOUSE / "docs" / "conf.py", docs)
    (docs / "index.md").write_text("# Front\n\n:::{toctree}\nlisted\nnot-there\n:::\n", encoding="utf-8")
    (docs / "listed.md").write_text(
        "# Listed\n\n[page](gone.md)\n\n[heading](index.md#gone)\n\n![picture](gone.png)\n", encoding="utf-8"
    )
    (docs / "forgotten.md").write_text("# Forgotten\n", encoding="utf-8")
    done = build(tmp_path, tmp_path / "out")
    assert done.returncode == 1
    warned = [line.partition("docs/")[2] for line in done.stderr.splitlines() if "WARNING" in line]
    assert [line.partition(":")[0] for line in sorted(warned)] == [
        "forgotten.md", "index.md", "listed.md", "listed.md", "listed.md"
    ]  # fmt: skip
    for fault in ("gone.md", "gone.png", "'gone'", "not-there", "any toctree"):
        assert any(fault in line for line in warned), (fault, warned)


@pytest.mark.browser
def test_search_finds_whole_words_in_both_scripts(site: Path, program: Callable[[str], str]) -> None:
    """From a folder, without a server: Hindi and English words are found, a piece of a Hindi word is no word, and pages say their language."""
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program("chromium"), args=["--no-sandbox", "--disable-gpu"], timeout=60_000
        )
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: asked.append(request.url))

        def finds(word: str) -> list[str]:
            page.goto(f"file://{site}/search.html?q={word}")
            page.wait_for_function(
                "/finished|did not match/.test(document.querySelector('#search-results').innerText)"
            )
            return page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.href)")

        assert any("hi/in-charge" in found for found in finds("कार्यालय"))
        assert any("reference/settings" in found for found in finds("journal_megabytes"))
        assert not finds(
            "यार्कालय"
        )  # made of the pieces that a search by letters alone would take the word for
        page.goto(f"file://{site}/index.html")
        page.wait_for_url("**/docs/index.html")
        assert page.get_attribute("html", "lang") == "en"
        page.goto(f"file://{site}/docs/hi/in-charge.html")
        assert page.get_attribute("html", "lang") == "hi"
        page.wait_for_function("document.fonts.check('16px \"Noto Sans\"', 'क')")  # fetched when it is drawn
        browser.close()
    assert all(url.startswith(("file://", "data:")) for url in asked), asked
