"""Quality scores by the standards: audio (G.107 family), video (G.1070), network classes, marks of congestion."""
