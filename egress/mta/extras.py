"""What a mail has besides its texts: files, pictures that its HTML shows, one-click unsubscribing, feedback, TLS wishes."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from domain.delivery import AttemptDue

MAX_ATTACHMENTS = 100
MAX_ATTACHED_BYTES = 20 * 1024 * 1024
MAX_URL_CHARS = 900  # a List-Unsubscribe field must not pass the limit of a line
MAX_FEEDBACK_CHARS = 200

HTTPS_URL = re.compile(r"https://[A-Za-z0-9.:\[\]-]{1,260}(?:[/?][\x21-\x3b\x3d\x3f-\x7e]*)?")
MAILTO_URL = re.compile(r"mailto:[\x21-\x3b\x3d\x3f-\x7e]{3,500}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file; with a `content_id` (without brackets) it is a part that the HTML shows by `cid:`."""

    name: str
    media_type: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Extras:
    """Nothing, unless it is said. `unsubscribe_url` is one-click (RFC 8058); `feedback_id` is `a:b:c:sender`.

    `require_tls` asks each hop for REQUIRETLS (RFC 8689).
    """

    attachments: tuple[Attachment, ...] = ()
    unsubscribe_url: str = ""
    unsubscribe_mailto: str = ""
    feedback_id: str = ""
    require_tls: bool = False


NOTHING = Extras()
ExtrasOf = Callable[[AttemptDue], Extras]
