"""Measuring: studies and sessions, trials in fresh processes, their plans, sampling and supervision."""
