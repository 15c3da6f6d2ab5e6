"""The wall: one page that shows the fleet live, the next meetings, and each office's line."""
