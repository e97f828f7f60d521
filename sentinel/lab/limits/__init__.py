"""What the machine can do at best: Redis alone, the store alone, and what bounds a throughput."""
