"""The bytes in PostgreSQL: its tables as numbered files, the way to bring them up to date, and connections."""
