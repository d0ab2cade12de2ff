"""The SPF test suite of openspf.org, run over its own zones.

Its 2009 edition is for RFC 4408. RFC 7208 asks for TXT records only (section 3.1): where the suite allows several results, ours
is the one for TXT. No result of the edition contradicts RFC 7208; the limit of two void lookups (section 4.6.4) is not in it.
"""

from collections.abc import Sequence
from typing import Any

import yaml  # type: ignore[import-untyped] # its types are a package of their own

from schemas.mail.dns import AddressKind, DnsError
from schemas.mail.spf import check_host

MAX_ALIASES = 10
DEFAULT = "DEFAULT"
"""How the suite writes that the domain has no explanation."""


async def run_spf(text: str) -> list[tuple[str, bool, str]]:
    """Name, passed and what was found otherwise, for each case of the file, which is YAML."""
    results: list[tuple[str, bool, str]] = []
    for scenario in yaml.safe_load_all(text):
        dns = _Zone(scenario["zonedata"])
        for name, case in scenario["tests"].items():
            found = await check_host(dns, str(case["host"]), case.get("mailfrom") or "", str(case["helo"]))
            allowed = case["result"] if isinstance(case["result"], list) else [case["result"]]
            explained = case.get("explanation") in (None, found.explanation or DEFAULT)
            passed = found.result in allowed and explained
            results.append((name, passed, "" if passed else f"{found.result} {found.explanation}".strip()))
    return results


class _Zone:
    """A scenario's zone data: a name has records, and TIMEOUT for those kinds that it does not list."""

    def __init__(self, zones: dict[str, list[Any]]) -> None:
        self._records: dict[str, dict[str, list[Any]]] = {}
        self._down: set[str] = set()
        for name, listed in zones.items():
            key, found = name.lower(), dict[str, list[Any]]()
            for record in listed:
                if record == "TIMEOUT":
                    self._down.add(key)
                    continue
                for kind, value in record.items():
                    found.setdefault(kind, []).append(value)
            if "TXT" not in found and "SPF" in found:
                found["TXT"] = found["SPF"]
            if found.get("TXT") == ["NONE"]:
                del found["TXT"]
            self._records[key] = found

    async def txt(self, name: str) -> tuple[bytes, ...]:
        """See Dns."""
        return tuple(
            (one if isinstance(one, str) else "".join(one)).encode("latin-1") for one in self._find(name, "TXT")
        )

    async def addresses(self, name: str, kind: AddressKind) -> tuple[str, ...]:
        """See Dns."""
        return tuple(self._find(name, kind))

    async def mx(self, name: str) -> tuple[tuple[int, str], ...]:
        """See Dns."""
        return tuple((preference, host.rstrip(".")) for preference, host in self._find(name, "MX"))

    async def ptr(self, name: str) -> tuple[str, ...]:
        """See Dns."""
        return tuple(one.rstrip(".") for one in self._find(name, "PTR"))

    def _find(self, name: str, kind: str) -> Sequence[Any]:
        key = name.lower().rstrip(".")
        for _ in range(MAX_ALIASES):
            found = self._records.get(key, {})
            if kind in found:
                return found[kind]
            if "CNAME" not in found:
                break
            key = str(found["CNAME"][0]).lower().rstrip(".")
        if key in self._down:
            raise DnsError(name)
        return ()
