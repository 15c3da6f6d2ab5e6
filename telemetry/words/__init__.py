"""What the house says, in Hindi and English: catalogues, and the numbers that stand in them.

>>> say("en", "reason.since", reason="No contact", since=1_764_000_000_000_000_000)
'No contact, since 21:30'
"""

from telemetry.words.catalogues import (
    LANGUAGES,
    UnknownLanguageError,
    UnknownWordError,
    WordsError,
    catalogue,
    knows,
)
from telemetry.words.format import DEFAULT_ZONE
from telemetry.words.offices import say_office
from telemetry.words.speak import (
    measure,
    say,
    say_action,
    say_cause,
    say_down,
    say_incident,
    say_not_ready,
    say_reason,
    say_region,
    say_state,
    say_told,
)

__all__ = [
    "DEFAULT_ZONE",
    "LANGUAGES",
    "UnknownLanguageError",
    "UnknownWordError",
    "WordsError",
    "catalogue",
    "knows",
    "measure",
    "say",
    "say_action",
    "say_cause",
    "say_down",
    "say_incident",
    "say_not_ready",
    "say_office",
    "say_reason",
    "say_region",
    "say_state",
    "say_told",
]
