"""The report store as Parquet files, out and in, to the bit."""
