"""What can go wrong at the state database."""

from __future__ import annotations


class StateError(RuntimeError):
    """The state database cannot do what was asked (disk full, file damaged or of a newer version); nothing was half done."""
