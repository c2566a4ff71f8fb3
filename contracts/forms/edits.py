"""The page on which a contract is edited: every term that one edit may add, remove or change."""

from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.http import QueryDict

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import unit_sign
from billing_site.foundation.refusals import Refusal
from contracts.commit_wording import commit_text
from contracts.forms import (
    amendments,
    charges,
    commitments,
    professional_services,
    providers,
    royalties,
    usage_filters,
    whole_contract,
)
from contracts.forms.amendments import AmendmentFields
from contracts.forms.amounts import MajorField
from contracts.forms.charges import ChargeFields
from contracts.forms.choices import billed_as_last_time
from contracts.forms.commitments import CommitmentFields
from contracts.forms.grants import GrantFields, field_of_grant
from contracts.forms.instalments import refused_instalments
from contracts.forms.override_fields import KINDS, OverrideFields
from contracts.forms.overrides import override_of
from contracts.forms.professional_services import ServiceFields
from contracts.forms.providers import ProviderFields
from contracts.forms.royalties import RoyaltyFields
from contracts.forms.taking_out import TakingOutFields
from contracts.forms.tariffs import TYPES, TariffForm
from contracts.forms.usage_filters import FilterFields
from contracts.forms.whole_contract import WholeFields
from contracts.inputs import (
    EditInput,
    RateInput,
)
from contracts.models import Commit, Contract, ScheduledCharge
from contracts.queries import Agreement, shared_commits
from contracts.recurring_wording import recurring_text
from pricing.queries import default_unit

ALL_OR_NOTHING = "Needed, or leave the section empty."


def as_sent(field: forms.BoundField) -> dict[str, str]:
    """The inputs of a field that is left as it is shown, as a browser sends them; boxes that are not ticked are not."""
    widget, value = field.field.widget, field.value()
    if isinstance(widget, forms.MultiWidget):
        values = widget.decompress(value) or [None] * len(widget.widgets)
        names = widget.widgets_names  # type: ignore[attr-defined]
        parts = zip(widget.widgets, names, values, strict=True)
        return {f"{field.html_name}{end}": str(part.format_value(each) or "") for part, end, each in parts}
    if getattr(widget, "allow_multiple_selected", False):
        return {}
    return {field.html_name: "" if value is None else str(value)}


class Section(NamedTuple):
    """A part of the form, and whether anything is filled in or refused there."""

    title: str
    fields: list[forms.BoundField]
    is_used: bool
    tariff: TariffForm | None


class EditForm(
    Dressed,
    AmendmentFields,
    CommitmentFields,
    OverrideFields,
    ChargeFields,
    ServiceFields,
    GrantFields,
    FilterFields,
    ProviderFields,
    RoyaltyFields,
    TakingOutFields,
    WholeFields,
):
    """Everything that one edit of a contract may do. Sections left empty do nothing.

    With `amends_from` it is an amendment, which only adds, and that is when it begins unless something else is typed.
    """

    based_on_edit = forms.IntegerField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(max_length=2_000, help_text="Why; kept with the edit and shown in the history.")

    # The deal stands open; the rest opens when it is needed.
    DEAL = (CommitmentFields.COMMITMENT, OverrideFields.DISCOUNT)
    MORE = (
        GrantFields.GRANT,
        OverrideFields.TIERED,
        OverrideFields.PRICE,
        ChargeFields.CHARGE,
        ChargeFields.TAKEN_OFF,
        ServiceFields.SERVICE,
        OverrideFields.ENTITLED,
        FilterFields.FILTER,
        ProviderFields.PROVIDER,
        RoyaltyFields.ROYALTY,
        TakingOutFields.TAKING_OUT,
        WholeFields.WHOLE,
    )
    # What an amendment does not change.
    NOT_AMENDED = frozenset(
        {
            *TakingOutFields.TAKING_OUT[1],
            *FilterFields.FILTER[1],
            *ProviderFields.PROVIDER[1],
            *WholeFields.WHOLE[1],
        }
    )
    FILLED_IN = frozenset(
        {
            *("commit_starting_at", "commit_ending_before", "commit_product"),
            *("grant_starting_at", "grant_ending_before", "grant_product"),
            *("charge_product", "off_product", "provider_from", "provider_revenue_from"),
        }
    )
    # What the service calls a field, and which one it is here.
    SHOWN_AS = (
        *amendments.SHOWN_AS,
        *commitments.SHOWN_AS,
        *charges.SHOWN_AS,
        *professional_services.SHOWN_AS,
        *usage_filters.SHOWN_AS,
        *providers.SHOWN_AS,
        *royalties.SHOWN_AS,
        *whole_contract.SHOWN_AS,
    )

    def __init__(
        self,
        agreed: Agreement,
        *args: Any,
        based_on_edit: int = 0,
        amends_from: datetime | None = None,
        **kwargs: Any,
    ) -> None:
        contract, terms = agreed.contract, agreed.terms
        last_billed_as = billed_as_last_time(Commit)
        kwargs["initial"] = {
            "based_on_edit": based_on_edit,
            "amends_from": amends_from,
            "commit_starting_at": contract.billed_through or contract.starting_at,
            "commit_ending_before": terms.ending_before,
            "commit_product": last_billed_as,
            "grant_starting_at": contract.billed_through or contract.starting_at,
            "grant_ending_before": terms.ending_before,
            "grant_product": last_billed_as,
            "charge_product": billed_as_last_time(ScheduledCharge),
            "off_product": billed_as_last_time(ScheduledCharge),
            **whole_contract.standing(terms),
        }
        super().__init__(*args, **kwargs)
        self.amendment_from = amends_from
        if amends_from is None:
            for name in self.AMENDMENT[1]:
                del self.fields[name]
        self.unit = (contract.rate_card.fiat_unit if contract.rate_card else default_unit()).to_unit()
        self.sign = unit_sign(self.unit)
        self.tariff = TariffForm(list(TYPES), self.data if self.is_bound else None, prefix="price")
        for field in self.fields.values():
            if isinstance(field, MajorField):
                field.in_unit(self.unit)
        if contract.rate_card is not None:
            for name in ("discount_products", "tiered_products", "price_product", "entitled_product", "grant_products"):
                choice: Any = self.fields[name]
                choice.queryset = choice.queryset.filter(rates__rate_card=contract.rate_card).distinct()
        self.ranks_explicitly = contract.multiplier_override_prioritization == Contract.Prioritization.EXPLICIT
        if not self.ranks_explicitly:
            for name in ("discount_priority", *(name for name in self.fields if name.startswith("tiered"))):
                del self.fields[name]
        self.offer_configurations(contract.customer_id)
        self.kinds: list[str] = []
        self.granted_as: tuple[str, ...] = ()  # what the service may call what is granted
        self.offer_taking_out(agreed)
        self._offer_payers(agreed)

    def rebased(self, agreed: Agreement, *, based_on_edit: int) -> "EditForm":
        """What was typed here, on what stands now."""
        told: dict[str, Any] = {"based_on_edit": based_on_edit, "amends_from": self.amendment_from}
        fresh = EditForm(agreed, **told)
        assert isinstance(self.data, QueryDict)
        data = self.data.copy()
        data["based_on_edit"] = str(based_on_edit)
        for name in self.STANDING:
            for part, value in as_sent(fresh[name]).items():
                data[f"initial-{part}"] = value
                if name not in self.changed_data:
                    data[part] = value
        rebased = EditForm(agreed, data, **told)
        rebased.is_valid()
        return rebased

    def deal(self) -> list[Section]:
        return self._sections((self.AMENDMENT, *self.DEAL))

    def more(self) -> list[Section]:
        amends = self.amendment_from is not None
        return self._sections(part for part in self.MORE if not (amends and self.NOT_AMENDED.intersection(part[1])))

    def _sections(self, sections: Any) -> list[Section]:
        found = []
        for title, names in sections:
            fields = [self[name] for name in names if name in self.fields]
            if fields:
                typed = set(self.changed_data) - self.FILLED_IN if self.is_bound else set()
                is_used = any(field.name in typed or (self.is_bound and field.errors) for field in fields)
                tariff = self.tariff if "price_product" in names else None
                is_used = is_used or (tariff is not None and tariff.is_typed())
                found.append(Section(title, fields, is_used, tariff))
        return found

    def is_valid(self) -> bool:
        return super().is_valid() and (not self.has_price or self.tariff.is_valid())

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for section, first, *needed in (
            ("commit", "commit_amount", "starting_at", "ending_before", "product"),
            ("grant", "grant_amount", "starting_at", "ending_before", "product"),
            ("charge", "charge_amount", "at", "product"),
            ("off", "off_amount", "at", "product"),
            ("work", "work_most", "quantity", "price", "product"),
            ("discount", "discount", "starting_at"),
            ("tiered", "tiered", "starting_at"),
            ("entitled", "entitled", "starting_at"),
            ("filter", "filter_key", "values", "starting_at"),
            ("royalty", "royalty_type"),
        ):
            self._need(section, first, needed, values)
        for start, needs_end in (("grant_paid_", False), ("charge_", True), ("off_", True)):
            for field, rule in refused_instalments(values, start, needs_end=needs_end):
                if field not in self.errors:
                    self.add_error(field, rule)
        if self.amendment_from is not None:
            for name in self.NOT_AMENDED.intersection(self.changed_data):
                self.add_error(name, amendments.ONLY_ADDS)
        self.has_price = self.tariff.is_typed()
        if self.has_price:
            self._need_each("price", ["starting_at", "product"], values)
        elif self._is_typed("price"):
            self.has_price = True
            self.tariff.add_error("price", ALL_OR_NOTHING)
        return values

    def to_input(self) -> EditInput:
        """The edit that a valid form asks for."""
        values = dict(self.cleaned_data)
        if self.has_price:
            values["price"] = RateInput(**(self.tariff.to_input(self.unit) or {}))
        self.kinds = [kind for kind in KINDS if values.get(kind) is not None]
        promised = self.promises()
        granted_as = (
            "add_credits[0].",
            f"add_commits[{len(promised)}].",
            "add_recurring_credits[0].",
            "add_recurring_commits[0].",
        )
        self.granted_as = granted_as if values["grant_amount"] else ()
        return EditInput(
            **self.amendment(),
            add_overrides=tuple(override_of(kind, values) for kind in self.kinds),
            add_commits=(*promised, *self.grants("PREPAID")),
            add_credits=self.grants("CREDIT"),
            add_recurring_commits=self.recurring_grants("PREPAID"),
            add_recurring_credits=self.recurring_grants("CREDIT"),
            add_scheduled_charges=self.charges(),
            add_discounts=self.discounts(),
            add_professional_services=self.professional_services(),
            add_usage_filters=self.usage_filters(),
            add_reseller_royalties=self.royalties(),
            **self.provider_updates(),
            **self.taken_out(),
            **self.whole(),
            reason=values["reason"],
            based_on_edit=values["based_on_edit"],
        )

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            told = error.field if self.amendment_from is None else amendments.ADDED.sub(r"add_\1", error.field, count=1)
            head, found, path = told.partition("].overwrite_rate.")
            if found and head.startswith("add_overrides["):
                self.tariff.show(path, error.rule)
            else:
                self.add_error(self._field_of(told), error.rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _field_of(self, path: str) -> str | None:
        for position, kind in enumerate(self.kinds):
            prefix = f"add_overrides[{position}]."
            if path.startswith(prefix):
                return self.field_of_override(kind, path.removeprefix(prefix))
        for start in self.granted_as:
            if path.startswith(start):
                return field_of_grant(path.removeprefix(start))
        for start, name in self.SHOWN_AS:
            if path.startswith(start):
                return name
        return next((name for name in self.fields if path.split("[")[0] == name), None)

    def _need(self, section: str, first: str, needed: list[str], values: dict[str, Any]) -> None:
        """All of a section, or nothing. What the page fills in by itself (FILLED_IN) asks for nothing."""
        if first in self.errors:
            return
        if values.get(first) is not None:
            self._need_each(section, needed, values)
        elif self._is_typed(section):
            self.add_error(first, ALL_OR_NOTHING)

    def _is_typed(self, section: str) -> bool:
        typed = set(self.changed_data) - self.FILLED_IN
        return any(name.startswith(f"{section}_") for name in typed)

    def _need_each(self, section: str, needed: list[str], values: dict[str, Any]) -> None:
        for name in needed:
            field = f"{section}_{name}"
            if values.get(field) in (None, "") and field not in self.errors:
                self.add_error(field, "Needed.")

    def _offer_payers(self, agreed: Agreement) -> None:
        """Whatever can pay, of the contract and of its customer."""
        shared = shared_commits(agreed.contract.customer_id)
        held = [(each.commit.pk, commit_text(each)) for each in (*agreed.commits, *shared)]
        held += [(each.now.recurring_id, recurring_text(each.now)) for each in agreed.recurring]
        for kind in ("discount", "tiered", "price"):
            for name in (f"{kind}_payers", f"{kind}_target"):
                if not held:
                    self.fields.pop(name, None)
            if f"{kind}_payers" in self.fields:
                self.offer(f"{kind}_payers", held)
