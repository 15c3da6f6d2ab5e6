"""A plausible past: what befell the lines, drawn by lot, and the true probabilities behind it."""
