"""Measurements, each as a ratio to bare PostgreSQL in the same run on the same machine."""
