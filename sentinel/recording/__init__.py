"""Recordings: what passed on a bus, with its times, in a file that can be masked, shared and played again."""
