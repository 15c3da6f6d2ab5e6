"""Shared faults: one common factor that explains why many offices are in trouble at once."""
