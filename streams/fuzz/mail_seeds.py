"""Well-formed mail, reports and records to begin from, and the words that their parsers look for."""

from random import Random
from typing import Final

MAX_DEPTH: Final = 14
_HEADER: Final = (
    b"From: =?utf-8?Q?Z=C3=BC?= <a@b.example>\r\n"
    b'To: c@d.example, "E, F" <e@f.example>\r\nSubject: =?iso-8859-1?B?R3L832U=?=\r\n'
)
_MULTIPART: Final = (
    _HEADER + b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b 1"\r\n\r\n--b 1\r\n'
    b"Content-Type: text/plain; charset=utf-7\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nHe=C3=A9=\r\nllo\r\n--b 1\r\n"
    b'Content-Type: text/html; charset="iso-2022-jp"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nPGI+SGk8L2I+\r\n--b 1\r\n"
    b"Content-Type: application/pdf; name*0*=utf-8''%e2%82; name*1*=%ac.pdf\r\nContent-Disposition: attachment;"
    b' filename="../a.pdf"\r\n\r\n%PDF\r\n--b 1\r\nContent-Type: message/rfc822\r\n'
    b"\r\nSubject: in\r\n\r\nx\r\n--b 1--\r\n"
)
MESSAGES: Final = (_HEADER + b"\r\nHello\r\n", _MULTIPART, b"A: b\n c\n\td\n\nx", b"\r\n", b"")
MIME_TOKENS: Final = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", b"--b 1\r\n", b"--b 1--\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"charset=utf-7", b"charset=utf-16", b"charset=hz", b"charset=idna", b"=?utf-8?B?", b"?=", b"=?x?Q?=\r\n ",
    b"name*999*=", b"\"\\",
    b"(((((", b"\r\n\r\n", b"; ", b"boundary=\"\"", b"message/rfc822", b"multipart/digest", b"<", b">", b"@",
    b":", b",",
)  # fmt: skip
_PROSE: Final = (
    b"From: MAILER-DAEMON@mx.example\r\nSubject: failure\r\n\r\n"
    b"<a@b.example>: host mx.b.example[192.0.2.1] said: 550 5.1.1 "
    b"User unknown (in reply to RCPT TO command)\r\n\r\n"
    b"--- Below this line is a copy of the message.\r\n\r\nTo: a@b.example\r\n"
)
_REPORT: Final = (
    b"From: MAILER-DAEMON@mx.example\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n"
    b"It failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
    b"Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.2.2\r\n"
    b"Diagnostic-Code: smtp; 552 5.2.2 full\r\n\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nTo: a@b.example\r\n\r\nHi\r\n--b--\r\n"
)
_JSON: Final = (
    b"From: no-reply@sns.example\r\n\r\n"
    b'{"bounce":{"bounceSubType":"General","bouncedRecipients":[{"emailAddress":"a@b.example",'
    b'"status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}}\r\n'
)
REPORTS: Final = (_PROSE, _REPORT, _JSON, b"From: a@b.example\r\nAuto-Submitted: auto-replied\r\n\r\nI am away\r\n")
REPORT_TOKENS: Final = (
    b"Final-Recipient: rfc822; ", b"Diagnostic-Code: x-unix; ", b"Status: 4.", b"\r\n\r\n", b"550-5.1.1 ",
    b"<a@b.example>", b"@",
    b"To: ", b"Subject: ", b"X-Failed-Recipients: ", b"{\"bounce\":", b"[", b"}", b"user ", b"mailbox ",
    b"over quota", b">>> RCPT", b"aup#",
)  # fmt: skip
COMPLAINTS: Final = (
    b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n\r\nspam\r\n--b\r\n"
    b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n"
    b"User-Agent: x/1\r\nOriginal-Rcpt-To: a@b.example\r\n"
    b"Source-IP: 192.0.2.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"To: a@b.example\r\nMessage-ID: <1@x>\r\n\r\nx\r\n--b--\r\n",
    b"From: a@b.example\r\nSubject: unsubscribe\r\n\r\n",
)
REPLIES: Final = (
    b"550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in local recipient table",
    b"421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
    b"552-5.2.2 The email account that you tried to reach is over quota.\n552 5.2.2 https://support.example/?p=x",
)
REPLY_TOKENS: Final = (
    b"user ",
    b"mailbox ",
    b"address ",
    b"https://",
    b"a@b.example",
    b"550-",
    b"<",
    b"recipient ",
    b"ip ",
    b"aup#in-",
    b"ofr_",
    b"\n",
)
ADDRESSES: Final = (
    b"a.b@c.example",
    b'"a b"@[192.0.2.1]',
    b"(c)a@[IPv6:2001:db8::1]",
    b'Team: "A, B" <a@b.example>, c@d.example;',
)
ADDRESS_TOKENS: Final = (
    b"(",
    b")",
    b'"',
    b"\\",
    b"@",
    b"[",
    b"]",
    b"::",
    b"IPv6:",
    b"\r\n ",
    b".",
    b"<",
    b">",
    b",",
    b";",
    b":",
)
SPF_RECORDS: Final = (
    b"v=spf1 a mx/24 ip4:192.0.2.0/25 ip6:2001:db8::/32 include:e.example exists:%{ir}.%{v}._spf.%{d2} -all exp=x.%{d}",
    b"v=spf1 redirect=_spf.d.example\nv=spf1 ptr:d.example ?all",
    b"v=spf1 include:d.example include:d.example -all\nv=spf1 mx mx mx mx mx mx mx mx mx mx mx ~all",
)
SPF_TOKENS: Final = (
    b"v=spf1 ",
    b"include:",
    b"redirect=",
    b"exp=",
    b"%{l9r+-}",
    b"%{",
    b"}",
    b"%%",
    b"/33",
    b"//129",
    b"-all",
    b"ptr ",
    b"\n",
)
SIGNED: Final = (
    b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/simple; d=b.example; s=s; "
    b"h=From:To; bh=AAAA; b=AAAA; t=1; x=2000000000\r\n"
    b"From: a@b.example\r\nTo: c@d.example\r\n\r\nHi\r\n",
    b"v=DKIM1; k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAA==\nDKIM-Signature: v=1; "
    b"a=rsa-sha256; d=b.example; s=s; h=From; bh=; b=\r\n"
    b"From: a@b.example\r\n\r\n",
)
DKIM_TOKENS: Final = (
    b"l=0;",
    b"i=@x.b.example;",
    b"h=",
    b":From",
    b"c=simple;",
    b"x=1;",
    b"q=dns/txt;",
    b"p=;",
    b"t=s;",
    b"=",
    b";",
    b"\r\n\t",
)
DMARC_RECORDS: Final = (
    b"v=DMARC1; p=reject; sp=none; np=quarantine; adkim=s; aspf=r; t=y; rua=mailto:a@b.example!10m,mailto:c@d.example",
    b"v=DMARC1; p=none\nv=DMARC1; psd=y",
)


def nested_message(chance: Random) -> bytes:
    """Multiparts in multiparts with boundaries that begin alike, closed or not."""
    octets, open_ones = bytearray(_HEADER), list[bytes]()
    for _ in range(chance.randrange(1, MAX_DEPTH)):
        boundary = chance.choice((b"b", b"b1", b"b--", b"bb", b"=_1", b"b b"))
        octets += b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n--' + boundary + b"\r\n"
        open_ones.append(boundary)
    for _ in range(chance.randrange(12)):
        octets += b"\r\n\r\npart\r\n--" + chance.choice(open_ones) + chance.choice((b"", b"--", b" ", b"x")) + b"\r\n"
    return bytes(octets)
