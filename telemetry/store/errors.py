"""What can go wrong at the report store."""

from __future__ import annotations


class StoreError(RuntimeError):
    """The store cannot do what was asked (disk full, file damaged, file of a newer version); nothing was half done."""
