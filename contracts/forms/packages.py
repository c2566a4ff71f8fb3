"""The form in which a package is made: what contracts made from it are, and their terms counted from their start."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from django import forms

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import unit_sign
from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import Unit
from billing_site.foundation.problems import NAME_LENGTH, REASON_LENGTH
from billing_site.foundation.refusals import Refusal
from contracts.forms import package_templates as parts
from contracts.forms.amounts import NumberField
from contracts.forms.contracts import PRIORITIZATIONS
from contracts.forms.instants import InstantField
from contracts.forms.offsets import OffsetField
from contracts.forms.package_copies import Filled, filled_in
from contracts.forms.package_paths import field_of
from contracts.forms.package_rows import (
    ANEW,
    CHARGE,
    COMMIT,
    IN,
    KINDS,
    MOST_TIMES,
    OUT,
    OVERRIDE,
    PRICE,
    STEPS,
    SUBSCRIPTION,
    Kind,
    Offered,
    Rows,
    called,
    fields_of,
)
from contracts.forms.rows import NEEDED, RowsForm, Section
from contracts.forms.tariffs import TYPES, TariffForm
from contracts.inputs import RateInput
from contracts.models import Commit, Contract, ContractTerms, Package, ProviderConfiguration, RecurringCommit
from contracts.offsets import series
from contracts.services import PackageInput
from contracts.services.checks import KEY_LENGTH
from contracts.terms import QUANTITY, UNITS
from pricing.models import PricingUnit, Product, RateCard
from pricing.queries import default_unit, unit_of_product
from pricing.services.rate_cards import Alias

ALIAS = ("name", "starting_at", "ending_before")
DAYS = [("FIRST_OF_MONTH", "the first of the month"), ("CONTRACT_START", "the contract's start")]


class PackageForm(Dressed, RowsForm):
    """Rows left empty are none. A package never changes once it is made.

    `like` is one to begin with, and `left` what of it cannot be typed here.
    """

    use_required_attribute = False  # what is missing is said beside its field

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)  # sent twice, it is made once
    name = forms.CharField(max_length=NAME_LENGTH, label="Name of the package")
    contract_name = forms.CharField(required=False, max_length=NAME_LENGTH, label="What its contracts are called")
    duration = OffsetField(label="Contracts run for", least=1, help_text="Empty: without end.")
    end_policy = forms.ChoiceField(required=False, choices=ContractTerms.EndPolicy.choices, label="At its end")
    rate_card = forms.ModelChoiceField(
        RateCard.objects.filter(archived_at=None).select_related("fiat_unit").order_by("name", "id"), required=False
    )
    rate_card_alias = forms.CharField(
        required=False, max_length=NAME_LENGTH, label="Or an alias of one", help_text="As it is at a contract's start."
    )
    frequency = forms.ChoiceField(
        choices=Contract.Frequency.choices, initial=Contract.Frequency.MONTHLY, label="Usage is billed"
    )
    day = forms.ChoiceField(choices=DAYS, label="Billing periods are counted from")
    invoice_from = OffsetField(label="Invoice usage from", help_text="After the start; empty: from it on.")
    net_payment_terms_days = NumberField(label="Due within days", help_text="Empty: as the legal entity says.")
    multiplier_override_prioritization = forms.ChoiceField(choices=PRIORITIZATIONS, label="Of several discounts holds")
    scheduled_charges_on_usage_invoices = forms.ChoiceField(
        required=False, choices=Contract.Charges.choices, label="What is charged on a date"
    )
    billing_provider = forms.ChoiceField(
        required=False,
        choices=[("", "---"), *ProviderConfiguration.Provider.choices],
        help_text="A customer needs one configuration of it; nothing is sent.",
    )
    delivery_method = forms.ChoiceField(
        required=False, choices=[("", "---"), *ProviderConfiguration.Delivery.choices], label="Delivered"
    )
    uniqueness_key = forms.CharField(
        required=False, max_length=KEY_LENGTH, help_text="For machines: a package with a used key is refused."
    )
    reason = forms.CharField(required=False, max_length=REASON_LENGTH, help_text="Why; kept in the history.")

    KINDS = ("alias", *(kind.name for kind in KINDS))

    def __init__(self, data: Any = None, *, like: Package | None = None) -> None:
        super().__init__(data)
        template = like.template if like and not self.is_bound else {}
        self.told: dict[str, list[tuple[Kind, int]]] = {}  # the rows of which the service is told, by list
        self.priced: list[int] = []  # the overrides that are a price of their own
        self.card = self._card(template.get("rate_card_id", ""))
        self.offered = self._offered()
        filled = filled_in(like.name, template, self.offered, self.card) if like and template else Filled()
        self.initial = {**self.initial, **filled.initial}
        self.left = filled.left
        for place in self.places("alias", spare=1):
            self.fields[f"alias_{place}_name"] = forms.CharField(
                required=False, max_length=NAME_LENGTH, label="Also known as"
            )
            self.fields[f"alias_{place}_starting_at"] = InstantField(label="From", help_text="Empty: ever since.")
            self.fields[f"alias_{place}_ending_before"] = InstantField(
                label="Up to (not including)", help_text="Empty: for good."
            )
        others = Rows(
            self._named(SUBSCRIPTION, "subscription {}"),
            [*self._named(COMMIT, "Balance {}"), *self._named(ANEW, "What is granted anew, {}")],
        )
        for kind in KINDS:
            for place in self.places(kind.name, spare=1):
                start = f"{kind.name}_{place}_"
                held = self._held(self.typed(f"{start}held_in") or self.initial.get(f"{start}held_in", ""))
                for name, field in fields_of(kind, self.offered, held, others):
                    self.fields[f"{start}{name}"] = field
        places = self.places(OVERRIDE.name, spare=1)
        self.tariffs = [
            TariffForm(
                list(TYPES),
                self.data if self._is_sent(place) else None,
                prefix=f"tariff_{place}",
                tariff=filled.tariffs.get(place),
                unit=self.offered.money,
            )
            for place in places
        ]
        self.sign = unit_sign(self.offered.money)
        self.dress()

    def sections(self) -> Iterator[Section]:
        names = (
            ("name", "contract_name", "duration", "end_policy"),
            ("rate_card", "rate_card_alias", "multiplier_override_prioritization"),
            ("frequency", "day", "invoice_from"),
            ("net_payment_terms_days", "scheduled_charges_on_usage_invoices"),
            ("billing_provider", "delivery_method", "uniqueness_key"),
        )
        yield Section("Contracts made from it", [[self[name] for name in row] for row in names])
        yield Section("Also known as", self.in_rows("alias", ALIAS, spare=1), "Made later, it takes a name over.")
        for kind in KINDS:
            places = self.places(kind.name, spare=1)
            rows: list[Any] = []
            for place in places:
                rows += ([self[f"{kind.name}_{place}_{name}"] for name in line] for line in kind.lines)
                rows += [self.tariffs[place]] if kind is OVERRIDE else []
            yield Section(kind.title, rows, kind.help, is_aside=True, is_used=bool(self.filled(kind.name)))

    def is_valid(self) -> bool:
        are_read = [self.tariffs[place].is_valid() for place in self.priced] if super().is_valid() else [False]
        return all(are_read)

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        self._clean_tariffs()
        for kind in KINDS:
            for place in self.rows_of(kind.name, kind.fields):
                self._clean_row(kind, f"{kind.name}_{place}_")
        for place in self.rows_of("alias", ALIAS):
            self._need(f"alias_{place}_name")
        return values

    def to_input(self) -> PackageInput:
        """The package that a valid form asks for."""
        values = self.cleaned_data
        aliases = [Alias(*self.values_of(f"alias_{place}_", ALIAS)) for place in self.rows_of("alias", ALIAS)]
        return PackageInput(values["name"], self._template(), aliases, values["uniqueness_key"] or str(values["key"]))

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            head, found, path = error.field.partition("].overwrite_rate.")
            if found:
                _, place = self.told["overrides"][int(head.removeprefix("overrides["))]
                self.tariffs[place].show(path, error.rule)
                continue
            field = field_of(error.field, self.told, self.rows_of("alias", ALIAS))
            self.add_error(field if field in self.fields else None, error.rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _template(self) -> Mapping[str, Any]:
        values = self.cleaned_data
        card = values["rate_card"]
        schedule = {"frequency": values["frequency"], "day": values["day"]}
        if values["invoice_from"] is not None:
            schedule["invoice_generation_starting_at_offset"] = values["invoice_from"]
        given = {
            "contract_name": values["contract_name"],
            "duration": values["duration"],
            "rate_card_id": card.pk if card else None,
            "rate_card_alias": values["rate_card_alias"],
            "net_payment_terms_days": values["net_payment_terms_days"],
            "billing_provider": values["billing_provider"],
            "delivery_method": values["delivery_method"],
            "scheduled_charges_on_usage_invoices": values["scheduled_charges_on_usage_invoices"],
        }
        return {
            **{name: value for name, value in given.items() if value not in (None, "")},
            "end_policy": values["end_policy"] or ContractTerms.EndPolicy.STOP,
            "usage_statement_schedule": schedule,
            "multiplier_override_prioritization": values["multiplier_override_prioritization"],
            **self._parts(),
        }

    def _parts(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        self.told = {}
        for kind in KINDS:
            for place in self.rows_of(kind.name, kind.fields):
                row = {name: self.cleaned_data[f"{kind.name}_{place}_{name}"] for name in kind.fields}
                name, part = self._part(kind, place, row)
                found.setdefault(name, []).append(part)
                self.told.setdefault(name, []).append((kind, place))
        return found

    def _part(self, kind: Kind, place: int, row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        if kind is OVERRIDE:
            rate = self.tariffs[place].to_input(self.offered.money) if place in self.priced else None
            return "overrides", parts.override_part(row, None if rate is None else RateInput(**rate))
        if kind is COMMIT:
            return "credits" if row["kind"] == Commit.Type.CREDIT else "commits", parts.commit_part(
                row, called=called(kind, place)
            )
        if kind is CHARGE:
            return "scheduled_charges", parts.charge_part(row)
        if kind is SUBSCRIPTION:
            unit = unit_of_product(self.cleaned_data["rate_card"], row["product"]).to_unit()
            return "subscriptions", parts.subscription_part(row, unit, called=called(kind, place))
        is_commit = row["kind"] == RecurringCommit.Type.PREPAID
        return "recurring_commits" if is_commit else "recurring_credits", parts.anew_part(
            row, called=called(kind, place)
        )

    def _clean_row(self, kind: Kind, start: str) -> None:
        row = {name: self.cleaned_data.get(f"{start}{name}") for name in kind.fields}
        for name in _needed(kind, row):
            self._need(f"{start}{name}")
        if kind is OVERRIDE and row["target"] == "COMMIT_RATE" and not row["payers"]:
            self.add_error(f"{start}payers", "Needed: commit rates are charged only while a commit or credit pays.")
        if kind is ANEW and row["of"] and row["quantity"] is not None:
            self.add_error(f"{start}quantity", "Leave this empty: the subscription says how many there are.")
        self._clean_series(start, row, "times", "after", "lasts")
        self._clean_series(start, row, "paid_times", "paid_at", "paid_each")

    def _is_sent(self, place: int) -> bool:
        """Whether the row of an override was there to be filled in; the empty one after those is new."""
        return any(name.startswith((f"{OVERRIDE.name}_{place}_", f"tariff_{place}-")) for name in self.data)

    def _clean_tariffs(self) -> None:
        """A price that is typed is that of a row which says so, and the other way round."""
        self.priced = []
        for place, tariff in enumerate(self.tariffs):
            what = f"{OVERRIDE.name}_{place}_what"
            if self.cleaned_data.get(what) == PRICE:
                self.priced.append(place)
                if not tariff.is_typed():
                    tariff.add_error("price", NEEDED)
            elif tariff.is_typed() and what not in self.errors:
                self.add_error(what, "Choose “A price of its own”, or leave the price below empty.")

    def _clean_series(self, start: str, row: Mapping[str, Any], times: str, first: str, step: str) -> None:
        count = row.get(times)
        if count is None:
            return
        if count != count.to_integral_value() or not 1 <= count <= MOST_TIMES:
            self.add_error(f"{start}{times}", f"Must be a whole number from 1 to {MOST_TIMES}.")
        elif count > 1 and row[step] is None:
            self._need(f"{start}{step}")
        elif count > 1 and row[first] is not None:
            try:
                series(row[first], row[step], int(count))
            except ValueError:
                rule = "Write both in days and weeks, or both in months and years: one is counted from the other."
                self.add_error(f"{start}{step}", rule)

    def _need(self, field: str) -> None:
        if self.cleaned_data.get(field) in (None, "") and field not in self.errors:
            self.add_error(field, NEEDED)

    def _named(self, kind: Kind, words: str) -> list[tuple[str, str]]:
        return [(called(kind, place), words.format(place + 1)) for place in self.places(kind.name, spare=1)]

    def _held(self, typed: str) -> Unit:
        return UNITS if typed == QUANTITY else self.offered.held.get(typed, self.offered.money)

    def _card(self, stands: str) -> RateCard | None:
        choice = cast(Any, self.fields["rate_card"])
        cards = {str(card.pk): card for card in choice.queryset}
        return cards.get(self.typed("rate_card") or stands)

    def _offered(self) -> Offered:
        """Four queries, whatever the number of rows."""
        by_type: dict[str, list[tuple[str, str]]] = {}
        for product in Product.objects.filter(archived_at=None).order_by("name", "id"):
            by_type.setdefault(product.type, []).append((str(product.pk), product.name))
        fixed, subscribed = (by_type.get(type_, []) for type_ in ("FIXED", "SUBSCRIPTION"))
        priced = sorted(
            (each for type_ in ("USAGE", "COMPOSITE", "SUBSCRIPTION") for each in by_type.get(type_, [])),
            key=lambda each: each[1],
        )
        custom = {str(each.pk): each for each in PricingUnit.objects.filter(archived_at=None, is_currency=False)}
        return Offered(
            fixed,
            subscribed,
            priced,
            (self.card.fiat_unit if self.card else default_unit()).to_unit(),
            {pk: each.to_unit() for pk, each in custom.items()},
            [
                ("", "Money of the contract"),
                *((pk, str(each)) for pk, each in custom.items()),
                (QUANTITY, "Units of what is sold"),
            ],
        )


def _needed(kind: Kind, row: Mapping[str, Any]) -> Iterator[str]:
    if kind is OVERRIDE:
        if row["what"] in (IN, OUT, PRICE):
            yield "product"
        else:
            yield "steps" if row["what"] == STEPS else "percent"
        return
    yield "product"
    if kind is COMMIT:
        yield from ("amount", "lasts")
    elif kind is ANEW:
        yield "amount"
    elif kind is CHARGE:
        yield "price"
    elif not row["seat_group_key"]:
        yield "quantity"
