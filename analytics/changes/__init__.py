"""Where a line's level moved and stayed: off line over a whole past, on line within five samples."""
