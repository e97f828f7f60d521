"""As many rounds as it takes, for REPEATS=auto: when another one comes, and how long a trial should be."""
