"""What every long-running program has: its record, its heartbeat, its log, and an end that says why."""
