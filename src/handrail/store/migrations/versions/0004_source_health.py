"""How sources are doing by the minute, by verdict, by refusal and by unknown word; what a kept payload came with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("hr_quarantine", schema=None) as batch_op:
        batch_op.add_column(sa.Column("headers", sa.Text(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("path", sa.String(length=512), nullable=False, server_default=""))
    with op.batch_alter_table("hr_source_stat", schema=None) as batch_op:
        for name in ("verified", "by_token", "unsigned"):
            batch_op.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "hr_source_minute",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "slot"),
    )
    op.create_table(
        "hr_source_refusal",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.String(length=27), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "code"),
    )
    op.create_table(
        "hr_source_word",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("word", sa.String(length=256), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("source", "word"),
    )


def downgrade() -> None:
    for name in ("hr_source_word", "hr_source_refusal", "hr_source_minute"):
        op.drop_table(name)
    with op.batch_alter_table("hr_source_stat", schema=None) as batch_op:
        for name in ("unsigned", "by_token", "verified"):
            batch_op.drop_column(name)
    with op.batch_alter_table("hr_quarantine", schema=None) as batch_op:
        batch_op.drop_column("path")
        batch_op.drop_column("headers")
