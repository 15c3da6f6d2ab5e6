"""The arrays that the figures of a window are worked out with: numpy's, or for one office's few thousand packets our own.

numpy takes 13 MB to load, which is a quarter of what an office's machine may give the whole probe. So the modules that
the agent needs ask here for `np`, and use no more of it than `plain_numpy` has; both give the same bits. Who measures for a fleet, and whoever reads what
was measured, has numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry import array_choice

if TYPE_CHECKING:
    import numpy as np
elif array_choice.made() == "plain":
    from telemetry import plain_numpy as np
else:
    import numpy as np

__all__ = ["np"]
