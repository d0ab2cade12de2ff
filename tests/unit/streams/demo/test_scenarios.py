"""The demo shows all that it promises."""

from streams.demo.scenarios import phases

WANTED = (
    "e-mail delivered",
    "e-mail bounced → SMS delivered",
    "SMS without receipt → time-out → e-mail",
    "SMS throttled, then delivered",
    "late receipt of step 1 while step 2 waits",
    "scheduled, then cancelled",
    "everything fails → exhausted → DLQ",
    "the same idempotency key twice → one message",
    "a batch of 100",
    "a message through SMPP, with its receipt",
    "a message through SMTP",
    "pipeline killed (-9) in mid-flight, nothing lost",
    "the money adds up",
)


def test_every_part_of_the_main_job_has_its_scenario() -> None:
    names = [scenario.name for phase in phases({"smpp": "127.0.0.1:1", "smtp": "127.0.0.1:2"}) for scenario in phase]
    assert set(WANTED) <= set(names)
    assert sum(name.startswith("refused by layer") for name in names) == 8
    assert len(set(names)) == len(names)
