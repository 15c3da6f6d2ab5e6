"""The report store: reports at rest, read back as arrays."""
