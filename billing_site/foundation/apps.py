from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "billing_site.foundation"
    label = "foundation"
    verbose_name = "House"
