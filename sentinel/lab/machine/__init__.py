"""Where a run was measured: hardware, versions, commit, and the machine's own jitter."""
