"""The mail way out: messages built, signed and handed to the recipients' hosts."""
