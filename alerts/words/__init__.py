"""What people read: every message of the alerts as a numbered template with bounded variables, in Hindi and English."""

from alerts.words.render import render
from alerts.words.templates import UnsaidError

__all__ = ["UnsaidError", "render"]
