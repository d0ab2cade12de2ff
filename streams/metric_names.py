"""Every metric of Hermes: its name, kind, help, labels and buckets. Nothing is counted under a name that is not here."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]

MetricName = Literal[
    # REST gateway
    "hermes_api_requests_total",
    "hermes_api_latency_seconds",
    "hermes_api_active_connections",
    # SMPP and SMTP gateway
    "hermes_gateway_answer_seconds",
    "hermes_gateway_faults_total",
    "hermes_gateway_smpp_answers_total",
    "hermes_gateway_smpp_receipts_total",
    "hermes_gateway_smpp_sessions",
    "hermes_gateway_smtp_connections",
    "hermes_gateway_smtp_messages_total",
    # validation pipeline
    "hermes_validation_layer_duration_seconds",
    "hermes_validation_rejections_total",
    "hermes_validation_pass_total",
    "hermes_rate_limit_hits_total",
    "hermes_balance_check_failures_total",
    "hermes_compliance_blocks_total",
    # cascade
    "hermes_cascade_messages_total",
    "hermes_cascade_step_attempts_total",
    "hermes_cascade_step_duration_seconds",
    "hermes_cascade_depth_total",
    "hermes_cascade_success_rate",
    "hermes_cascade_active_messages",
    "hermes_cascade_goroutines_active",
    # billing
    "hermes_billing_messages_metered_total",
    "hermes_billing_balance_remaining",
    "hermes_billing_reservation_failures_total",
    # contacts
    "hermes_suppressions_total",
    "hermes_inbound_messages_total",
    "hermes_inbound_parts_total",
    "hermes_inbound_mail_total",
    # carriers
    "hermes_smpp_connections_active",
    "hermes_smpp_submit_sm_total",
    "hermes_smpp_deliver_sm_total",
    "hermes_smpp_window_utilization",
    "hermes_mta_emails_sent_total",
    "hermes_mta_bounce_rate",
    "hermes_hlr_lookups_total",
    "hermes_routing_decisions_total",
    "hermes_carrier_cost_per_message",
    # the pipeline itself
    "hermes_deadletters_total",
    "hermes_pipeline_batch_records",
    "hermes_pipeline_batch_seconds",
    "hermes_pipeline_restore_seconds",
    "hermes_pipeline_restored_rows_total",
    "hermes_timers_pending",
    "hermes_timer_lag_seconds",
    "hermes_consumer_lag_records",
    # the ways out
    "hermes_egress_unknown_total",
    "hermes_egress_send_seconds",
    "hermes_webhook_deliveries_total",
    "hermes_webhooks_pending",
    "hermes_archive_lag_seconds",
    "hermes_archive_records_total",
    # insight
    "hermes_insight_records_total",
    "hermes_insight_rows",
]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `labels` are all that it may have; `buckets` are the upper bounds of a histogram, in its unit."""

    name: MetricName
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


MICRO_S = (0.00001, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05)
REQUEST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
STEP_S = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
RECORDS = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
STEPS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
COST = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)

METRICS: tuple[Metric, ...] = (
    Metric("hermes_api_requests_total", "counter", "API requests", ("endpoint", "method", "status")),
    Metric("hermes_api_latency_seconds", "histogram", "Request latency", ("endpoint",), REQUEST_S),
    Metric("hermes_api_active_connections", "gauge", "Open HTTP connections"),
    Metric("hermes_gateway_answer_seconds", "histogram", "Request to answer", ("protocol",), REQUEST_S),
    Metric("hermes_gateway_faults_total", "counter", "What peers did wrong", ("protocol", "what")),
    Metric("hermes_gateway_smpp_answers_total", "counter", "PDUs answered", ("command", "status")),
    Metric("hermes_gateway_smpp_receipts_total", "counter", "deliver_sm to clients by result", ("result",)),
    Metric("hermes_gateway_smpp_sessions", "gauge", "SMPP sessions of clients", ("state",)),
    Metric("hermes_gateway_smtp_connections", "gauge", "Open SMTP connections"),
    Metric("hermes_gateway_smtp_messages_total", "counter", "Mails answered", ("code",)),
    Metric("hermes_validation_layer_duration_seconds", "histogram", "Time in a validation layer", ("layer",), MICRO_S),
    Metric("hermes_validation_rejections_total", "counter", "Refusals by layer and code", ("layer", "reason")),
    Metric("hermes_validation_pass_total", "counter", "Messages that passed every layer"),
    Metric("hermes_rate_limit_hits_total", "counter", "Rate limit violations", ("tenant",)),
    Metric("hermes_balance_check_failures_total", "counter", "Balance or quota checks that failed", ("tenant",)),
    Metric("hermes_compliance_blocks_total", "counter", "Compliance refusals", ("regulation",)),
    Metric("hermes_cascade_messages_total", "counter", "Messages that reached a final state", ("state",)),
    Metric("hermes_cascade_step_attempts_total", "counter", "Attempts by channel", ("channel",)),
    Metric("hermes_cascade_step_duration_seconds", "histogram", "Begin to end of a step", ("channel",), STEP_S),
    Metric("hermes_cascade_depth_total", "histogram", "Steps until delivery; 1: the first worked", (), STEPS),
    Metric("hermes_cascade_success_rate", "gauge", "Share of messages delivered on any channel, 0 to 1", ("tenant",)),
    Metric("hermes_cascade_active_messages", "gauge", "Messages whose cascade has not ended"),
    Metric("hermes_cascade_goroutines_active", "gauge", "Tasks and threads that are alive, by process", ("process",)),
    Metric("hermes_billing_messages_metered_total", "counter", "Messages counted for billing", ("tenant", "channel")),
    Metric("hermes_billing_balance_remaining", "gauge", "Prepaid balance in currency units", ("tenant",)),
    Metric("hermes_billing_reservation_failures_total", "counter", "Reservations that failed", ("tenant",)),
    Metric("hermes_suppressions_total", "counter", "Addresses that are left alone from now on", ("reason",)),
    Metric("hermes_inbound_messages_total", "counter", "Messages from recipients, by channel", ("channel",)),
    Metric("hermes_inbound_parts_total", "counter", "Parts of long messages; begun less whole is lost", ("result",)),
    Metric("hermes_inbound_mail_total", "counter", "Mails from outside, by what they are", ("kind",)),
    Metric("hermes_smpp_connections_active", "gauge", "Bound SMPP sessions", ("carrier",)),
    Metric("hermes_smpp_submit_sm_total", "counter", "submit_sm by the answer's status", ("carrier", "status")),
    Metric("hermes_smpp_deliver_sm_total", "counter", "deliver_sm by kind", ("carrier", "kind")),
    Metric("hermes_smpp_window_utilization", "gauge", "Share of a window in use, 0 to 1", ("carrier", "connection")),
    Metric("hermes_mta_emails_sent_total", "counter", "E-mails handed to a mail exchanger", ("pool", "result")),
    Metric("hermes_mta_bounce_rate", "gauge", "Share of e-mails that bounced, 0 to 1", ("pool",)),
    Metric("hermes_hlr_lookups_total", "counter", "HLR and MNP look-ups", ("result",)),
    Metric("hermes_routing_decisions_total", "counter", "Decisions by path: direct, aggregator, fallback", ("path",)),
    Metric("hermes_carrier_cost_per_message", "histogram", "Cost in currency units", ("carrier",), COST),
    Metric("hermes_deadletters_total", "counter", "Records that nobody could read", ("topic",)),
    Metric("hermes_pipeline_batch_records", "histogram", "Records in a batch", (), RECORDS),
    Metric("hermes_pipeline_batch_seconds", "histogram", "Decode to commit of a batch", (), REQUEST_S),
    Metric("hermes_pipeline_restore_seconds", "gauge", "How long the last restore took", ("partition",)),
    Metric("hermes_pipeline_restored_rows_total", "counter", "Rows read from changelogs", ("table",)),
    Metric("hermes_timers_pending", "gauge", "Timers that are set"),
    Metric("hermes_timer_lag_seconds", "histogram", "How late a timer fired", (), REQUEST_S),
    Metric("hermes_consumer_lag_records", "gauge", "Records that wait to be read", ("group", "topic")),
    Metric("hermes_egress_unknown_total", "counter", "Hand-overs whose answer was lost", ("carrier",)),
    Metric("hermes_egress_send_seconds", "histogram", "Hand-over to the peer's answer", ("carrier",), REQUEST_S),
    Metric("hermes_webhook_deliveries_total", "counter", "Callbacks by result", ("result",)),
    Metric("hermes_webhooks_pending", "gauge", "Callbacks that are due"),
    Metric("hermes_archive_lag_seconds", "gauge", "Age of the newest record that is archived"),
    Metric("hermes_archive_records_total", "counter", "Records archived", ("kind",)),
    Metric("hermes_insight_records_total", "counter", "Usage records read by insight", ("result",)),
    Metric("hermes_insight_rows", "gauge", "Rows of the usage table in memory"),
)
