"""Indexes that are made while others write."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently


class AddIndexBesideWriters(AddIndexConcurrently):
    """In a migration with `atomic = False`. One that was stopped in between leaves an index that holds nothing, which
    would stand in the way of its second try: it goes first."""

    def database_forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {editor.quote_name(self.index.name)}")
        super().database_forwards(app_label, editor, from_state, to_state)
