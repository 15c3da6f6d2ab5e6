"""One thing that somebody else wrote: a package of the environment, or files that lie in this repository."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOUSE: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Part:
    """A name, a version, a licence, and for whom it is brought."""

    name: str
    version: str
    """Empty where the source has none."""
    licence: str
    """SPDX expression; empty when neither the package nor the policy says."""
    needed_by: str
    """`base`, `hub`, `scale` or `dev` for a package (the first that needs it); `wall and reports` or `tests` for files."""
    source: str = ""
    text: str = ""
    """Where its licence text lies, as a path of this repository; empty for a package: its text is installed with it."""
    needs: tuple[str, ...] = ()
    """Names of the packages that it asks for itself, as they are installed here."""

    @property
    def shipped(self) -> bool:
        """Whether an office or a headquarters gets it; what only developers use is not."""
        return self.needed_by not in {"dev", "tests"}
