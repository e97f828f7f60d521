"""Sections that any experiment's page may use, each a function of a run."""
