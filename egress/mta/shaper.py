"""How fast mail may go to each group of hosts now: their limits, what refusals taught, and how it recovers.

- A provider's limits, or the pool's own, are the most that is ever done.
- A 421, a refused greeting and refusals of our address halve the connections, at most once in `CUT_EVERY_MS`; each success
  adds its part of one, so a group climbs back by about one connection a round.
- Texts that are known (`rules`) suspend, slow or narrow for their time; afterwards all is as it was.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from egress.mta.errors import RouteError
from egress.mta.providers import Limits
from egress.mta.rules import HOUR_MS, Action, matching

MAX_GROUPS = 10_000
MAX_TENANTS = 1_000  # suspended at once in one group
CUT_EVERY_MS = 1_000
BURST_MS = 1_000  # the mails of this time may go at once
BUSY, SUSPENDED = "4.4.5", "4.7.0"

Group = tuple[str, str]
"""(source, group of hosts)"""


@dataclass(slots=True)
class _State:
    allowed: float
    next_at_ms: float = 0.0
    cut_at_ms: int = -CUT_EVERY_MS
    suspended_until_ms: int = 0
    tenants: dict[str, int] = field(default_factory=dict)
    held: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By kind of action: value and until when."""
    heard: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By rule: when its hour began and how often it was met."""


@dataclass(slots=True)
class Shaper:
    """The limits in force; it waits for nothing itself, and remembers at most MAX_GROUPS groups."""

    clock_ms: Callable[[], int]
    _groups: dict[Group, _State] = field(default_factory=dict)

    def wait_ms(self, group: Group, limits: Limits, most_ms: int) -> int:
        """The wait until the rate allows the next mail, which then has its place. Raises RouteError when it passes `most_ms`."""
        state = self._groups.get(group)
        per_minute = self._value(state, "slow", limits.per_minute)
        if not per_minute:
            return 0
        if state is None:
            state = self._state(group, limits)
        now = self.clock_ms()
        gap_ms = 60_000 / per_minute
        burst_ms = BURST_MS if gap_ms < BURST_MS else 0
        wait = max(0, int(state.next_at_ms - burst_ms - now))
        if wait > most_ms:
            raise RouteError(BUSY, "the rate for these hosts is used up", permanent=False, retry_after_ms=wait)
        state.next_at_ms = max(state.next_at_ms, float(now)) + gap_ms
        return wait

    def check(self, group: Group, tenant: str) -> None:
        """Raises RouteError while the group, or the tenant in it, is suspended."""
        state = self._groups.get(group)
        if state is None:
            return
        left = max(state.suspended_until_ms, state.tenants.get(tenant, 0)) - self.clock_ms()
        if left > 0:
            raise RouteError(SUSPENDED, "suspended after refusals", permanent=False, retry_after_ms=left)

    def is_suspended(self, group: Group) -> bool:
        """Whether nothing at all may go from this source to the group."""
        state = self._groups.get(group)
        return state is not None and state.suspended_until_ms > self.clock_ms()

    def connections(self, group: Group, limits: Limits) -> int:
        """How many connections may be at work."""
        state = self._groups.get(group)
        if state is None:
            return limits.connections
        return max(1, min(int(state.allowed), self._value(state, "narrow", limits.connections)))

    def mails_per_connection(self, group: Group, limits: Limits) -> int:
        """How many mails a connection may carry."""
        return self._value(self._groups.get(group), "shorten", limits.mails_per_connection)

    def took(self, group: Group, limits: Limits) -> None:
        """A mail was taken: more may go."""
        state = self._groups.get(group)
        if state is not None and state.allowed < limits.connections:
            state.allowed = min(limits.connections, state.allowed + 1 / state.allowed)

    def pushed_back(self, group: Group, limits: Limits) -> None:
        """The peer has too much of us: half as much may go."""
        state = self._state(group, limits)
        now = self.clock_ms()
        if now - state.cut_at_ms >= CUT_EVERY_MS:
            state.cut_at_ms = now
            state.allowed = max(1.0, state.allowed / 2)

    def heard(self, group: Group, limits: Limits, provider: str, tenant: str, said: str) -> tuple[Action, ...]:
        """The peer refused with these words: what they set off."""
        actions: tuple[Action, ...] = ()
        now = self.clock_ms()
        for at, rule in matching(provider, said):
            state = self._state(group, limits)
            since, hits = state.heard.get(at, (now, 0))
            since, hits = (now, 1) if now - since >= HOUR_MS else (since, hits + 1)
            if hits < rule.hits:
                state.heard[at] = (since, hits)
                continue
            state.heard.pop(at, None)
            for action in rule.actions:
                _apply(state, action, tenant, now, now + rule.for_ms)
            actions += rule.actions
        return actions

    def _value(self, state: _State | None, kind: str, normal: int) -> int:
        """The lower of the normal limit and the one that a rule holds now; zero is none."""
        value, until_ms = state.held.get(kind, (0, 0)) if state is not None else (0, 0)
        if until_ms <= self.clock_ms():
            return normal
        return min(value, normal) if normal else value

    def _state(self, group: Group, limits: Limits) -> _State:
        state = self._groups.get(group)
        if state is None:
            while len(self._groups) >= MAX_GROUPS:
                del self._groups[next(iter(self._groups))]
            state = self._groups[group] = _State(float(limits.connections))
        return state


def _apply(state: _State, action: Action, tenant: str, now: int, until_ms: int) -> None:
    match action.kind:
        case "suspend":
            state.suspended_until_ms = max(state.suspended_until_ms, until_ms)
        case "suspend_tenant":
            if len(state.tenants) >= MAX_TENANTS:
                state.tenants = {name: until for name, until in state.tenants.items() if until > now}
            if len(state.tenants) < MAX_TENANTS:
                state.tenants[tenant] = until_ms
        case "slow" | "narrow" | "shorten":
            value, held_until_ms = state.held.get(action.kind, (0, 0))
            lower = min(value, action.value) if held_until_ms > now else action.value
            state.held[action.kind] = (lower, max(until_ms, held_until_ms))
