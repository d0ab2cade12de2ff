"""What servers of all kinds write when they refuse: each text with the reason that a person would read in it."""

import pytest

from schemas.mail.bounce_codes import by_code, by_detail
from schemas.mail.bounce_reason import reason_of
from schemas.mail.bounce_types import Reason
from schemas.mail.bounce_words import by_words, normal

# (code, status, text) by the reason.
SAID: dict[Reason, tuple[tuple[str, str, str], ...]] = {
    "userunknown": (
        (
            "550",
            "5.1.1",
            "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking "
            "the recipient's email address",
        ),
        ("550", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
        ("554", "", "554 delivery error: dd This user doesn't have a yahoo.com account (x@yahoo.com) [0]"),
        ("550", "", "550 Requested action not taken: mailbox unavailable"),
        ("550", "5.1.1", "550 5.1.1 unknown or illegal alias: x@y"),
        ("550", "", "550 sorry, no mailbox here by that name. (#5.7.17)"),
        ("550", "", "550 RecipNotFound"),
        ("550", "5.1.1", "550 5.1.1 Recipient address rejected: User unknown in virtual alias table"),
        ("550", "", "550 Unknown address error 550-'Mailbox unavailable'"),
        ("", "", "550-Invalid mailbox path"),
        ("", "", "The following addresses were unknown"),
        ("", "", "user not listed in Domino Directory"),
        ("550", "", "550 <a@b.example>: User does not exist"),
    ),
    "mailboxfull": (
        (
            "452",
            "4.2.2",
            "452-4.2.2 The email account that you tried to reach is over quota. Please direct the recipient",
        ),
        ("552", "5.2.2", "552 5.2.2 Over quota"),
        ("552", "", "552 Quota exceeded (mailbox for user is full)"),
        ("550", "", "550 mailbox quota exceeded for user"),
        ("452", "", "452 4.2.2 user is over quota"),
        ("", "", "The user's mailbox is full"),
        ("550", "", "550 Mailbox full for recipient"),
        (
            "554",
            "5.2.2",
            "554 5.2.2 mailbox full; "
            "STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
        ),
    ),
    "spamdetected": (
        (
            "550",
            "5.7.1",
            "550-5.7.1 [192.0.2.1 12] Our system has detected that this message is likely unsolicited mail. "
            "To reduce the amount of spam sent to Gmail, this message has been blocked.",
        ),
        ("554", "5.7.1", "554 5.7.1 Message rejected as spam by Content Filtering."),
        ("550", "5.7.1", "550 High probability of spam"),
        ("554", "", "554 rejected due to spam content"),
        ("550", "5.7.350", "550 5.7.350 Remote server returned message detected as spam -> 554 spam"),
        ("550", "", "550 5.7.1 This message has been classified as spam and was rejected"),
        ("554", "", "554 5.7.1 The message was rejected because it contains prohibited virus or spam content"),
        ("550", "", "550 spam message rejected. Please visit http://reject.dd.net"),
        ("550", "", "550 Your message looks like SPAM"),
        ("571", "", "571 5.7.1 Message contains spam or virus"),
        ("550", "", "550-Message rejected because content matches blacklisted url"),
    ),
    "speeding": (
        (
            "421",
            "4.7.0",
            "421-4.7.0 [192.0.2.1 15] Our system has detected an unusual rate of unsolicited mail "
            "originating from your IP address.",
        ),
        ("451", "4.7.1", "451 4.7.1 Sorry, you are sending too fast, please slow down"),
        ("450", "4.2.1", "450 4.2.1 The user you are trying to contact is receiving mail too quickly"),
    ),
    "blocked": (
        (
            "550",
            "5.7.1",
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet "
            "service provider since part of their network is on our block list (S3140).",
        ),
        ("550", "5.7.606", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]"),
        ("554", "5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
        ("550", "5.7.1", "550 5.7.1 <host>: Helo command rejected: Host not found"),
        ("421", "4.7.0", "421 4.7.0 [GL01] Message from (192.0.2.1) temporarily deferred"),
        ("550", "", "550 Dynamic/zombied/spam IPs blocked. Write blacklist@example.org"),
        ("550", "", "550 Administrative prohibition - your IP has been blocked"),
        ("550", "", "550 5.7.1 Mail from IP 192.0.2.1 was rejected due to listing in Spamhaus PBL"),
        ("554", "", "554 Your IP (192.0.2.1) is blacklisted, see http://bl.example"),
        ("550", "", "550 5.7.1 Your IP address is listed in the RBL"),
        ("421", "", "421 4.7.1 Connection refused by policy, your IP 192.0.2.1 is blocked"),
        ("554", "", "554 5.7.1 Access from IP address 192.0.2.1 blocked"),
        ("550", "", "550 Dynamic IP Addresses See: http://x.example"),
        ("550", "", "550 5.7.1 Mail from your IP is refused, listed at bl.spamcop.net"),
        ("421", "", "421 Service not available, closing transmission channel"),
        ("550", "", "550 we do not accept mail from dynamic IPs"),
    ),
    "authfailure": (
        (
            "550",
            "5.7.509",
            "550 5.7.509 Access denied, sending domain example.com does not pass DMARC verification and has "
            "a DMARC policy of reject.",
        ),
        ("550", "5.7.23", "550 5.7.23 The message was rejected because of Sender Policy Framework violation"),
        ("550", "5.7.1", "550 5.7.1 SPF check failed"),
        ("550", "", "550 DKIM signature verification failed"),
        ("550", "5.7.1", "550 5.7.1 Email rejected per DMARC policy for example.com"),
        ("550", "", "550 SPF: 192.0.2.1 is not allowed to send mail from example.com"),
        ("554", "", "554 5.7.5 Permanent Error Evaluating DMARC Policy"),
    ),
    "rejected": (
        ("550", "5.7.1", "550 5.7.1 Sender address rejected: Access denied"),
        ("450", "4.1.8", "450 4.1.8 <a@b.example>: Sender address rejected: Domain not found"),
        ("550", "5.7.1", "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized"),
        ("550", "", "550 Backscatter Protection detected an invalid or expired email address"),
        ("550", "", "550 sender verify failed"),
        ("550", "5.7.1", "550 5.7.1 <a@b>: Sender is not allowed to post to this list"),
        ("553", "", "553 5.1.8 <a@b>... Domain of sender address does not exist"),
        ("550", "", "550 5.1.7 Invalid sender address"),
        ("550", "", "550 The sender's domain does not exist: sender rejected"),
        ("554", "", "554 Sender address has been blacklisted"),
        ("550", "", "550 You are not allowed to send to this list, members only"),
        (
            "550",
            "5.7.1",
            "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery "
            "restriction check failed because the sender was not authenticated when sending to this group",
        ),
    ),
    "suspend": (
        (
            "554",
            "",
            "554 delivery error: dd Sorry your message to x@yahoo.com cannot be delivered. This account has "
            "been disabled or discontinued [#102].",
        ),
        ("550", "5.2.1", "550 5.2.1 Mailbox disabled, not accepting messages"),
        ("554", "5.7.1", "554 5.7.1 <a@b>: Recipient address rejected: user suspended"),
        ("550", "", "550 5.2.1 This mailbox has been blocked due to inactivity"),
        ("554", "", "554 The email account that you tried to reach is disabled"),
        ("550", "", "550 account is inactive"),
        ("550", "", "550 5.1.1 User account is currently suspended"),
    ),
    "requireptr": (
        ("450", "4.7.1", "450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.1]"),
        ("554", "", "554 5.7.1 The server sending your mail [192.0.2.1] does not have a reverse DNS entry"),
        ("550", "", "550 5.7.1 Client does not have permissions: no PTR record found."),
        ("421", "", "421 4.7.1 - Connection refused - IP without reverse"),
    ),
    "norelaying": (
        ("554", "5.7.1", "554 5.7.1 <a@b.example>: Relay access denied"),
        ("550", "", "550 relay not permitted"),
        ("553", "5.7.1", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
        ("550", "", "550 5.7.1 Unable to relay for a@b.example"),
        ("550", "", "550 not local host example.com, not a gateway"),
        ("554", "", "554 5.7.1 <a@b>: Relay access denied"),
        ("550", "5.7.64", "550 5.7.64 TenantAttribution; Relay Access Denied"),
    ),
    "mesgtoobig": (
        ("552", "5.3.4", "552 5.3.4 Message size exceeds fixed limit"),
        ("552", "", "552 message exceeds maximum message size"),
        ("523", "", "523 the message size exceeds the recipient's size limit"),
        ("552", "", "552 5.3.4 Message too big for system"),
    ),
    "virusdetected": (
        ("550", "", "550 This message contains a virus (Eicar-Test-Signature)"),
        ("554", "", "554 5.7.1 Virus found in message"),
        ("552", "", "552 5.7.0 virus detected by ClamAV - Eicar"),
    ),
    "policyviolation": (
        ("550", "5.7.1", "550 5.7.1 Message rejected due to local policy."),
        ("550", "5.7.1", "550 5.7.1 Message rejected. See http://support.example.com, denied by policy"),
        (
            "554",
            "5.7.9",
            "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
        ),
    ),
    "hostunknown": (
        ("", "5.4.4", "Host or domain name not found. Name service error for name=x.example type=A: Host not found"),
        ("550", "5.1.2", "550 5.1.2 Bad destination host 'DNS Hard Error looking up example.com (MX): NXDomain'"),
    ),
    "expired": (
        ("", "4.4.1", "connect to mx.example.com[192.0.2.1]:25: Connection timed out"),
        ("", "4.4.7", "Message expired"),
        ("", "", "Delivery attempts will continue to be made for 4 days"),
        ("", "", "Message has been in the queue too long"),
        ("", "4.4.7", "delivery temporarily suspended: connect to mx.example.com[192.0.2.1]:25: Connection timed out"),
    ),
    "networkerror": (
        ("", "4.4.1", "connect to mx.example.com[192.0.2.1]:25: Connection refused"),
        ("", "5.4.6", "mail for example.com loops back to myself"),
        ("", "4.4.2", "lost connection with mx.example.com while receiving the initial server greeting"),
        ("554", "5.4.6", "554 5.4.6 Hop count exceeded - possible mail loop"),
        ("", "", "Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)"),
    ),
    "badreputation": (
        ("554", "5.7.1", "554 5.7.1 The sender's IP has a poor reputation on Cisco Talos"),
        (
            "554",
            "",
            "554-mx.example.org Your access to this mail system has been rejected due to the sending MTA's "
            "poor reputation.",
        ),
        ("550", "", "550 5.7.1 [RBL] poor email reputation score"),
    ),
    "toomanyconn": (
        ("421", "4.7.0", "421 4.7.0 Too many concurrent SMTP connections; please try again later."),
        (
            "421",
            "",
            "421 RP-001 The mail server IP connecting to Outlook.com server has exceeded the rate limit allowed",
        ),
        ("452", "4.5.3", "452 4.5.3 Too many recipients"),
        ("421", "", "421 4.7.0 Too many connections from your IP"),
        ("421", "", "421 domain has exceeded the max emails per hour (500)"),
    ),
    "securityerror": (
        ("530", "5.7.0", "530 5.7.0 Must issue a STARTTLS command first"),
        ("530", "5.7.57", "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM"),
        ("550", "", "550 5.7.1 authentication required"),
        ("535", "", "535 5.7.8 Authentication credentials invalid"),
    ),
    "systemerror": (
        ("451", "4.3.0", "451 4.3.0 Temporary lookup failure"),
        ("451", "", "451 4.3.0 Error: queue file write error"),
        ("550", "", "550 5.3.5 Local configuration error"),
        ("554", "5.3.5", "554 5.3.5 system config error"),
        ("451", "", "451 Local error in processing"),
    ),
    "filtered": (
        ("550", "5.7.1", "550 5.7.1 User email address is marked as invalid: rejected by recipient"),
        (
            "550",
            "5.7.1",
            "550 5.7.1 Recipient has blocked mail from this sender: You have been blocked by the recipient",
        ),
        ("554", "", "554 Message filtered. Please see the FAQs section on spam"),
        ("550", "", "550 user reject the message"),
    ),
    "contenterror": (
        ("554", "5.6.0", "554 5.6.0 Message contains improperly-formatted binary content"),
        ("550", "5.6.1", "550 5.6.1 message rejected: MIME type not accepted"),
        ("554", "5.6.0", "554 5.6.0 Corrupt message content"),
    ),
    "hasmoved": (
        ("551", "", "551 user has moved; please try <b@c.example>"),
        ("551", "5.1.6", "551 5.1.6 Destination mailbox has moved"),
    ),
    "notaccept": (
        ("556", "5.1.10", "556 5.1.10 Domain has a null MX"),
        ("521", "5.3.2", "521 5.3.2 Host does not accept mail"),
        ("550", "", "550 5.7.27 Domain example.com does not accept mail (nullMX)"),
    ),
    "systemfull": (("452", "4.3.1", "452 4.3.1 Insufficient system storage"),),
    "onhold": (("450", "4.0.0", "450 4.0.0 greylisted"),),
    "notcompliantrfc": (("550", "5.7.1", "550-5.7.1 Messages missing a valid messageId header are not accepted"),),
    "syntaxerror": (("501", "", "501 5.5.4 Syntax error in parameters"),),
    "mailererror": (("", "", 'Command died with status 2: "/usr/local/bin/filter"'),),
    "failedstarttls": (
        ("550", "", "550 5.7.10 STARTTLS is required to send mail"),
        ("", "4.7.5", "TLS required but not supported by host"),
    ),
    "exceedlimit": (("550", "5.2.3", "550 5.2.3 Message length exceeds administrative limit"),),
}


@pytest.mark.parametrize(
    ("reason", "code", "status", "said"),
    [(reason, *one) for reason, texts in SAID.items() for one in texts],
)
def test_the_words_of_a_server_have_their_reason(reason: Reason, code: str, status: str, said: str) -> None:
    assert reason_of(said, status, code, "RCPT" if reason == "userunknown" else "") == reason


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("550 5.1.1 rcp-p1 see http://postmaster.example/codes", "userunknown"),
        ("421 con-t1 too busy", "toomanyconn"),
        ("550 5.2.0 mail rejete. ofr_506 [506]", "spamdetected"),
        ("421 4.2.1 service refuse. lpn006_107", "blocked"),
        ("550 5.1.0 sender rejected. aup#cdrbl", "blocked"),
        ("550 aup#ipbl0100", "blocked"),
        ("550 aup#sndr", "rejected"),
        ("554 aup#in-1310", "toomanyconn"),
        ("421 4.7.0 [tss04] messages deferred", "badreputation"),
        ("554 5.7.9 [bl21] no", "blocked"),
        ("421 rl000001 slow", "toomanyconn"),
        ("550 5.7.1 sc-002 no", "blocked"),
        ("550 5.1.0 ib504 no", "spamdetected"),
        ("550 ib607 no", "blocked"),
        ("msexch:ims:x 0 (000c05a6) unknown recipient", "userunknown"),
        ("550 5.7.1 resolver.rst.authrequired; no", "securityerror"),
        ("554 5.7.0 header error (state 18)", "filtered"),
        ("550 5.1.1 user unknown (state 14)", None),
        ("550 ofr_000 then aup#cxsndr", "rejected"),
        ("nothing of the kind", None),
    ],
)
def test_the_codes_of_providers_mean_one_thing(said: str, reason: Reason | None) -> None:
    assert by_code(said) == reason


def test_details_of_three_digits_are_exchange_onlines() -> None:
    found = [by_detail(detail) for detail in ("7.509", "7.606", "7.850", "1.1", "7.1", "")]
    assert found == ["authfailure", "blocked", "blocked", None, None, None]


def test_words_have_one_form() -> None:
    assert normal("e-mail doesn\u2019t exist: mail-box can't") == " email does not exist mailbox can not "
    assert normal("") == "  "


def test_a_phrase_is_open_at_its_end_and_a_gap_is_short() -> None:
    assert by_words("rejections of the sender") is None
    assert by_words("mailbox of ann is full") == "mailboxfull"
    assert by_words("mailbox " + "of somebody " * 10 + "full") is None
    assert by_words("spammers") == "spamdetected"
    assert by_words("spfx") is None
