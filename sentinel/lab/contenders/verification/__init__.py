"""Verification: what a contender promises, tried before it is timed."""
