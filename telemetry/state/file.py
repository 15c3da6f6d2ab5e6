"""What the state database is called in a data folder; light, for commands that only look whether it is there."""

from typing import Final

STATE_FILE: Final = "state.db"
