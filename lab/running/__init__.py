"""The running fleet: its script, its processes, and who directs it."""
