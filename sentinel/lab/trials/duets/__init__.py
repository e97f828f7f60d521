"""Duets: trials at the same time, so that whatever disturbs the machine meets them alike."""
