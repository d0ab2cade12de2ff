"""Addresses as a report may show them: enough to recognise, too little to use."""

_SHOWN_PHONE_START = 3
_SHOWN_PHONE_END = 2


def masked(address: str) -> str:
    """`j***@example.com`, `+45******12`, or the first four characters of a token; empty stays empty."""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}***@{domain}"
    if address.startswith("+") and len(address) > _SHOWN_PHONE_START + _SHOWN_PHONE_END:
        hidden = len(address) - _SHOWN_PHONE_START - _SHOWN_PHONE_END
        return f"{address[:_SHOWN_PHONE_START]}{'*' * hidden}{address[-_SHOWN_PHONE_END:]}"
    return f"{address[:4]}***" if address else ""
