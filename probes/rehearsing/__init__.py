"""Rehearsals: a media-like load in both directions at once, between an office and its headquarters."""
