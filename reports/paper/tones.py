"""What a tone looks like: a sign first, then a colour, so that it is seen in grey and by everybody.

Signs are those of the wall (● ▲ ■ ◌); colours are darkened Okabe-Ito ones, at least 4.5 : 1 on white and on their tint.
"""

from __future__ import annotations

from typing import Final

from reports.document import Tone

INK: Final = "#1b1f24"
SOFT: Final = "#57606a"
LINE: Final = "#d0d7de"
BLUE: Final = "#00558c"
GOOD: Final = "#00664b"
BAD: Final = "#a83800"
WATCH: Final = "#7a5200"

COLOURS: Final = {Tone.PLAIN: INK, Tone.GOOD: GOOD, Tone.WATCH: WATCH, Tone.BAD: BAD, Tone.MISSING: SOFT}
_SHAPES: Final = {
    Tone.GOOD: '<circle cx="5" cy="5" r="4"/>',
    Tone.WATCH: '<path d="M5 .8 9.6 9H.4z"/>',
    Tone.BAD: '<rect x="1" y="1" width="8" height="8"/>',
    Tone.MISSING: '<circle cx="5" cy="5" r="3.6" fill="none" stroke="currentColor" stroke-width="1.2" stroke-dasharray="2 1.6"/>',
}


def sign(tone: Tone) -> str:
    """The sign of a tone as inline SVG in the colour of the text; empty for the plain one."""
    shape = _SHAPES.get(tone)
    if shape is None:
        return ""
    return f'<svg class="sign" viewBox="0 0 10 10" aria-hidden="true" fill="currentColor">{shape}</svg>'
