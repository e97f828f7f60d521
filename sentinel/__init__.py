"""SentinelStream Lab: a metrics pipeline, and the laboratory that measures it.

The pipeline wing, in the order of its layers (a file imports only what stands above it):

    errors  settings  sample  codecs  lineprotocol  batching  schedule  latency  ledger  sequences         pure
    configurations                                                                                         pure
    bus (Redis)  store (over HTTP)  probe (this host, through psutil)  record (files)    edges
    delivery  writers  measure                                                                             parts
    agent  consumer  loadgen                                                                               loops
    cli                                                                                                    commands

The data flow: agent or load generator → bus → consumer → store. `sentinel.lab` measures all that and is
never imported from here.
"""

__version__ = "0.1.0"
