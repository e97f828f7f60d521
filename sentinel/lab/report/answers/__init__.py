"""What a page answers first: what was asked, how far to trust it, and the files behind its numbers."""
