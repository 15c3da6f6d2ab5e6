"""The watch and its parts: recent windows, contact, the past, forecasts, outcomes."""
