"""Runs that ended before their time and go on: what is asked for, what must be the same, which trials stay."""
