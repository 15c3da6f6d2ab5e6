"""The weekly readiness report."""
