"""Layer 7: the content scores below the tenant's threshold and holds none of the tenant's prohibited phrases."""

from domain.content.score import assess
from domain.errors import FieldError
from domain.message import Submission
from domain.validation.facts import Facts
from domain.verdict import Reject


def check(submission: Submission, facts: Facts) -> Reject | None:
    """Refuse content with a prohibited phrase or a score at the threshold; each rule and URL found is an error of its field."""
    request, tenant = submission.request, facts.tenant
    if request is None or tenant is None:
        return None
    channels = frozenset(step.channel for step in request.steps)
    assessment = assess(request.body, channels, tenant.blocked_phrases)
    if not assessment.is_blocked and assessment.score < tenant.spam_threshold:
        return None
    message = (
        "The content holds a prohibited phrase."
        if assessment.is_blocked
        else f"The content scores {assessment.score:.1f}; the limit is {tenant.spam_threshold:.1f}."
    )
    errors = tuple(FieldError(f.path, f.rule, f.detail) for f in assessment.findings)
    return Reject(7, "content_violation", message, errors, score=assessment.score)
