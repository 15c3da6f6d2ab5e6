"""Backups of a hub: made while it runs, looked through, put back."""
