"""Lists of alerts go by when something new was said, so that repeats touch no index; what many alerts are asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("hr_alert", schema=None) as batch_op:
        batch_op.add_column(sa.Column("moved_at", sa.String(length=27), nullable=False, server_default=""))
    op.execute("UPDATE hr_alert SET moved_at = last_at")
    with op.batch_alter_table("hr_alert", schema=None) as batch_op:
        batch_op.alter_column("moved_at", existing_type=sa.String(length=27), server_default=None)
        batch_op.drop_index("hr_alert_last")
        batch_op.drop_index("hr_alert_candidate")
        batch_op.create_index(
            "hr_alert_candidate", ["candidate_id", "status", "service", "severity", "first_at", "moved_at"]
        )
        batch_op.create_index("hr_alert_newest", ["candidate_id", "moved_at", "id"])
        batch_op.create_index("hr_alert_moved", ["moved_at", "id"])
        batch_op.create_index("hr_alert_source", ["source", "status"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE hr_alert SET (fillfactor = 80)")


def downgrade() -> None:
    with op.batch_alter_table("hr_alert", schema=None) as batch_op:
        for name in ("hr_alert_source", "hr_alert_moved", "hr_alert_newest", "hr_alert_candidate"):
            batch_op.drop_index(name)
        batch_op.create_index("hr_alert_candidate", ["candidate_id", "status"])
        batch_op.create_index("hr_alert_last", ["last_at"])
        batch_op.drop_column("moved_at")
