"""Bench_check."""
