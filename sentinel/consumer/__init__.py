"""The consumer: bus → decode → encode → batch → store, and an account of every message."""
