"""Two sessions, such as two runs: no rounds are pairs, and what the machine did between them is in no interval."""
