"""Which person of a customer's looks at that customer's page."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
from contracts.models.customers import Customer


class CustomerLogin(models.Model):
    """A login that sees one customer, and nothing else. It is taken away by making the user inactive."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="logins")
    # Logins are kept apart from the customers' rows, which may lie on another node.
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="customer_login", db_constraint=False
    )
    history = history()

    def __str__(self) -> str:
        return f"{self.user} of {self.customer}"

    def clean(self) -> None:
        if self.user_id and (self.user.is_staff or self.user.is_superuser):
            raise ValidationError({"user": "Members of staff see every customer's page without a login of it."})
