"""What the types of `[digest]` cannot say: addresses that are addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.site_columns import CellError, email

if TYPE_CHECKING:
    from config.settings import Digest
    from config.wrong import Wrong


def check_digest(digest: Digest, wrong: Wrong) -> None:
    """Raise the first thing that is wrong."""
    for place, address in enumerate(digest.to):
        try:
            found = email("digest.to", address)
        except CellError as bad:
            raise wrong(("digest", "to", place), bad.problem, "write name@domain") from None
        if not found:
            raise wrong(("digest", "to", place), "digest.to has an empty address", "write name@domain")
