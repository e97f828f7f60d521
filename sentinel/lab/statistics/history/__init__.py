"""A figure over many runs: the interval of each run's median, and where the series changed. Pure.

medians     the interval of a median, by order statistics
edivisive   change points by E-divisive means
"""
