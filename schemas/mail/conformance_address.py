"""Runs the address code over the published cases of isemail: which standard allows each, and what the product takes."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

from domain.validation.addresses import is_mailbox
from schemas.mail.mailbox import Form, form_of

MAX_OCTETS: Final = 4 * 1024 * 1024
_SHOWN_CONTROL = re.compile("[\u2400-\u241f]")
_FORMS: Final[dict[str, Form]] = {
    "VALID_CATEGORY": "plain",
    "DNSWARN": "plain",  # the syntax is right; whether the domain is there is not asked
    "RFC5321": "smtp",
    "CFWS": "commented",
    "DEPREC": "obsolete",
    "RFC5322": "unusual",
    "ERR": "invalid",
}

Result = tuple[str, str, bool, str]


def run_addresses(path: Path) -> list[Result]:
    """Two suites: the form of every case, and that the product takes the plain ones and nothing that SMTP cannot carry."""
    text = path.read_text(encoding="utf-8")
    if len(text) > MAX_OCTETS or "<!ENTITY" in text:
        raise ValueError("not a list of addresses")
    results: list[Result] = []
    for case in ET.fromstring(text).iter("test"):  # noqa: S314 - without entities it cannot grow
        address = _SHOWN_CONTROL.sub(lambda shown: chr(ord(shown[0]) - 0x2400), case.findtext("address") or "")
        expected = _FORMS[(case.findtext("category") or "").removeprefix("ISEMAIL_")]
        name = f"{case.get('id')} {address!r:.60}"
        found = form_of(address)
        results.append(("address_form", name, found == expected, f"{found} for {expected}"))
        taken = is_mailbox(address)
        if expected != "smtp" and found != "smtp":  # which of the rare ones are taken is the product's choice
            results.append(("address_taken", name, taken == (expected == "plain"), f"{taken} for {expected}"))
    return results
