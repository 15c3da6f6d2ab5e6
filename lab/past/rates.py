"""The laws of each kind of fault, from the script's `[past]`: when they begin and how long they last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.past import laws

if TYPE_CHECKING:
    from lab.running.script import Past


def power_law(past: Past) -> tuple[laws.Onsets, laws.Length]:
    """Of each office, before its own factor."""
    onsets = laws.Onsets(past.power_cuts_per_month, laws.POWER_HOURS)
    return onsets, laws.Length(past.power_cut_minutes, laws.POWER_SIGMA)


def spell_law(past: Past) -> tuple[laws.Onsets, laws.Length]:
    """Of each office, before its own factor; a creeping one begins with its strain."""
    return laws.Onsets(past.bad_spells_per_month), laws.Length(past.bad_spell_minutes, laws.SPELL_SIGMA)


def creep_law(past: Past) -> laws.Length:
    """How long strain creeps up."""
    return laws.Length(past.creeping_minutes, laws.CREEP_SIGMA)


def flap_law(past: Past) -> tuple[laws.Onsets, laws.Length]:
    """Spells of flapping on a line that does not flap for days; of each office, before its own factor."""
    return laws.Onsets(past.flaps_per_month), laws.Length(past.flap_minutes, laws.FLAP_SIGMA)


def cluster_law(past: Past) -> tuple[laws.Onsets, laws.Length]:
    """Lines that flap for days; of each office, before its own factor."""
    most = laws.CLUSTER_MOST_DAYS * laws.DAY_MIN
    lasting = laws.Length(past.flapping_days * laws.DAY_MIN, laws.CLUSTER_SIGMA, most)
    return laws.Onsets(past.flapping_lines_per_month), lasting


def outage_law(past: Past) -> tuple[laws.Onsets, laws.Length]:
    """Of each provider, in one of its regions."""
    onsets = laws.Onsets(past.provider_outages_per_month)
    return onsets, laws.Length(past.provider_outage_minutes, laws.OUTAGE_SIGMA)


def works_onsets(past: Past) -> laws.Onsets:
    """Of each provider, in one of its regions."""
    return laws.Onsets(past.works_per_month, laws.WORK_HOURS)


def overrun_law(past: Past) -> laws.Length:
    """How long works go on that are not done in time."""
    return laws.Length(past.works_overrun_minutes, laws.OVERRUN_SIGMA)


def headquarters_law(past: Past) -> tuple[laws.Onsets, laws.Length]:
    """Of each end."""
    onsets = laws.Onsets(past.headquarters_faults_per_month)
    return onsets, laws.Length(past.headquarters_fault_minutes, laws.OUTAGE_SIGMA)
