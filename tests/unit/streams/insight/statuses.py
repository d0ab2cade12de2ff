"""Real status records for the tests of insight, made by the cascade engine itself."""

from dataclasses import dataclass

from domain.accepted import Message
from domain.cascade.commands import Announce, Command, StatusChanged
from domain.cascade.engine import begin, decide
from domain.cascade.events import Happening
from domain.cascade.plan import Plan, PlannedStep
from domain.cascade.rule import Step
from domain.cascade.states import Cascade
from domain.message import Body, Recipient

RETIRE_MS = 60_000


def plan(*skips: str, send_at_ms: int = 0, not_before_ms: int = 0, max_retries: int = 0) -> Plan:
    """A plan of SMS steps, one for each reason to skip it."""
    steps = tuple(
        PlannedStep(Step("sms", max_retries=max_retries), "+46701234567", 1, 4_000, skip, not_before_ms)
        for skip in skips
    )
    return Plan(steps, "delivered", 86_400_000, "delivered", send_at_ms, "")


@dataclass
class Story:
    """One message's cascade, and every status that it announced."""

    message: Message
    state: Cascade
    told: list[StatusChanged]

    def happens(self, event: Happening) -> None:
        """Let something happen to the message."""
        self.state, commands = decide(self.state, event, RETIRE_MS)
        self._tell(commands)

    def _tell(self, commands: tuple[Command, ...]) -> None:
        for command in commands:
            if isinstance(command, Announce):
                line = self.state.history[-1]
                channel = self.state.plan.steps[self.state.step].step.channel
                self.told.append(
                    StatusChanged(
                        self.state.message_id,
                        self.state.tenant_id,
                        self.state.revision,
                        line.event,
                        line.detail,
                        line.attempt,
                        command.final,
                        channel,
                        line.at_ms,
                        self.state,
                    )
                )


def begun(message_id: str, tenant_id: str, at_ms: int, of: Plan) -> Story:
    """A message just accepted."""
    message = Message(
        message_id=message_id,
        tenant_id=tenant_id,
        key_id="k",
        test=False,
        protocol="rest",
        to=Recipient("phone"),
        body=Body("hi"),
        sender_email="",
        sender_sms="",
        sender_name="",
        plan=of,
        reserved_micros=4_000,
        currency="EUR",
        callback=False,
        trace_id="t" * 32,
        created_at_ms=at_ms,
        recipient_hash="h",
    )
    state, commands = begin(message, RETIRE_MS)
    story = Story(message, state, [])
    story._tell(commands)
    return story
