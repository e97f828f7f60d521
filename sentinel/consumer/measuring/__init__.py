"""What the consumer learns from settled batches: latencies, losses, repetitions, points overwritten."""
