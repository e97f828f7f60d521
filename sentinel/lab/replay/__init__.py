"""Loads that were recorded: the parameter REPLAY, what a run's record holds of a recording, and what its page says."""
