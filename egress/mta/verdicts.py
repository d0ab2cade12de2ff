"""What a refusal means for the attempt, the connection or the host (RFC 5321 section 4.2.1)."""

from domain.delivery import Failed
from egress.mta.classify import judge
from egress.mta.errors import RouteError
from egress.mta.replies import Reply

SERVICE_CLOSING = 421
HOST_TAKES_NO_MAIL = 521  # RFC 7504
EXCEEDED_STORAGE = 552

GARBLED, NO_SERVICE, TOO_BIG, NEEDS_SMTPUTF8 = "4.5.0", "4.3.2", "5.3.4", "5.6.7"

_FULL = frozenset({"mailboxfull", "systemfull", "undefined"})


def refused(reply: Reply, step: str) -> Failed:
    """The failure that `reply` to `step` (MAIL, RCPT, DATA, the message) means; what passes is not for ever."""
    detail = f"{step}: {reply.detail}"
    if reply.kind not in (4, 5):
        return Failed(permanent=False, code=GARBLED, detail=detail)
    if reply.kind == 4:
        return Failed(permanent=False, code=reply.best_code, detail=detail, retry_after_ms=reply.retry_after_ms)
    judged = judge(reply, step)
    # RFC 5321 section 4.5.3.1.10: 552 to RCPT is to be read as 452, unless it plainly is about something else.
    full = step == "RCPT" and reply.code == EXCEEDED_STORAGE and judged.reason in _FULL
    if full or judged.passing:
        return Failed(permanent=False, code=softened(reply), detail=detail, retry_after_ms=reply.retry_after_ms)
    return Failed(permanent=True, code=reply.best_code, detail=detail)


def refused_service(reply: Reply) -> RouteError:
    """What a refused greeting or EHLO means: it speaks of us or of the host, not of a recipient, so only 521 is for ever."""
    if reply.code == HOST_TAKES_NO_MAIL:
        return RouteError(reply.best_code, reply.detail, permanent=True, reply=reply)
    return RouteError(softened(reply), reply.detail, permanent=False, retry_after_ms=reply.retry_after_ms, reply=reply)


def softened(reply: Reply) -> str:
    """The reply's enhanced code in class 4, 4.3.2 when it has none."""
    return "4" + reply.enhanced[1:] if reply.enhanced else NO_SERVICE
