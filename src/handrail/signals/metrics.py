"""What the intake counts for Prometheus. Labels are names of known sources, verdicts and codes: never what is sent."""

from prometheus_client import Counter, Gauge, Histogram

RECEIVED = Counter(
    "handrail_events_received_total", "Alert occurrences and changes accepted.", ["source", "verdict"]
)  # fmt: skip
DUPLICATE = Counter("handrail_events_duplicate_total", "Repeats and redeliveries, answered and not stored.", ["source"])
REFUSED = Counter("handrail_events_refused_total", "Requests and batch items refused.", ["code"])
WAITING = Gauge("handrail_ingest_waiting_alerts", "Occurrences that wait for the next commit.")
SECONDS = Histogram(
    "handrail_ingest_seconds",
    "From the request's last byte to its commit.",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
BATCH = Histogram(
    "handrail_ingest_batch_alerts", "Occurrences in one commit.", buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
)
UNWATCHED = Counter("handrail_points_unwatched_total", "Points of series beyond those that can be watched.")
LINES = Counter("handrail_log_lines_total", "Log lines that were looked at.", ["source"])
LINES_DROPPED = Counter(
    "handrail_log_lines_dropped_total", "Log lines that were dropped: too many at once.", ["source"]
)
CORRELATED = Counter("handrail_alerts_correlated_total", "Alerts placed by correlation.", ["into"])
CORRELATION_SECONDS = Histogram("handrail_correlation_seconds", "One pass of correlation with something to do.")
