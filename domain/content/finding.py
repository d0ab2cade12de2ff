"""What the scan of a body finds: the rules by name, the points of each, and one finding."""

from dataclasses import dataclass
from typing import Final, Literal

Rule = Literal[
    "blocked_phrase",
    "spam_test_string",
    "active_url",
    "lookalike_host",
    "ip_host",
    "userinfo_in_url",
    "link_text_mismatch",
    "short_link",
    "credential_lure",
    "shouting",
    "money_phrase",
    "urgency_phrase",
    "odd_port",
    "deep_host",
    "many_exclamations",
]

POINTS: Final[dict[Rule, float]] = {
    "blocked_phrase": 0.0,
    "spam_test_string": 100.0,
    "active_url": 5.0,
    "lookalike_host": 4.0,
    "ip_host": 3.0,
    "userinfo_in_url": 3.0,
    "link_text_mismatch": 3.0,
    "short_link": 2.0,
    "credential_lure": 2.0,
    "shouting": 1.5,
    "money_phrase": 1.5,
    "urgency_phrase": 1.0,
    "odd_port": 1.0,
    "deep_host": 1.0,
    "many_exclamations": 0.5,
}
"""What each rule adds, once a body however often it is found. The default threshold of a tenant is 5."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: the rule, the field (`body.text`), and what was found."""

    rule: Rule
    path: str
    detail: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """The sum of the points of the rules found, and each finding (of very many the first)."""

    score: float
    findings: tuple[Finding, ...]

    @property
    def is_blocked(self) -> bool:
        """Whether a phrase was found that the tenant prohibits, which decides whatever the score."""
        return any(finding.rule == "blocked_phrase" for finding in self.findings)
