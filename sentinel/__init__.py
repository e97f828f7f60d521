"""SentinelStream Lab: a metrics pipeline, and the laboratory that measures it.

The pipeline, each room importing only those above it:

    errors                    every error a user can meet
    environment  settings     the only reader of os.environ; records with working defaults
    model/                    what travels and what is counted; pure
    runtime/                  what every long-running program has
    bus/  store/  probe/      Redis; line-protocol servers; this host
    options                   what commands share
    recording/                what passed on a bus, in a file: recorded, masked, read
    agent/  load/  consumer/  the three programs, each with its command
    operations/               looking after them: check, dead letters
    cli                       all commands

The way of a message: agent or load generator → bus → consumer → store. `sentinel.lab` measures all that, and is never
imported from here. docs/architecture.md has the drawing, and says where to add what.
"""

__version__ = "0.1.0"
