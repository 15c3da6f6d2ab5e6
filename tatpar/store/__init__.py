"""What `tatpar store` does beside the store itself: backups, Parquet, pruning."""
