"""What the weekly report says: one part a file, from figures to blocks of a document."""
