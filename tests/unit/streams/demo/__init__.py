"""The demo: its expectations, its scenarios over a scripted API, and what it shows."""
