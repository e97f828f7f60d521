"""What happened beside a trial, with its time: pauses, slow writes, retries, a slow machine; marks on time lines."""
