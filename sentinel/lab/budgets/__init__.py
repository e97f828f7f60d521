"""Budgets: what a run must come to, read from a file, held against its trials, and told."""
