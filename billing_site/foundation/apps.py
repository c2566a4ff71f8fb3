from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "billing_site.foundation"
    label = "foundation"
    verbose_name = "House"

    def ready(self) -> None:
        from billing_site.foundation import idempotency  # noqa: F401 (its sweep registers itself)
