"""Is the room's own device there, and does the meeting platform's edge answer: the `reach` items."""
