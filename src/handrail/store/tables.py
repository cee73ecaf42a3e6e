"""Every table. Moments are RFC 3339 text of one width, so that both databases hold the same bytes in the same order.

The record (entry, personal, tile, head, checkpoint), alerts and evidence are truth. `noun`, `key`, `timer` and
`timeline` are projections that can be rebuilt from the record. The rest is operational: secrets that must not be in
the record, sessions, idempotency, liveness; losing it loses no fact.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

MOMENT = sa.String(27)
ID = sa.String(80)
HASH = sa.String(64)
BIG = sa.BigInteger()

head = sa.Table(
    "hr_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("size", BIG, nullable=False),
    sa.Column("leaf_hash", HASH),
    sa.Column("frontier", sa.Text, nullable=False),
)
entry = sa.Table(
    "hr_entry",
    metadata,
    sa.Column("idx", BIG, primary_key=True, autoincrement=False),
    sa.Column("stream", sa.String(120), nullable=False),
    sa.Column("seq", BIG, nullable=False),
    sa.Column("type", sa.String(80), nullable=False),
    sa.Column("leaf", sa.Text, nullable=False),
    sa.Column("leaf_hash", HASH, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("seal", HASH, nullable=False),
    sa.UniqueConstraint("stream", "seq", name="hr_entry_stream_seq"),
)
personal = sa.Table(
    "hr_personal",
    metadata,
    sa.Column("idx", BIG, primary_key=True, autoincrement=False),
    sa.Column("salt", HASH, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)
tile = sa.Table(
    "hr_tile",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", BIG, primary_key=True, autoincrement=False),
    sa.Column("hash", HASH, nullable=False),
)
checkpoint = sa.Table(
    "hr_checkpoint",
    metadata,
    sa.Column("size", BIG, primary_key=True, autoincrement=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("made_at", MOMENT, nullable=False),
)

alert = sa.Table(
    "hr_alert",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("dedup_key", sa.String(512), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("service", sa.String(256)),
    sa.Column("first_at", MOMENT, nullable=False),
    sa.Column("last_at", MOMENT, nullable=False),
    sa.Column("correlated", sa.Boolean, nullable=False),
    sa.Column("candidate_id", ID),
    sa.Column("trace", sa.String(64)),
    sa.Column("state", sa.Text, nullable=False),
    # When something new was said: lists go by it. Repeats move `last_at` alone, which no index holds: a storm of them
    # costs little.
    sa.Column("moved_at", MOMENT, nullable=False),
    sa.UniqueConstraint("source", "dedup_key", name="hr_alert_identity"),
    postgresql_with={"fillfactor": "80"},
)
sa.Index("hr_alert_correlated", alert.c.correlated, alert.c.first_at)
sa.Index(
    "hr_alert_candidate", alert.c.candidate_id, alert.c.status, alert.c.service, alert.c.severity, alert.c.first_at,
    alert.c.moved_at,
)  # fmt: skip
sa.Index("hr_alert_newest", alert.c.candidate_id, alert.c.moved_at, alert.c.id)
sa.Index("hr_alert_moved", alert.c.moved_at, alert.c.id)
sa.Index("hr_alert_source", alert.c.source, alert.c.status)

occurrence = sa.Table(
    "hr_occurrence",
    metadata,
    sa.Column("batch", BIG, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("alert_id", ID, nullable=False),
    sa.Column("leaf", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
)
sa.Index("hr_occurrence_alert", occurrence.c.alert_id)

evidence = sa.Table(
    "hr_evidence",
    metadata,
    sa.Column("digest", HASH, primary_key=True),
    sa.Column("media_type", sa.String(80), nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("made_at", MOMENT, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

noun = sa.Table(
    "hr_noun",
    metadata,
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("id", ID, primary_key=True),
    sa.Column("seq", BIG, nullable=False),
    sa.Column("changed_index", BIG, nullable=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("incident_id", ID),
    sa.Column("state", sa.Text, nullable=False),
)
sa.Index("hr_noun_status", noun.c.kind, noun.c.status, noun.c.changed_index)
sa.Index("hr_noun_incident", noun.c.incident_id, noun.c.kind)
key = sa.Table(
    "hr_key",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.String(600), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("id", ID, nullable=False),
)
timer = sa.Table(
    "hr_timer",
    metadata,
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("due_at", MOMENT, nullable=False),
)
sa.Index("hr_timer_due", timer.c.due_at)
timeline = sa.Table(
    "hr_timeline",
    metadata,
    sa.Column("idx", BIG, primary_key=True, autoincrement=False),
    sa.Column("incident_id", ID, nullable=False),
)
sa.Index("hr_timeline_incident", timeline.c.incident_id, timeline.c.idx)

PROJECTIONS: tuple[sa.Table, ...] = (noun, key, timer, timeline)

meta = sa.Table(
    "hr_meta",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
credential = sa.Table(
    "hr_credential",
    metadata,
    sa.Column("account_id", ID, primary_key=True),
    sa.Column("password_hash", sa.Text, nullable=False),
)
token = sa.Table(
    "hr_token",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("owner_kind", sa.String(16), nullable=False),
    sa.Column("owner_id", ID, nullable=False),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("token_hash", HASH, nullable=False, unique=True),
    sa.Column("last_four", sa.String(4), nullable=False),
    sa.Column("scopes", sa.Text),
    sa.Column("expires_at", MOMENT),
    sa.Column("revoked_at", MOMENT),
)
sa.Index("hr_token_owner", token.c.owner_kind, token.c.owner_id)
data_key = sa.Table(
    "hr_data_key",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("wrapped", sa.Text, nullable=False),
    sa.Column("made_at", MOMENT, nullable=False),
)
sealed = sa.Table(
    "hr_sealed",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("owner_id", ID, nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("last_four", sa.String(4), nullable=False),
    sa.Column("set_at", MOMENT, nullable=False),
)
sa.Index("hr_sealed_owner", sealed.c.owner_id)
session = sa.Table(
    "hr_session",
    metadata,
    sa.Column("token_hash", HASH, primary_key=True),
    sa.Column("account_id", ID, nullable=False),
    sa.Column("csrf", sa.String(64), nullable=False),
    sa.Column("expires_at", MOMENT, nullable=False),
)
sa.Index("hr_session_account", session.c.account_id)
idempotency = sa.Table(
    "hr_idempotency",
    metadata,
    sa.Column("account_id", ID, primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("request_hash", HASH, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
)
quarantine = sa.Table(
    "hr_quarantine",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("received_at", MOMENT, nullable=False),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("headers", sa.Text, nullable=False, server_default="{}"),
    sa.Column("path", sa.String(512), nullable=False, server_default=""),
)
sa.Index("hr_quarantine_received", quarantine.c.received_at)
replay = sa.Table(
    "hr_replay",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("replay_id", sa.String(512), primary_key=True),
    sa.Column("at", MOMENT, nullable=False),
)
source_stat = sa.Table(
    "hr_source_stat",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("last_seen", MOMENT, nullable=False),
    sa.Column("accepted", BIG, nullable=False),
    sa.Column("duplicate", BIG, nullable=False),
    sa.Column("refused", BIG, nullable=False),
    sa.Column("last_refusal", sa.Text, nullable=False),
    sa.Column("verified", BIG, nullable=False, server_default="0"),
    sa.Column("by_token", BIG, nullable=False, server_default="0"),
    sa.Column("unsigned", BIG, nullable=False, server_default="0"),
)
source_minute = sa.Table(
    "hr_source_minute",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("minute", BIG, nullable=False),
    sa.Column("received", BIG, nullable=False),
)
source_refusal = sa.Table(
    "hr_source_refusal",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("code", sa.String(64), primary_key=True),
    sa.Column("count", BIG, nullable=False),
    sa.Column("last_at", MOMENT, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
source_word = sa.Table(
    "hr_source_word",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("word", sa.String(256), primary_key=True),
    sa.Column("count", BIG, nullable=False),
    sa.Column("last_at", MOMENT, nullable=False),
)
pull = sa.Table(
    "hr_pull",
    metadata,
    sa.Column("source_id", ID, primary_key=True),
    sa.Column("node", sa.String(120), nullable=False),
    sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("tried_at", MOMENT),
    sa.Column("pulled_at", MOMENT),
    sa.Column("series", sa.Integer, nullable=False),
    sa.Column("trouble", sa.Text, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
)
node = sa.Table(
    "hr_node",
    metadata,
    sa.Column("id", sa.String(120), primary_key=True),
    sa.Column("beat", sa.DateTime(timezone=True), nullable=False),
)
