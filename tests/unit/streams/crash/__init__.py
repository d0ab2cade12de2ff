"""The pure parts of the crash campaign."""
