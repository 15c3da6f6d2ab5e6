"""What can go wrong in the lab, each with one line for the operator."""

from __future__ import annotations


class LabError(RuntimeError):
    """The lab cannot do its work; one line that says why."""


class NoFleetError(LabError):
    """No emulated fleet runs on this data directory."""


class RefusedError(LabError):
    """A request is wrong: one line that says what to write instead."""
