"""What happened at one office's agent since it started. Every drop has a number here; the `status` command tells them."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counters:
    """Counts of one office, all since the start of the process."""

    reports_made: int = 0
    reports_too_large: int = 0
    """Items were left out so that the report could be taken."""
    reports_dropped: int = 0
    """Made while the spool could not be written, and given up."""
    spool_refused: int = 0
    """Tries to open the spool, or to store a report in it, that the disk refused: full, read-only, gone."""
    clock_steps: int = 0
    """Steps of this machine's own clock that were noticed."""
    connections: int = 0
    unreached: int = 0
    """Tries to reach the broker that came to nothing, for whatever reason."""
    unresolved: int = 0
    """Of these: its name could not be looked up."""
    untrusted: int = 0
    """Of these: its certificate was not accepted."""
    published: int = 0
    resent: int = 0
    """Sent before, never stored."""
    stored: int = 0
    """Reports that the hub said it has committed."""
    nobody_there: int = 0
    """PUBACK 0x10: the broker took it, nobody at the hub would have."""
    refused: int = 0
    """PUBACK 0x80 and above."""
    stored_other_epoch: int = 0
    renumbered: int = 0
    """The hub knew of reports that this spool had not made, or not sent: the disk went back in time, or was copied."""
    unmarked: int = 0
    """Tries to note in the spool that reports go out which the disk refused; they wait."""
    bad_messages: int = 0
    """A `stored`, plan or command that could not be read."""
    inbox_dropped: int = 0
    commands: int = 0
    commands_refused: int = 0
    """Not signed by our hub, not for us, or not for now."""
    turned_away: int = 0
    """The broker did not know us."""
    plan_clamped: int = 0
    """Wishes of a plan that were cut to what a probe allows."""
    faults: int = 0
    """A part of this office failed and was started again."""

    def as_text(self) -> str:
        """The counts that are not zero, `name=count` separated by blanks."""
        return " ".join(f"{name}={count}" for name, count in asdict(self).items() if count)
