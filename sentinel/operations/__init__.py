"""Looking after a running pipeline: `sentinel check`, and the dead letters, listed, played again, purged."""
