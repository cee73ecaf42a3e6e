"""Which node pulls the metrics of a source, and how that went last."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "hr_pull",
        sa.Column("source_id", sa.String(length=80), nullable=False),
        sa.Column("node", sa.String(length=120), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.String(length=27), nullable=True),
        sa.Column("pulled_at", sa.String(length=27), nullable=True),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source_id"),
    )


def downgrade() -> None:
    op.drop_table("hr_pull")
