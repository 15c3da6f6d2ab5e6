"""The publishing half: from a window to the hub, and what the hub says."""
