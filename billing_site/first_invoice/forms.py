"""What the way to the first invoice asks: who sells, one event, and the few things that lie between it and its line."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from billing_site.first_invoice.event import (
    labels,
    likeliest_measure,
    measures,
    metric_name,
    month_of,
    product_name,
    shown_name,
)
from billing_site.foundation.money import wire_amount
from billing_site.foundation.problems import NAME_LENGTH, REASON_LENGTH
from billing_site.foundation.refusals import Refusal
from contracts.forms.amounts import NumberField
from contracts.forms.instants import HourField
from contracts.forms.prices import ShownRefusal
from contracts.models import Customer
from invoicing.services.first_invoice import FirstInvoiceInput, NewMetricInput, contract_at
from ledger.services.dry_run import Trial, try_event
from pricing.models import PricingUnit, Product, Rate
from pricing.queries import products, rate_cards, units, version_in_force
from pricing.units import USD_ID

NEW = "new"
MOST_OFFERED = 200  # rate cards, customers and products to choose from
LONGEST_BODY = 64 * 1024  # characters; an event is far shorter
USED_ID = (
    "transaction_id: an event with this id is there already for the same customer_id, with other content, and the "
    "first one counts. Paste that one, or give this one an id of its own."
)
EMPTY_BODY = "Paste an event, as your service would send it."


class CompanyForm(ShownRefusal):
    """The least that an invoice says of who sells; the rest stands on the legal entity's own page."""

    name = forms.CharField(max_length=NAME_LENGTH)
    address = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), help_text="As it is printed, line by line.")
    country = forms.CharField(
        required=False, max_length=2, help_text="Two letters, as in DE.", widget=forms.TextInput(attrs={"size": 4})
    )


class TokenForm(ShownRefusal):
    name = forms.CharField(
        label="What will send with it", max_length=NAME_LENGTH, help_text="Its events are listed under this name."
    )
    key = forms.UUIDField(widget=forms.HiddenInput)  # of the token to be, so that a form sent twice makes one
    shown_as = {"id": "name", "scope": "name"}


class PasteForm(ShownRefusal):
    body = forms.CharField(
        label="Paste one event",
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
        help_text="JSON, as it is posted to /v1/ingest; an array of one will do, too. Reading it stores nothing.",
        error_messages={"required": EMPTY_BODY},
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["body"].widget.attrs["class"] += " house-code"

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        if len(body) > LONGEST_BODY:
            raise forms.ValidationError(
                f"This has {len(body):,} characters. Paste one event alone, of at most {LONGEST_BODY:,}."
            )
        return body

    def read(self, *, at: datetime) -> Trial | None:
        """What ingest would say of the event. What is wrong with it stands beside the field then."""
        if not self.is_valid():
            return None
        try:
            trial = try_event(self.cleaned_data["body"].encode(errors="replace"), at=at)
        except Refusal as refusal:
            self.show(refusal)
            return None
        for error in trial.errors:
            self.add_error("body", f"{error.field.removeprefix('[0].')}: {error.rule}.")
        if trial.outcome == "CONFLICT":
            self.add_error("body", USED_ID)
        return None if self.errors else trial


class SetUpForm(ShownRefusal):
    """Everything between an event and its line, filled in from the event. What is there already is chosen, and what its
    names would say is not asked for then."""

    body = forms.CharField(widget=forms.HiddenInput)
    sold = forms.ChoiceField(label="Counted and sold as")
    measure = forms.ChoiceField(label="What is counted")
    metric_name = forms.CharField(label="Name of the metric", max_length=NAME_LENGTH, required=False)
    split_by = forms.MultipleChoiceField(
        label="Split lines by", required=False, widget=forms.CheckboxSelectMultiple, help_text="A line for each value."
    )
    priced_by = forms.MultipleChoiceField(
        label="Price by",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="The price below is for the value of this event; others get theirs on the rate card.",
    )
    product_name = forms.CharField(
        label="Name of the product", max_length=NAME_LENGTH, required=False, help_text="As customers read it."
    )
    rate_card = forms.ChoiceField(label="Rate card")
    rate_card_name = forms.CharField(label="Name of the rate card", max_length=NAME_LENGTH, required=False)
    currency = forms.ModelChoiceField(PricingUnit.objects.none(), empty_label=None, required=False)
    price = NumberField(label="Price of one", help_text="In the currency's main unit: 0.002 is a fifth of a cent.")
    price_from = HourField(required=True, label="From")
    customer = forms.ChoiceField(label="Customer")
    customer_name = forms.CharField(label="Name of the customer", max_length=NAME_LENGTH, required=False)
    contract_from = HourField(required=True, label="Contract from")
    send = forms.BooleanField(
        label="Send this event now",
        required=False,
        help_text="It is kept for good and billed; a trial can be taken back under Usage events.",
    )
    reason = forms.CharField(label="Reason", max_length=REASON_LENGTH, required=False, help_text="Kept in the history.")
    shown_as = {
        "metric": "measure",
        "group_keys": "split_by",
        "product_id": "sold",
        "rate_card_id": "rate_card",
        "currency_id": "currency",
        "customer_id": "customer",
    }
    # What is needed where the choice before it is a new one.
    NEEDED = (("sold", "metric_name"), ("rate_card", "rate_card_name"), ("customer", "customer_name"))

    def __init__(self, trial: Trial, data: Any = None, *, body: str, may_send: bool) -> None:
        assert trial.event is not None
        assert trial.explanation is not None
        self.event, self.owner = trial.event, trial.explanation.owner
        super().__init__(data, initial=self._initial(body))
        self.counted = {each.metric.pk: each for each in trial.explanation.verdicts if _is_chosen_from(each)}
        self.products = {str(found.pk): found for found in self._sold_already()}
        self.cards = {str(card.pk): card for card in rate_cards().order_by("name", "id")[:MOST_OFFERED]}
        self._choices("measure", measures(self.event))
        self._choices("split_by", labels(self.event))
        self._choices("priced_by", labels(self.event))
        self._offer("sold", "A new metric and product", self._what_counts_it())
        self._offer("rate_card", "A new rate card", [(pk, card.name) for pk, card in self.cards.items()])
        self._offer("customer", f"A new customer, {self.event.subject}", self._customers())
        currency: Any = self.fields["currency"]
        currency.queryset = units().filter(is_currency=True).order_by("code")
        if not labels(self.event):
            del self.fields["split_by"], self.fields["priced_by"]
        if not may_send or trial.outcome == "DUPLICATE":
            del self.fields["send"]
        self._as_it_is()
        self.dress()

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        needed = [*self.NEEDED, ("sold", "product_name")]
        for choice, name in needed:
            is_needed = self._is_new(choice) or (name == "product_name" and self._new_of(values) is not None)
            if is_needed and name in self.fields and not values.get(name, "").strip() and name not in self.errors:
                self.add_error(name, "This is needed.")
        if twice := set(values.get("split_by", ())) & set(values.get("priced_by", ())):
            self.add_error("priced_by", f"{min(twice)} cannot do both: split lines by it, or price by it.")
        metric, together = self._new_of(values), {*values.get("split_by", ()), *values.get("priced_by", ())}
        if metric in self.counted and together and together not in map(set, self._group_keys(metric)):
            asked = "priced_by" if values.get("priced_by") else "split_by"
            self.add_error(asked, f"{self._measured_by(metric)} Choose that, or a new metric.")
        return values

    def to_input(self) -> FirstInvoiceInput:
        """What a valid form asks for."""
        values = self.cleaned_data
        sold, is_new = values["sold"], self._is_new("sold")
        aggregation, _, key = values["measure"].partition(":")
        new_of = self._new_of(values)
        card = self.cards.get(values["rate_card"])
        unit = (card.fiat_unit if card else values["currency"] or PricingUnit.objects.get(pk=USD_ID)).to_unit()
        price = values["price"]
        customer = "" if self.owner else values["customer"]
        return FirstInvoiceInput(
            event=self.event,
            contract_from=values.get("contract_from") or month_of(self.event.timestamp),
            product_id=None if is_new or new_of else UUID(sold.partition(":")[2]),
            product_name=values["product_name"],
            metric=NewMetricInput(values["metric_name"], aggregation, key) if is_new else new_of,
            pricing_group_key=tuple(values.get("priced_by", ())) if is_new or new_of else (),
            presentation_group_key=tuple(values.get("split_by", ())) if is_new or new_of else (),
            rate_card_id=card.pk if card else None,
            rate_card_name=values["rate_card_name"],
            currency_id=unit.id,
            price=None if price is None else wire_amount(price, unit),
            price_from=values["price_from"],
            customer_id=None if customer in ("", NEW) else UUID(customer),
            customer_name=values.get("customer_name", ""),
        )

    def show_at(self, path: str, sentence: str) -> None:
        known = self.shown_as.get(path, path) in self.fields
        super().show_at(path, sentence if known else f"{path}: {sentence[:1].lower()}{sentence[1:]}")

    @property
    def measured_by(self) -> list[str]:
        """What a new product may be split and priced by, of each metric that is there."""
        return [self._measured_by(pk) for pk in self.counted]

    @property
    def sends(self) -> bool:
        return bool(self.cleaned_data.get("send"))

    def _initial(self, body: str) -> dict[str, Any]:
        month = month_of(self.event.timestamp)
        return {
            "body": body,
            "measure": likeliest_measure(self.event),
            "metric_name": metric_name(self.event),
            "product_name": product_name(self.event),
            "rate_card_name": "List prices",
            "currency": USD_ID,
            "customer_name": self.event.subject[:NAME_LENGTH],
            "price_from": month,
            "contract_from": month,
            "send": True,
            "reason": "First invoice",
        }

    def _sold_already(self) -> Sequence[Product]:
        sold = products().filter(type=Product.Type.USAGE, versions__billable_metric__in=self.counted).distinct()
        when = self.event.timestamp
        return [
            each
            for each in sold.order_by("name", "id")[:MOST_OFFERED]
            if version_in_force(each, when).billable_metric_id in self.counted
        ]

    def _what_counts_it(self) -> list[tuple[str, str]]:
        """What has counted such events before, products first."""
        said = {pk: f"{each.metric.name}: this event counts as {each.value}" for pk, each in self.counted.items()}
        sold = [(each, version_in_force(each, self.event.timestamp)) for each in self.products.values()]
        named = [
            (f"product:{each.pk}", f"{each.name}, by {said[version.billable_metric_id]}")
            for each, version in sold
            if version.billable_metric_id is not None
        ]
        return [*named, *((f"metric:{pk}", f"A new product, by {text}") for pk, text in said.items())]

    def _customers(self) -> list[tuple[str, str]]:
        found = Customer.objects.filter(archived_at=None).order_by("name", "id")[:MOST_OFFERED]
        return [(str(each.pk), each.name) for each in found]

    def _as_it_is(self) -> None:
        """Who owns the subject is asked no more, and its contract says by which card; else the product is on one."""
        kind, _, sold = self.initial["sold"].partition(":")
        priced = Rate.objects.filter(product=sold, withdrawal=None).order_by("pk") if kind == "product" else ()
        cards = [str(rate.rate_card_id) for rate in priced[:1]]
        if self.owner is None:
            self.initial["customer"] = NEW
        else:
            del self.fields["customer"], self.fields["customer_name"]
            agreed = contract_at(self.owner.pk, self.event.timestamp)
            if agreed is not None:
                cards = [str(agreed.rate_card_id)]
                del self.fields["contract_from"]
        if cards and cards[0] in self.cards:
            self.initial["rate_card"] = cards[0]
        if cards:
            self.fields["price"].help_text = "Empty: as the rate card says already."

    def _offer(self, name: str, new: str, there: list[tuple[str, str]]) -> None:
        """Something new, or what is there; where nothing is, nothing is asked."""
        self._choices(name, [(NEW, new), *there])
        self.initial[name] = there[0][0] if there else NEW
        if not there:
            self.fields[name].widget = forms.HiddenInput()

    def _choices(self, name: str, choices: Any) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    def _is_new(self, name: str) -> bool:
        return bool(self.cleaned_data.get(name) == NEW)

    def _group_keys(self, metric: UUID) -> list[list[str]]:
        keys: list[list[str]] = self.counted[metric].metric.group_keys
        return keys

    def _measured_by(self, metric: UUID) -> str:
        keys = [" and ".join(shown_name(name) for name in key) for key in self._group_keys(metric)]
        return f"{self.counted[metric].metric.name} can be split and priced by {', or by '.join(keys) or 'nothing'}."

    def _new_of(self, values: dict[str, Any]) -> UUID | None:
        """The metric that is there, of a new product."""
        kind, _, pk = str(values.get("sold", "")).partition(":")
        return UUID(pk) if kind == "metric" else None


def _is_chosen_from(verdict: Any) -> bool:
    return verdict.counts and verdict.metric.archived_at is None
