"""The story: the topology, the drivers that run it, and the command line."""
