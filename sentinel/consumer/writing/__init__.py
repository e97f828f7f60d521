"""From batches to the store: writers, delivery with retries, and what the store refuses."""
