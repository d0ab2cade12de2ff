"""Every target: add one here when a parser of a stranger's octets is written."""

from typing import Final

from streams.fuzz.mail_targets import MAIL_TARGETS
from streams.fuzz.smpp_session import SESSION_TARGET
from streams.fuzz.smpp_targets import SMPP_TARGETS
from streams.fuzz.smtp_session import SMTP_TARGET
from streams.fuzz.target import Target

TARGETS: Final[dict[str, Target]] = {
    target.name: target for target in (*SMPP_TARGETS, SESSION_TARGET, SMTP_TARGET, *MAIL_TARGETS)
}
