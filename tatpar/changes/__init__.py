"""Where the level of an office's lines moved: what `tatpar changes --site` finds and says."""
