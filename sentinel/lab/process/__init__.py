"""No process outlives the lab: a supervisor and its helper start, reap and end them all."""
