"""What a data folder tells the commands that read it."""
