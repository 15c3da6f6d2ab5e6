"""What is missing in the store: what `tatpar gaps` finds and says."""
