"""The way in for ESMEs: an SMPP server that hands their messages to the desk and brings them their receipts."""
