"""The record of a run: reading, writing, listing, recovering, and what its trials left as data."""
