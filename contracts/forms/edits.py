"""The page on which a contract is edited: every term that one edit may add, remove or change."""

from typing import Any
from uuid import UUID

from django import forms

from billing_site.foundation.admin import Dressed
from billing_site.foundation.refusals import Refusal
from contracts.forms.instants import InstantField
from contracts.inputs import (
    UNCHANGED,
    AccessScheduleInput,
    CommitInput,
    EditInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    OverrideInput,
    RateInput,
    ScheduledChargeInput,
    SegmentInput,
    TargetInput,
)
from contracts.queries import Agreement
from pricing.forms import LinesField
from pricing.models import Product


class ProductChoice(forms.ModelChoiceField):
    """One product by name; it has no price of its own where it is FIXED."""

    def __init__(self, kind: str, **options: Any) -> None:
        products = Product.objects.filter(type=kind, archived_at=None).order_by("name", "id")
        super().__init__(products, required=False, **options)


class EditForm(Dressed, forms.Form):
    """Everything that one edit of a contract may do. Sections left empty do nothing."""

    reason = forms.CharField(widget=forms.TextInput(attrs={"size": 80}), help_text="Why; kept with the edit.")
    uniqueness_key = forms.CharField(required=False, max_length=128, help_text="An edit with a used key is refused.")

    commit_product = ProductChoice("FIXED", label="Product", help_text="Names the line on the bill.")
    commit_name = forms.CharField(required=False, max_length=160, label="Name")
    commit_amount = forms.DecimalField(
        required=False, label="Amount", help_text="In the unit of the rate card: US dollars in cents."
    )
    commit_starting_at = InstantField(label="Access from")
    commit_ending_before = InstantField(label="Access up to")
    commit_true_up_at = InstantField(label="True-up on", help_text="Not before the end of access.")

    multiplier = forms.DecimalField(required=False, help_text="0.5 is half the list price.")
    multiplier_products = forms.ModelMultipleChoiceField(
        Product.objects.filter(archived_at=None).exclude(type__in=["FIXED", "PRO_SERVICE"]).order_by("name", "id"),
        required=False,
        label="Products",
        help_text="None: all products.",
    )
    multiplier_tags = LinesField(label="Or tags", help_text="One a line; a product must have any of them.")
    multiplier_priority = forms.DecimalField(
        required=False, label="Priority", help_text="Where the contract ranks multipliers explicitly: the lowest holds."
    )
    multiplier_starting_at = InstantField(label="From")
    multiplier_ending_before = InstantField(label="Up to", help_text="On the hour, UTC; empty: open.")

    price = forms.DecimalField(required=False, help_text="For one unit; US dollars in cents.")
    price_product = ProductChoice("USAGE", label="Product")
    price_group_values = forms.JSONField(
        required=False,
        initial=dict,
        label="Pricing group values",
        widget=forms.Textarea(attrs={"rows": 3, "cols": 40}),
        help_text='{"model": "xl"}',
    )
    price_starting_at = InstantField(label="From")
    price_ending_before = InstantField(label="Up to", help_text="On the hour, UTC; empty: open.")

    entitled = forms.NullBooleanField(required=False, widget=forms.NullBooleanSelect, label="Is part of the deal")
    entitled_product = ProductChoice("USAGE", label="Product")
    entitled_starting_at = InstantField(label="From")
    entitled_ending_before = InstantField(label="Up to", help_text="On the hour, UTC; empty: open.")

    charge_product = ProductChoice("FIXED", label="Product", help_text="Names the line on the bill.")
    charge_name = forms.CharField(required=False, max_length=160, label="Name")
    charge_amount = forms.DecimalField(required=False, label="Amount", help_text="US dollars in cents.")
    charge_at = InstantField(label="Billed on", help_text="UTC; any time of the day.")

    remove_overrides = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    archive_commits = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    archive_scheduled_charges = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    name = forms.CharField(required=False, max_length=160)
    ending_before = InstantField(label="End", help_text="On the hour, UTC; empty: open.")
    net_payment_terms_days = forms.DecimalField(required=False)

    SECTIONS = (
        ("Why", ("reason", "uniqueness_key")),
        (
            "Add a postpaid commit",
            (
                "commit_product",
                "commit_name",
                "commit_amount",
                "commit_starting_at",
                "commit_ending_before",
                "commit_true_up_at",
            ),
        ),
        (
            "Add a multiple of the list price",
            (
                "multiplier",
                "multiplier_products",
                "multiplier_tags",
                "multiplier_priority",
                "multiplier_starting_at",
                "multiplier_ending_before",
            ),
        ),
        (
            "Add a price of its own",
            ("price", "price_product", "price_group_values", "price_starting_at", "price_ending_before"),
        ),
        (
            "Put a product into the deal, or take it out",
            ("entitled", "entitled_product", "entitled_starting_at", "entitled_ending_before"),
        ),
        ("Add a scheduled charge", ("charge_product", "charge_name", "charge_amount", "charge_at")),
        ("Remove", ("remove_overrides", "archive_commits", "archive_scheduled_charges")),
        ("The contract as a whole", ("name", "ending_before", "net_payment_terms_days")),
    )
    # What the service calls a field, and which one it is here.
    SHOWN_AS = (
        ("add_commits[0].access_schedule.schedule_items[0].amount", "commit_amount"),
        ("add_commits[0].access_schedule.schedule_items[0].starting_at", "commit_starting_at"),
        ("add_commits[0].access_schedule.schedule_items[0].ending_before", "commit_ending_before"),
        ("add_commits[0].invoice_schedule", "commit_true_up_at"),
        ("add_commits[0]", "commit_product"),
        ("add_scheduled_charges[0].schedule.schedule_items[0].amount", "charge_amount"),
        ("add_scheduled_charges[0].schedule", "charge_at"),
        ("add_scheduled_charges[0]", "charge_product"),
        ("update_contract_end_date", "ending_before"),
        ("update_contract_name", "name"),
        ("update_net_payment_terms_days", "net_payment_terms_days"),
    )

    def __init__(self, agreed: Agreement, *args: Any, **kwargs: Any) -> None:
        terms = agreed.terms
        kwargs["initial"] = {
            "name": terms.name,
            "ending_before": terms.ending_before,
            "net_payment_terms_days": terms.net_payment_terms_days,
        }
        super().__init__(*args, **kwargs)
        self.kinds: list[str] = []
        self._offer("remove_overrides", [(override.pk, str(override)) for override in agreed.overrides])
        self._offer("archive_commits", [(each.commit.pk, str(each.commit)) for each in agreed.commits])
        self._offer("archive_scheduled_charges", [(each.charge.pk, str(each.charge)) for each in agreed.charges])

    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Titles with their fields, for the page."""
        return [(title, [self[name] for name in names if name in self.fields]) for title, names in self.SECTIONS]

    def clean_price_group_values(self) -> dict[str, Any]:
        values = self.cleaned_data["price_group_values"] or {}
        if not isinstance(values, dict):
            raise forms.ValidationError('Write an object: {"model": "xl"}.')
        return values

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        self._need("commit", values, "product", "amount", "starting_at", "ending_before", "true_up_at")
        self._need("charge", values, "product", "amount", "at")
        for section, first in (("multiplier", "multiplier"), ("price", "price"), ("entitled", "entitled")):
            given = [name for name in self.fields if name.startswith(f"{section}_") and values.get(name)]
            if given and values.get(first) is None and first not in self.errors:
                self.add_error(first, "Needed, or leave the section empty.")
            if values.get(first) is not None and not values.get(f"{section}_starting_at"):
                self.add_error(f"{section}_starting_at", "Needed.")
        return values

    def to_input(self) -> EditInput:
        """The edit that a valid form asks for."""
        values, changed = self.cleaned_data, set(self.changed_data)
        self.kinds = [kind for kind in ("multiplier", "price", "entitled") if values[kind] is not None]
        return EditInput(
            add_overrides=tuple(self._override(kind) for kind in self.kinds),
            add_commits=(self._commit(),) if values["commit_amount"] is not None else (),
            add_scheduled_charges=(self._charge(),) if values["charge_amount"] is not None else (),
            remove_overrides=self._ids("remove_overrides"),
            archive_commits=self._ids("archive_commits"),
            archive_scheduled_charges=self._ids("archive_scheduled_charges"),
            update_contract_end_date=values["ending_before"] if "ending_before" in changed else UNCHANGED,
            update_contract_name=values["name"] if "name" in changed else UNCHANGED,
            update_net_payment_terms_days=(
                values["net_payment_terms_days"] if "net_payment_terms_days" in changed else UNCHANGED
            ),
            uniqueness_key=values["uniqueness_key"] or None,
            reason=values["reason"],
        )

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            self.add_error(self._field_of(error.field), error.rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _field_of(self, path: str) -> str | None:
        for position, kind in enumerate(self.kinds):
            prefix = f"add_overrides[{position}]."
            if path.startswith(prefix):
                return self._field_of_override(kind, path.removeprefix(prefix))
        for start, name in self.SHOWN_AS:
            if path.startswith(start):
                return name
        return next((name for name in self.fields if path.split("[")[0] == name), None)

    def _field_of_override(self, kind: str, name: str) -> str:
        if name in ("starting_at", "ending_before", "priority") and f"{kind}_{name}" in self.fields:
            return f"{kind}_{name}"
        if "pricing_group_values" in name:
            return "price_group_values"
        if "product_id" in name:
            return f"{kind}_products" if kind == "multiplier" else f"{kind}_product"
        return "multiplier_tags" if "tags" in name else kind

    def _need(self, section: str, values: dict[str, Any], *names: str) -> None:
        """All of a section, or nothing."""
        missing = [name for name in names if values.get(f"{section}_{name}") in (None, "")]
        if 0 < len(missing) < len(names) or (missing and values.get(f"{section}_name")):
            for name in missing:
                if f"{section}_{name}" not in self.errors:
                    self.add_error(f"{section}_{name}", "Needed, or leave the section empty.")

    def _commit(self) -> CommitInput:
        values = self.cleaned_data
        amount = values["commit_amount"]
        segment = SegmentInput(amount, values["commit_starting_at"], values["commit_ending_before"])
        true_up = InvoiceItemInput(values["commit_true_up_at"], amount=amount)
        return CommitInput(
            product_id=values["commit_product"].pk,
            type="POSTPAID",
            access_schedule=AccessScheduleInput((segment,)),
            invoice_schedule=InvoiceScheduleInput((true_up,)),
            name=values["commit_name"],
        )

    def _charge(self) -> ScheduledChargeInput:
        values = self.cleaned_data
        item = InvoiceItemInput(values["charge_at"], amount=values["charge_amount"])
        return ScheduledChargeInput(
            values["charge_product"].pk, InvoiceScheduleInput((item,)), name=values["charge_name"]
        )

    def _override(self, kind: str) -> OverrideInput:
        values = self.cleaned_data
        start, end = values[f"{kind}_starting_at"], values[f"{kind}_ending_before"]
        if kind == "multiplier":
            return OverrideInput(
                start,
                end,
                type="MULTIPLIER",
                multiplier=values["multiplier"],
                priority=values["multiplier_priority"],
                applicable_product_tags=tuple(values["multiplier_tags"]),
                override_specifiers=tuple(TargetInput(product.pk) for product in values["multiplier_products"]),
            )
        product = values[f"{kind}_product"]
        product_id = product.pk if product else None
        if kind == "entitled":
            return OverrideInput(start, end, entitled=values["entitled"], product_id=product_id)
        target = TargetInput(product_id, pricing_group_values=values["price_group_values"])
        return OverrideInput(
            start,
            end,
            type="OVERWRITE",
            overwrite_rate=RateInput("FLAT", values["price"]),
            override_specifiers=(target,),
        )

    def _ids(self, name: str) -> tuple[UUID, ...]:
        return tuple(UUID(term_id) for term_id in self.cleaned_data.get(name, ()))

    def _offer(self, name: str, choices: list[tuple[UUID, str]]) -> None:
        """A box for each standing term; no field where there is none."""
        if choices:
            self.fields[name].choices = [(str(pk), label) for pk, label in choices]  # type: ignore[attr-defined]
        else:
            del self.fields[name]
