"""Codec constants Ie and Bpl: planning values of ITU-T G.113, each with where it was read.

The recommendation itself was not at hand. Sources: [amplet2] the values of G.113 appendix I (2007) as amplet2 and others
use them; [sipnab] G.113 (09/2024) as quoted table by table in sipnab's documentation; [mem] from memory, not confirmed.
Narrowband Bpl are disputed between editions, so an operator may write other constants (`[quality] ie`, `bpl`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from analytics.quality.impairments import EQUIPMENT, ROBUSTNESS
from analytics.quality.narrowband import EchoMode, narrowband
from analytics.quality.rating import Rating, Scale
from analytics.quality.wider_bands import fullband, wideband

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

UNPUBLISHED: Final = float("nan")


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec's constants on the scale of its band."""

    name: str
    scale: Scale
    ie: float
    bpl: float = UNPUBLISHED
    """NaN: none is published, and only a line without loss can be rated."""
    proxy: bool = False
    """Nothing is published for it: these are the constants of a codec that is taken to be like it."""

    def with_constants(self, ie: float | None, bpl: float | None) -> Codec:
        """The codec with an operator's own constants in place of the table's.

        Raises:
            QualityRangeError: a constant lies outside 0 to 95 (Ie) or 1 to 100 (Bpl).
        """
        if ie is not None:
            EQUIPMENT.refuse("ie", ie)
        if bpl is not None:
            ROBUSTNESS.refuse("bpl", bpl)
        return replace(self, ie=self.ie if ie is None else ie, bpl=self.bpl if bpl is None else bpl)

    def rate(self, delay_ms: ArrayLike, loss_pct: ArrayLike, burst_ratio: ArrayLike = 1.0) -> Rating:
        """The rating of its band, free of echo: shapes broadcast, delay mouth to ear, loss in per cent."""
        if self.scale is Scale.NARROWBAND:
            return narrowband(
                delay_ms, loss_pct, ie=self.ie, bpl=self.bpl, burst_ratio=burst_ratio, echo=EchoMode.IDD
            )
        band = wideband if self.scale is Scale.WIDEBAND else fullband
        return band(delay_ms, loss_pct, ie=self.ie, bpl=self.bpl, burst_ratio=burst_ratio)


def _narrow(name: str, ie: float, bpl: float) -> Codec:
    return Codec(name, Scale.NARROWBAND, ie, bpl)


def _wide(name: str, ie: float, bpl: float = UNPUBLISHED) -> Codec:
    return Codec(name, Scale.WIDEBAND, ie, bpl)


def _full(name: str, ie: float, bpl: float) -> Codec:
    return Codec(name, Scale.FULLBAND, ie, bpl)


CODECS: Final[dict[str, Codec]] = {
    codec.name: codec
    for codec in (
        _narrow("g711", 0, 4.3),  # without loss concealment [amplet2]
        _narrow("g711-plc", 0, 25.1),  # G.711 appendix I [amplet2]
        _narrow("g729a-vad", 11, 19.0),  # [amplet2]
        _narrow("g7231-vad-6.3k", 15, 16.1),  # [amplet2]
        _narrow("gsm-efr", 5, 10.0),  # [amplet2]
        # AMR-WB (G.722.2), one ear: G.113 (09/2024) table IV.1, no Bpl [sipnab]
        _wide("amr-wb-23.85k-monotic", 8),
        _wide("amr-wb-23.05k-monotic", 1),
        _wide("amr-wb-19.85k-monotic", 3),
        _wide("amr-wb-18.25k-monotic", 5),
        _wide("amr-wb-15.85k-monotic", 7),
        _wide("amr-wb-14.25k-monotic", 10),
        _wide("amr-wb-12.65k-monotic", 13),
        _wide("amr-wb-8.85k-monotic", 26),
        _wide("amr-wb-6.6k-monotic", 41),
        # AMR-WB, both ears: tables IV.3 (Ie) and IV.4 (Bpl) [sipnab]
        _wide("amr-wb-23.85k", 10, 4.9),
        _wide("amr-wb-23.05k", 8, 4.6),
        _wide("amr-wb-15.85k", 17),
        _wide("amr-wb-12.65k", 20, 4.3),
        _wide("amr-wb-8.85k", 41),
        _wide("amr-wb-6.6k", 56),
        _wide("g722-64k", 13),  # [mem], as the next four
        _wide("g722-56k", 20),
        _wide("g722-48k", 31),
        _wide("g7221-24k", 19),
        _wide("g7221-32k", 13),
        # EVS super-wideband: G.113 appendix V [sipnab]; its 2024 PDF prints "2" for 32 (erratum 1)
        _full("evs-swb-48k", 10.2, 9.6),
        _full("evs-swb-32k", 8.7, 9.3),
        _full("evs-swb-24.4k", 7.2, 11.4),
        _full("evs-swb-16.4k", 10.8, 10.3),
        _full("evs-swb-13.2k", 17.1, 11.7),
        _full("evs-swb-9.6k", 22.7, 13.0),
        # No Ie or Bpl is published for Opus: EVS at 48 kbit/s stands in, as in webrtc-metrics.
        replace(_full("opus", 10.2, 9.6), proxy=True),
    )
}


def codec(name: str) -> Codec:
    """A codec by its name.

    Raises:
        KeyError: no such codec; the text lists those there are.
    """
    try:
        return CODECS[name]
    except KeyError:
        raise KeyError(f"no codec {name!r}; there are {', '.join(CODECS)}") from None
