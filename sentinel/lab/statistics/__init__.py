"""What numbers say: comparisons with intervals, noise floor, tails, reliability. Pure."""
