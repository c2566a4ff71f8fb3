from django.apps import AppConfig


class BillingSiteConfig(AppConfig):
    """The site itself: plumbing and commands that span the rooms. It has no models of its own."""

    name = "billing_site"
    verbose_name = "Countinghouse"
