"""Alembic's entry: our own tables only, so that the engine library's tables in the same database are left alone."""

from alembic import context

from handrail.store.tables import metadata

VERSION_TABLE = "hr_alembic_version"


def ours(name: str | None, kind: str, parents: object) -> bool:
    return kind != "table" or (name or "").startswith("hr_")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    include_name=ours,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
