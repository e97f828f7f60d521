"""The agent: samples of this host, published, and kept while Redis is away."""
