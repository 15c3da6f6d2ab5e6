"""What others wrote and Tatpar brings along, and under which licence."""
