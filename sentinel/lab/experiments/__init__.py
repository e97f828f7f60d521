"""The lab's own experiments: a folder for each question, with the `EXPERIMENT` that `sentinel.lab.registry` finds."""
