"""Constraints in migrations, without building every related model anew for each.

Django builds a model's class and those of all related models again once a constraint of it comes or goes: dozens of
classes, two hundred times, which was nearly half of the time of a first start. Nothing in a migration asks a class for
its constraints; they are looked up in the state of the model, which these operations do keep.
"""

from typing import Any

from django.contrib.postgres import operations as postgres
from django.db import migrations


class AddConstraint(migrations.AddConstraint):
    def state_forwards(self, app_label: str, state: Any) -> None:
        options = state.models[app_label, self.model_name_lower].options
        options["constraints"] = [*options["constraints"], self.constraint]


class AddConstraintNotValid(postgres.AddConstraintNotValid):
    """For a table with many rows: what comes is checked, and what is there by `ValidateConstraint`, later."""

    state_forwards = AddConstraint.state_forwards


class RemoveConstraint(migrations.RemoveConstraint):
    def state_forwards(self, app_label: str, state: Any) -> None:
        options = state.models[app_label, self.model_name_lower].options
        options["constraints"] = [held for held in options["constraints"] if held.name != self.name]
