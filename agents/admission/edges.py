"""The fused edges between the layers, in their order."""

from agents.context import Edge

AUTHENTICATE = Edge("hermes.admission.l1", "tenant")
CHECK_TENANT = Edge("hermes.admission.l2", "tenant")
LIMIT_RATE = Edge("hermes.admission.l3", "tenant")
RESERVE = Edge("hermes.admission.l4", "tenant")
CHECK_SCHEMA = Edge("hermes.admission.l5", "tenant")
COMPLY = Edge("hermes.admission.l6", "tenant")
MIND_HOURS = Edge("hermes.admission.l6.hours", "tenant")
SCAN = Edge("hermes.admission.l7", "tenant")
RECORD = Edge("hermes.admission.l8", "tenant")
ROUTE = Edge("hermes.admission.l9", "tenant")
ANSWER = Edge("hermes.admission.answer", "tenant")
EXPLAIN = Edge("hermes.admission.explain", "tenant")
