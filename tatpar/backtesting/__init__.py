"""History replayed, scored and shown: what `tatpar backtest` does."""
