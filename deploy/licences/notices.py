"""THIRD_PARTY_NOTICES.md: a table of every package that is shipped with it, and the full licence texts of vendored files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deploy.licences.part import HOUSE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from deploy.licences.part import Part

NOTICES: Final = HOUSE / "THIRD_PARTY_NOTICES.md"
_HEAD: Final = """# What others wrote

Made by `python -m deploy.licences notices`; a test fails when it is behind. Exact versions and hashes are in `requirements.lock`; a bill of materials (CycloneDX) of an
installation is made by `make sbom`.

## Packages

Installed by pip, as their authors published them, with their licence texts in each package's `.dist-info` folder. `base` is what an office gets, `hub` and `scale` what a headquarters adds.
The binary wheels of numpy, scipy and pyarrow carry further libraries inside (OpenBLAS, GCC's run-time libraries under the GPL with GCC's run-time exception, and others): their licence files name them.

"""


def notices(parts: Iterable[Part]) -> str:
    """The text; it depends on names and licences only, so that it is the same for every supported Python."""
    shipped = [part for part in parts if part.shipped]
    lines = ["| package | licence | brought by |", "|---|---|---|"]
    lines += [f"| {part.name} | {part.licence} | {part.needed_by} |" for part in shipped if not part.text]
    return (
        _HEAD
        + "\n".join(lines)
        + "\n\n## Files in this repository\n"
        + "".join(map(_files, parts_with_text(shipped)))
    )


def parts_with_text(parts: Iterable[Part]) -> list[Part]:
    """The vendored ones: their licence text is in the repository."""
    return [part for part in parts if part.text]


def _files(part: Part) -> str:
    text = _text(HOUSE / part.text)
    title = f"{part.name} {part.version}".strip()
    return f"\n### {title}\n\n{part.licence}, <{part.source}>, for: {part.needed_by}\n\n```\n{text}\n```\n"


def _text(path: Path) -> str:
    return "\n".join(line.rstrip() for line in path.read_text(encoding="utf-8").strip().splitlines())
