"""SentinelStream Lab: a metrics pipeline, and the laboratory that measures it.

The pipeline, each room importing only those above it:

    errors  settings          every error a user can meet; settings, the only reader of the environment
    model/                    what travels and what is counted; pure
    runtime/                  what every long-running program has
    bus/  store/  probe       Redis; line-protocol servers; this host
    agent/  load/  consumer/  the three programs
    operations/               looking after them: check, dead letters
    cli  options              their commands

The way of a message: agent or load generator → bus → consumer → store. `sentinel.lab` measures all that, and is never
imported from here. docs/architecture.md has the drawing, and says where to add what.
"""

__version__ = "0.1.0"
