"""Mail: signed mails out of one Mta, mails into our SMTP server beside aiosmtpd alone, and in through admission."""

from typing import Any, Final

from streams.bench import mail_in, sink
from streams.bench.apart import Serve, apart, serving
from streams.bench.finals import Finals
from streams.bench.mail_out import OCTETS, Mailed, mail_out
from streams.bench.path import END_PATIENCE_S
from streams.bench.processes import usage
from streams.bench.result import BenchError, Line, Result, Wanted, quantile
from streams.bench.smtp_load import MailPlan, MailTold, smtp_load
from streams.bench.stack import PARTITIONS, stack, tenant

RATE_PER_S: Final = 56
CONNECTIONS: Final = 16
STACK_CONNECTIONS: Final = 64
PATIENCE_S: Final = 60.0
WARM_UP_S: Final = 1.0
DOMAIN: Final = "bench.example"
RECIPIENT: Final = "delivered@sandbox.hermes.dev"


def run(wanted: Wanted) -> Result:
    """Out, in, and through the whole."""
    lines = [*_out(wanted.seconds), *_in(wanted.seconds), *_through(wanted.seconds)]
    return Result("mail", f"mails of {OCTETS:,} octets, signed with RSA of 2,048 bits on their way out", tuple(lines))


def _out(seconds: float) -> list[Line]:
    part = "out: one Mta to one host on this machine, ten connections"
    lines: list[Line] = []
    for rate_per_s in (0, RATE_PER_S):
        with serving(sink.serve) as host:
            mailed: Mailed = apart(mail_out, host.port, seconds, float(rate_per_s), patience_s=seconds + PATIENCE_S)
            taken = host.stop()
        if taken < mailed.mails:
            raise BenchError(f"{mailed.mails} mails were sent and {taken} came")
        if rate_per_s:
            lines.append(Line(f"CPU at {rate_per_s}/s", 100 * mailed.cpu_s / mailed.took_s, "% of a core", part))
        else:
            lines.append(Line("signed and taken", mailed.mails / mailed.took_s, "mails/s", part))
            lines.append(Line("CPU", mailed.cpu_s * 1e6 / mailed.mails, "µs a mail", part))
    return lines


def _in(seconds: float) -> list[Line]:
    part = f"in: an SMTP server alone, {CONNECTIONS} connections; bare: aiosmtpd that takes everything"
    rate, cpu_us = _accept(mail_in.ours, seconds, mail_in.USER)
    bare_rate, bare_us = _accept(mail_in.bare, seconds, "")
    return [
        Line("accepted", rate, "mails/s", part, bare_rate),
        Line("CPU", cpu_us, "µs a mail", part, bare_us),
        Line("rate to aiosmtpd's", rate / bare_rate, "times", part),
    ]


def _accept(serve: Serve, seconds: float, user: str) -> tuple[float, float]:
    """Mails a second, and CPU microseconds of the server for one."""
    with serving(serve) as server:
        plan = MailPlan(server.port, CONNECTIONS, seconds, f"news@{mail_in.DOMAIN}", "ann@sink.test", user, "bench")
        before = usage("SMTP server", server.pid)
        told: MailTold = apart(smtp_load, plan, patience_s=seconds + PATIENCE_S)
        cpu_s = usage("SMTP server", server.pid).cpu_s - before.cpu_s
        taken = server.stop()
    if taken != told.mails:
        raise BenchError(f"{told.mails} mails were accepted and {taken} handed over")
    return told.mails / told.took_s, cpu_s * 1e6 / told.mails


def _through(seconds: float) -> list[Line]:
    part = f"in through admission on a whole stack and out to the simulated host, {STACK_CONNECTIONS} connections"
    with stack(tenant(from_domain=DOMAIN)) as ready:
        finals = Finals(ready["kafka"], PARTITIONS)
        try:
            _measure(ready, finals, WARM_UP_S)
            told, last_ms = _measure(ready, finals, seconds)
        finally:
            finals.close()
    return [
        Line("accepted", told.mails / told.took_s, "mails/s", part),
        Line("mail from MAIL to 250 p50", quantile(told.latencies_ms, 0.5), "ms", part),
        Line("mail from MAIL to 250 p99", quantile(told.latencies_ms, 0.99), "ms", part),
        Line("end to end", told.mails * 1_000 / (last_ms - told.began_ms), "mails/s", part),
    ]


def _measure(ready: dict[str, Any], finals: Finals, seconds: float) -> tuple[MailTold, int]:
    """What the generator told, and when the last mail ended."""
    login = ready["tenants"][0]["smtp"]
    port = int(str(ready["smtp"]).rpartition(":")[2])
    plan = MailPlan(
        port, STACK_CONNECTIONS, seconds, f"news@{DOMAIN}", RECIPIENT, str(login["user"]), str(login["password"])
    )
    finals.mark()
    told: MailTold = apart(smtp_load, plan, patience_s=seconds + PATIENCE_S)
    if not told.mails:
        raise BenchError("no mail was accepted")
    return told, finals.collect(told.mails, END_PATIENCE_S).last_ms
