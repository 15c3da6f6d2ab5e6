"""The weekly report made, and digests of meetings: sent when they are due, and by `tatpar report digest`."""
