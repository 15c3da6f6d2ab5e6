"""The models that are shipped, read from beside their analytics."""
