"""What the sub-commands of `tatpar alerts` do."""
