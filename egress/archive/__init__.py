"""The way into PostgreSQL: what became of every message, and every movement of money."""
