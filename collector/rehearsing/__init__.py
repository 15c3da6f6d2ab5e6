"""Carrying out rehearsals: which offices, in which stages, what they are told, what came of it."""
