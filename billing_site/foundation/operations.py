"""What migrations do to models, without building every related model anew each time.

For each operation Django builds the class of its model again, and with it those of all models related to it, to them,
and so on: dozens, four hundred times, which was most of the time of a first start. Ours build the model's own class
alone, or none: nothing in a migration asks a class for its constraints and indexes, which are looked up in the state of
the model. What then points to an outdated class is known to be outdated, as after Django's own shortcut for columns
without relations: before a function of ours runs (`RunPython`), all classes are built anew.
"""

from typing import Any

from django.contrib.postgres import operations as postgres
from django.db import migrations


class _Alone:
    """Builds the model's own class, where no other is derived from it."""

    def state_forwards(self, app_label: str, state: Any) -> None:
        def reload_model(app: str, name: str, delay: bool = False) -> None:
            if "apps" not in vars(state):
                return
            built = state.apps.all_models[app].get(name)
            if built and built.__subclasses__():
                type(state).reload_model(state, app, name, delay)
            else:
                state.is_delayed = True
                state._reload({(app, name)})

        state.reload_model = reload_model
        try:
            super().state_forwards(app_label, state)  # type: ignore[misc]
        finally:
            del state.reload_model


class CreateModel(_Alone, migrations.CreateModel):
    pass


class AddField(_Alone, migrations.AddField):
    pass


class AlterField(_Alone, migrations.AlterField):
    pass


class AddIndex(migrations.AddIndex):
    def state_forwards(self, app_label: str, state: Any) -> None:
        options = state.models[app_label, self.model_name_lower].options
        options["indexes"] = [*options.get("indexes", []), self.index]


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
