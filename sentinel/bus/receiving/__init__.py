"""Receiving from Redis: Pub/Sub and streams, within bounds of bytes, with their housekeeping."""
