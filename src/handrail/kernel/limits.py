"""The one table of bounds. Nothing else in the product may hold a number of this kind."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Limits:
    """Every bound with its unit in its name; documented in docs/limits.md, tested at, above and far above."""

    inbound_body_bytes: int = 1024 * 1024
    inbound_batch_body_bytes: int = 5 * 1024 * 1024
    inbound_batch_alerts: int = 5000
    inbound_telemetry_items: int = 20_000
    inbound_queue_alerts: int = 50_000
    inbound_clock_skew: timedelta = timedelta(minutes=5)
    sns_clock_skew: timedelta = timedelta(hours=1)
    certificates_held: int = 64
    certificate_retry_seconds: float = 60.0
    certificate_fetches: int = 10
    signatures_per_header: int = 16
    signing_secrets_per_source: int = 8
    signing_secret_chars_min: int = 8
    signing_secret_chars_max: int = 512
    confirmations_per_source: int = 16
    severity_words_per_source: int = 64
    severity_word_chars: int = 80
    severity_words_unknown: int = 50
    json_depth: int = 32
    json_keys: int = 2000
    json_string_chars: int = 64 * 1024
    inbound_json_keys: int = 20_000
    inbound_json_string_chars: int = 5 * 1024 * 1024
    api_body_bytes: int = 1024 * 1024
    labels_per_alert: int = 64
    label_chars: int = 256
    title_chars: int = 512
    summary_chars: int = 16 * 1024
    annotation_chars: int = 4096
    link_chars: int = 2048
    raw_alert_bytes: int = 64 * 1024
    quarantine_age: timedelta = timedelta(days=7)
    quarantine_bytes: int = 64 * 1024 * 1024
    quarantine_item_bytes: int = 256 * 1024
    quarantine_headers: int = 32
    quarantine_header_chars: int = 1024
    source_alerts_per_second: int = 20_000
    source_alerts_burst: int = 100_000
    replay_ids_remembered: int = 10_000
    ingest_batch_alerts: int = 1000
    ingest_shared_batch_alerts: int = 250
    ingest_turn_alerts: int = 100
    moments_remembered: int = 8192
    alert_states_remembered: int = 8192
    alert_state_remembered_chars: int = 4096
    ingest_gather_seconds: float = 0.005
    sender_cache_seconds: float = 1.0
    alerts_listed: int = 20_000
    correlation_batch: int = 1000
    correlation_candidates: int = 200
    correlation_sampled_alerts: int = 20
    candidate_kinds: int = 64
    candidate_alerts_moved: int = 500
    candidate_alerts_read: int = 1000
    corrections_live: int = 200
    correction_kinds: int = 16
    correction_age: timedelta = timedelta(days=90)
    correction_alone_age: timedelta = timedelta(hours=24)
    correlation_links: int = 1_000_000
    correlation_slow_window: timedelta = timedelta(hours=2)
    correlation_reconsidered: int = 200
    learned_incidents: int = 200
    learned_kinds: int = 24
    learned_pairs: int = 2000
    correlation_interval_seconds: float = 0.25
    correlation_large_alerts: int = 2000
    correlation_recount_seconds: float = 5.0
    correlation_gather_seconds: float = 0.02
    correlation_idle_seconds: float = 1.0
    fingerprints_remembered: int = 32_768
    patterns_remembered: int = 64
    fingerprint_remembered_chars: int = 512
    alert_hold: timedelta = timedelta(minutes=5)
    sign_ins_per_account_hour: int = 10
    sign_ins_per_address_hour: int = 20
    sign_in_names_remembered: int = 10_000
    session_age: timedelta = timedelta(hours=12)
    password_chars_min: int = 12
    password_chars_max: int = 256
    page_size: int = 50
    page_size_max: int = 200
    candidates_shown: int = 20
    alerts_shown: int = 500
    timeline_shown: int = 500
    live_clients: int = 1200
    live_interval_ms: int = 100
    live_clients_per_ms: float = 2.5
    live_queue_events: int = 256
    live_topics: int = 64
    live_heartbeat_seconds: float = 15.0
    live_check_seconds: float = 5.0
    note_chars: int = 4000
    reason_chars: int = 1000
    runbook_tasks: int = 1000
    gate_age: timedelta = timedelta(minutes=30)
    gate_usable: timedelta = timedelta(hours=4)
    action_lease: timedelta = timedelta(seconds=60)
    action_seconds: int = 30
    silence_after_lease: timedelta = timedelta(minutes=2)
    work_kept: timedelta = timedelta(days=7)
    work_forgotten_at_once: int = 500
    action_output_bytes: int = 64 * 1024
    check_seconds: int = 300
    check_interval_seconds: float = 1.0
    delivery_attempts: int = 6
    delivery_retry_seconds: tuple[int, ...] = (1, 5, 30, 120, 600)
    outward_connect_seconds: int = 5
    outward_total_seconds: int = 15
    outward_answer_bytes: int = 256 * 1024
    cli_answer_seconds: int = 120
    accounts_named: int = 2000
    listen_backlog: int = 2048
    stop_seconds: int = 2
    disk_free_bytes_min: int = 256 * 1024 * 1024
    disk_free_bytes_low: int = 1024 * 1024 * 1024
    clock_skew_seconds: int = 5
    checkpoint_age_seconds: int = 60
    transaction_attempts: int = 8
    database_rest_seconds: float = 1.0
    database_wait_seconds: int = 30
    timer_batch: int = 500
    timer_interval_seconds: float = 0.5
    checkpoint_seconds: float = 3.0
    node_beat_seconds: float = 2.0
    node_dead_seconds: float = 8.0
    idempotency_age: timedelta = timedelta(hours=24)
    idempotency_key_chars: int = 255
    tasks_read: int = 2000
    gates_read: int = 2000
    correlation_window: timedelta = timedelta(minutes=10)
    heartbeat_seconds_least: int = 10
    heartbeat_seconds_most: int = 7 * 24 * 3600
    heartbeat_look_seconds: float = 2.0
    series_watched: int = 5000
    series_forgotten_seconds: int = 3600
    series_learning_points: int = 100
    series_look_seconds: float = 5.0
    series_missing_told: int = 5
    series_quiet: timedelta = timedelta(minutes=15)
    pull_queries: int = 50
    pull_query_chars: int = 4096
    pull_secret_chars: int = 4096
    pull_seconds_least: int = 5
    pull_seconds_most: int = 3600
    pull_history_seconds: int = 7 * 24 * 3600
    pull_history_points: int = 2_000_000
    pull_series: int = 5000
    pull_answer_points: int = 200_000
    pull_answer_bytes: int = 32 * 1024 * 1024
    pull_answer_seconds: int = 30
    pull_range_points: int = 11_000
    pulls_at_once: int = 4
    pull_look_seconds: float = 1.0
    pull_lease_seconds: int = 20
    pull_away_tries: int = 3
    pull_away_seconds: int = 60
    silence_matchers: int = 16
    silence_longest: timedelta = timedelta(days=31)
    silences_live: int = 500
    stops_pulled: int = 200
    stop_release_within: timedelta = timedelta(hours=1)
    stop_look_seconds: float = 0.25
    policy_rules: int = 500
    policy_cases: int = 1000
    policy_acts: int = 200
    catalog_services: int = 5000
    catalog_rules: int = 1000
    catalog_rule_matches: int = 16
    catalog_list_items: int = 200
    catalog_import_bytes: int = 32 * 1024 * 1024
    runbook_import_bytes: int = 256 * 1024
    runbook_import_losses: int = 5000
    catalog_unresolved_shown: int = 100
    catalog_map_services: int = 80
    change_window: timedelta = timedelta(minutes=30)
    evidence_bytes: int = 1024 * 1024
    investigation_alerts: int = 500
    investigation_changes: int = 200
    investigation_services: int = 24
    investigation_reads_at_once: int = 8
    finding_alternatives: int = 6
    log_line_chars: int = 4096
    log_line_tokens: int = 400
    log_line_numbers: int = 8
    log_words_remembered: int = 100_000
    log_shapes_remembered: int = 50_000
    log_templates: int = 20_000
    log_groups: int = 1_000_000
    log_templates_paired: int = 2000
    log_places_paired: int = 24
    log_templates_watched: int = 5000
    log_window_findings: int = 20
    log_windows_caught_up: int = 60
    log_samples: int = 3
    log_sample_chars: int = 512
    log_windows_shown: int = 60
    logs_watched: int = 200
    log_forgotten_seconds: int = 3600
    log_watched_templates: int = 2000
    log_watched_shapes: int = 5000
    log_watched_size: int = 50_000
    log_lines_waiting: int = 100_000
    log_slice_seconds: float = 0.005
    log_pause_factor: float = 1.5
    log_findings_apart: int = 3
    picture_points: int = 120
    joint_members: int = 32
    joint_groups: int = 1000
    series_together: timedelta = timedelta(minutes=5)
    pictures_per_alert: int = 6
    inbound_parse_apart_bytes: int = 256 * 1024


LIMITS = Limits()
