"""Other people's measurements into the report store: a mapping file says what is what."""
