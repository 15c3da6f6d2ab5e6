"""What the NOC looks at: the wall."""
