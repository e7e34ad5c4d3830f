"""The history of the database: Alembic revisions and the functions that apply them.

    await upgrade(url)             brings a database up to date (what the app and the command line call)
    await current_revision(url)    the revision a database is at, None when empty
    await differences(url)         what the models have and the database lacks, or the reverse

A new revision, after changing models:

    python -m migrations revision "what changed"
"""

from migrations.runner import current_revision, differences, head_revision, make_revision, upgrade

__all__ = ["current_revision", "differences", "head_revision", "make_revision", "upgrade"]
