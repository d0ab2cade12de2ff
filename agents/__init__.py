"""The shell of the pipeline: one agent a file, each loads, asks the domain, saves and emits."""
