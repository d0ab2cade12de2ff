"""What a message says: spam score, links, phrases that a tenant forbids."""
