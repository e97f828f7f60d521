"""What travels, and what is counted: samples, their wire formats, line protocol, histograms, ledgers. Pure."""
