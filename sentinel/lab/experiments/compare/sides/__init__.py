"""The two runs themselves: read and refused, and what is kept of them."""
