"""The parts of the watch: recent windows, contact, the past, forecasts, outcomes."""
