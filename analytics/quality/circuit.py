"""What a narrowband connection is rated at before codec, loss and delay: Ro - Is of G.107, from its defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.quality.ranges import Range

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Circuit:
    """Loudness, noise and echo of a connection; defaults and permitted ranges of G.107 table 2.

    Raises:
        QualityRangeError: a figure lies outside its range.
    """

    slr_db: float = 8
    rlr_db: float = 2
    stmr_db: float = 15
    d_r: float = 3
    d_s: float = 3
    telr_db: float = 65
    wepl_db: float = 110
    qdu: float = 1
    nc_dbm: float = -70
    nfor_dbm: float = -64
    ps_db: float = 35
    pr_db: float = 35
    advantage: float = 0

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            allowed.refuse(name, getattr(self, name))

    @property
    def lstr_db(self) -> float:
        """Listener side tone: STMR + Dr."""
        return self.stmr_db + self.d_r

    @property
    def noise_dbm(self) -> float:
        """No (7-3): noise at the 0 dBr point."""
        receive = self.pr_db + 10 * math.log10(1 + 10 ** ((10 - self.lstr_db) / 10))
        nor = self.rlr_db - 121 + receive + 0.008 * (receive - 35) ** 2
        loudness = self.slr_db + self.rlr_db
        nos = self.ps_db - self.slr_db - self.d_s - 100 + 0.004 * (self.ps_db - loudness - self.d_s - 14) ** 2
        sources = (self.nc_dbm, nos, nor, self.nfor_dbm + self.rlr_db)
        return 10 * math.log10(sum(10 ** (level / 10) for level in sources))

    @property
    def signal_to_noise(self) -> float:
        """Ro (7-2); 94.77 by default."""
        return 15 - 1.5 * (self.slr_db + self.noise_dbm)

    def simultaneous(self, echo_delay_ms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Is (7-8): too loud, side tone, quantising; 1.41 by default. The side tone knows the echo path's delay T."""
        x = self.slr_db + self.rlr_db + 0.2 * (64 + self.noise_dbm - self.rlr_db)
        loud = 20 * ((1 + (x / 8) ** 8) ** (1 / 8) - x / 8)
        q = 37 - 15 * math.log10(self.qdu)
        g = 1.07 + 0.258 * q + 0.0602 * q**2
        y = (self.signal_to_noise - 100) / 15 + 46 / 8.4 - g / 9
        z = 46 / 30 - g / 40
        return np.asarray(loud + self._side_tone(echo_delay_ms) + 15 * math.log10(1 + 10**y + 10**z))

    def _side_tone(self, echo_delay_ms: NDArray[np.float64]) -> NDArray[np.float64]:
        echo = np.exp(-echo_delay_ms / 4) * 10 ** (-self.telr_db / 10)
        level = -10 * np.log10(10 ** (-self.stmr_db / 10) + echo)
        return np.asarray(
            12 * (1 + ((level - 13) / 6) ** 8) ** (1 / 8)
            - 28 * (1 + ((level + 1) / 19.4) ** 35) ** (1 / 35)
            - 13 * (1 + ((level - 3) / 33) ** 13) ** (1 / 13)
            + 29
        )

    def talker_echo(self, echo_delay_ms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Idte: one's own voice coming back after the echo path's mean one-way delay T."""
        t = echo_delay_ms
        r_oe = -1.5 * (self.noise_dbm - self.rlr_db)
        terv = self.telr_db - 40 * np.log10((1 + t / 10) / (1 + t / 150)) + 6 * np.exp(-0.3 * t**2)
        half = (r_oe - (80 + 2.5 * (terv - 14))) / 2
        return np.asarray(np.where(t < 1, 0, (half + np.sqrt(half**2 + 100) - 1) * (1 - np.exp(-t))))

    def listener_echo(self, round_trip_ms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Idle: the other's voice heard twice, over the echo path's round trip Tr."""
        r_le = 10.5 * (self.wepl_db + 7) * (round_trip_ms + 1) ** -0.25
        half = (self.signal_to_noise - r_le) / 2
        return np.asarray(half + np.sqrt(half**2 + 169))


_ALLOWED: Final = {
    "slr_db": Range(0, 18, "dB"),
    "rlr_db": Range(-5, 14, "dB"),
    "stmr_db": Range(10, 20, "dB"),
    "d_r": Range(-3, 3),
    "d_s": Range(-3, 3),
    "telr_db": Range(5, 65, "dB"),
    "wepl_db": Range(5, 110, "dB"),
    "qdu": Range(1, 14),
    "nc_dbm": Range(-80, -40, "dBm0p"),
    "nfor_dbm": Range(-64, -64, "dBmp"),
    "ps_db": Range(35, 85, "dB(A)"),
    "pr_db": Range(35, 85, "dB(A)"),
    "advantage": Range(0, 20),
}
USUAL_CIRCUIT: Final = Circuit()
