"""Seeded faults against the running house: real processes, cut wires, full disks, stepped clocks; then everything is counted."""
