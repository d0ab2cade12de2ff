"""Mail as bytes: header fields, MIME, what a domain publishes about its mail, and the reports that come back."""
