from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class BillingSiteConfig(AppConfig):
    """The site itself: plumbing and commands that span the rooms. It has no models of its own."""

    name = "billing_site"
    verbose_name = "Countinghouse"

    def ready(self) -> None:
        from billing_site import roles  # its models are there only now

        # Django tells of no app without models, so of the app that permissions belong to.
        post_migrate.connect(roles.give_permissions, sender=apps.get_app_config("auth"))
