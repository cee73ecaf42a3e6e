"""Signing secrets of sources, sealed, and the wrapped key that seals them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "hr_data_key",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("wrapped", sa.Text(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("kind"),
    )
    op.create_table(
        "hr_sealed",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("owner_id", sa.String(length=80), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("set_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("hr_sealed", schema=None) as batch_op:
        batch_op.create_index("hr_sealed_owner", ["owner_id"], unique=False)


def downgrade() -> None:
    op.drop_table("hr_sealed")
    op.drop_table("hr_data_key")
