"""Digests of meetings: sent when they are due, and by `tatpar report digest`."""
