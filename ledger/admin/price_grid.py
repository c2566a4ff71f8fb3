"""The prices of one product on a rate card as a grid, with the combinations that occur in usage among its cells.

It is here because it shows usage. What is published is what was looked at: the page says what would change, and
publishes the same plan or says it anew.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.display import count_text, day_text, unit_sign, unit_text
from billing_site.foundation.periods import DAY, floor_day, format_instant, parse_instant
from billing_site.foundation.refusals import Refusal
from contracts.admin.card_pages import card_of
from contracts.admin.later_shown import later_of_plan
from contracts.admin.planned_shown import CHANGED_SINCE, ShownPlan, ShownPlanned, changes_text, fingerprint
from contracts.admin.price_sheets import later_answers
from contracts.forms.later_prices import UNANSWERED, LaterAnswers
from contracts.forms.price_grid import GridForm, Typed, cell_name, cell_text, more_values, typed_cells
from ledger.admin.grid_layout import Cell, laid_out
from ledger.queries.combinations import Seen, combinations_seen
from pricing import queries
from pricing.engine.tariffs import FLAT
from pricing.models import PricingUnit, Product, ProductVersion, Rate, RateCard
from pricing.queries import Combination, Combinations
from pricing.services import Outcome, PlannedPrice, PriceWasChanged, WantedPrice, plan_prices, publish_prices
from pricing.wording import rate_text, sold_unit, values_text

SEEN_AT_MOST = 2_000


@dataclass(slots=True)
class Grid:
    """What the page is of, and what was typed into it."""

    card: RateCard
    product: Product
    unit: PricingUnit
    at: datetime
    known: int
    start: datetime  # from when on its prices hold
    version: ProductVersion = field(init=False)
    table: Combinations = field(init=False)
    held: dict[Combination, Rate] = field(init=False)
    typed: dict[Combination, Typed] = field(default_factory=dict)
    refused: dict[Combination, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.look(self.known)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.version.pricing_group_key)

    def look(self, known: int) -> None:
        """Read the prices as known at a publication."""
        self.known = known
        self.version = queries.version_in_force(self.product, self.start)
        self.table = queries.combinations(self.card, self.product, self.keys, known=known)
        self.held = self.table.held(self.start)

    def begin(self, form: GridForm, start: datetime) -> None:
        """Go over to the prices of another instant, with what was typed."""
        if tuple(queries.version_in_force(self.product, start).pricing_group_key) != self.keys:
            form.add_error("starting_at", f"From {day_text(start)} on the product has other dimensions.")
            return
        self.start = start
        self.held = self.table.held(start)
        for combination in [each for each in self.typed if not _is_flat(self.held.get(each))]:
            price = f"{values_text(self.values(combination))} costs {rate_text(self.held[combination])} then"
            form.add_error(None, f"{price}: what was typed for it is left out.")
            del self.typed[combination]

    def values(self, combination: Combination) -> dict[str, str]:
        return dict(zip(self.keys, combination, strict=True))

    def plan(self, answers: LaterAnswers) -> list[PlannedPrice]:
        """What publishing the typed prices would do. Raises Refusal."""
        wanted = [
            WantedPrice(self.product.pk, typed.price, self.start, self.values(combination))
            for combination, typed in self.typed.items()
            if typed.price is not None
        ]
        planned = plan_prices(self.card, wanted, withdraws=answers.withdraws)
        for each in planned:
            if each.outcome is Outcome.REFUSED:
                rules = [error.rule for error in each.errors]
                combination = tuple(each.wanted.values[key] for key in self.keys)
                self.refused[combination] = " ".join(f"{rule[:1].upper()}{rule[1:]}." for rule in rules)
        return planned

    def error(self, combination: Combination) -> str:
        typed = self.typed.get(combination)
        return self.refused.get(combination, "") or (typed.error if typed else "")

    @property
    def has_errors(self) -> bool:
        return bool(self.refused) or any(typed.error for typed in self.typed.values())


def price_grid(request: HttpRequest, card_id: UUID, product_id: UUID) -> HttpResponse:
    """A new price for any of a product's combinations: first what would change, then published as one. A product
    without dimensions has its one price on the card's own page.

    The address may name the instant (`from`) and values to have among the others (`value-0` of the first dimension).
    """
    if not request.user.has_perm("pricing.add_rate"):
        raise PermissionDenied
    at = clock.now()
    card, product = _card_and_product(card_id, product_id)
    unit = _unit(card, product)
    plan = None
    if request.method == "POST":
        form = GridForm(request.POST)
        form.is_valid()
        if not {"known", "shown_at"} <= form.cleaned_data.keys():
            raise BadRequest("The grid was sent without saying which prices it has shown.")
        grid = Grid(card, product, unit, at, form.cleaned_data["known"], form.cleaned_data["shown_at"])
        grid.typed = typed_cells(request.POST, grid.keys, grid.held, unit.to_unit())
        if "starting_at" in form.cleaned_data:
            grid.begin(form, form.cleaned_data["starting_at"])
        plan = _published_or_planned(request, grid, form)
        if isinstance(plan, HttpResponse):
            return plan
        form.renew(known=grid.known, shown_at=format_instant(grid.start), seen=plan.seen if plan else "")
    else:
        start = _from(request, at)
        grid = Grid(card, product, unit, at, queries.latest_publication(), start)
        form = GridForm(initial={"starting_at": start, "known": grid.known, "shown_at": format_instant(start)})
    if not grid.keys:
        return HttpResponseRedirect(reverse("admin:pricing_ratecard_price", args=[card.pk, product.pk]))
    context = {
        **admin.site.each_context(request),
        "opts": RateCard._meta,
        "title": f"Prices of {grid.version.name}",
        "card": card,
        "product_id": product.pk,
        "product_name": grid.version.name,
        "form": form,
        "plan": plan,
        "has_errors": grid.has_errors,
        "unit": unit_text(unit.to_unit()),
        "cell_sign": unit_sign(unit.to_unit()),
        "sold_unit": sold_unit(grid.version),
        "when": day_text(grid.start),
        **_shown(request, grid),
    }
    return TemplateResponse(request, "admin/pricing/ratecard/grid.html", context)


def _published_or_planned(request: HttpRequest, grid: Grid, form: GridForm) -> ShownPlan | HttpResponse | None:
    """Publish what whoever asks has looked at; else what would be published. None where something is wrong."""
    wants_publishing, answers = request.POST.get("action") == "publish", later_answers(request)
    try:
        planned = grid.plan(answers) if grid.typed else []
        if not form.is_valid() or grid.has_errors or not planned:
            return None
        if wants_publishing and not form.cleaned_data["reason"]:
            form.add_error("reason", "Say why these prices change.")
        elif wants_publishing and answers.leave_open(later for each in planned for later in each.later):
            form.add_error(None, UNANSWERED)
        elif wants_publishing and form.cleaned_data["seen"] == fingerprint(planned):
            publish_prices(
                grid.card,
                planned,
                known_publication=grid.known,
                reason=form.cleaned_data["reason"],
                at=grid.at,
                by=Actor.of(request),
            )
            said = f"Published: {changes_text(planned)}, of {grid.version.name} from {day_text(grid.start)}."
            messages.success(request, said)
            page = reverse("price_grid", args=[grid.card.pk, grid.product.pk])
            return HttpResponseRedirect(f"{page}?{urlencode({'from': format_instant(grid.start)})}")
        elif wants_publishing:
            form.add_error(None, CHANGED_SINCE)
    except PriceWasChanged as refusal:
        form.show(refusal)
        grid.look(queries.latest_publication())
        return None
    except Refusal as refusal:
        form.show(refusal)
        return None
    rows = [ShownPlanned.of(each, grid.version.name) for each in planned if each.rate is not None]
    untouched = len(grid.held.keys() - grid.typed.keys())
    later = later_of_plan(((each, grid.version.name) for each in planned), answers)
    return ShownPlan.of(grid.card, planned, rows, untouched=untouched, later=later, at=grid.at)


def _shown(request: HttpRequest, grid: Grid) -> dict[str, Any]:
    """The cells, and what there is to say about them."""
    sent = request.POST if request.method == "POST" else request.GET
    added, value_errors = more_values(sent, grid.keys)
    seen = _seen(grid.version)
    used = set(_whole(seen))
    known = {*grid.table.rates, *grid.typed}
    if all(added) and not value_errors:
        known.add(tuple(values[-1] for values in added))
    # Those of usage come last: whoever sends events must not be able to push prices off the page.
    in_order = [*sorted(known), *sorted(used - known)]
    values = [
        sorted({*(combination[index] for combination in in_order), *more}, key=lambda value: (value.casefold(), value))
        for index, more in enumerate([[] for _ in grid.keys] if value_errors else added)
    ]
    blocks, left_out = laid_out(grid.keys, values, in_order, lambda combination: _cell(grid, combination, used))
    unpriced = len(used - grid.held.keys())
    occur = count_text(unpriced, "combination occurs", "combinations occur")
    return {
        "blocks": blocks,
        "left_out": left_out,
        "dimensions": [
            {"key": key, "index": index, "added": more}
            for index, (key, more) in enumerate(zip(grid.keys, added, strict=True))
        ],
        "value_errors": value_errors,
        "unpriced": f"{occur} in usage without a price from {day_text(grid.start)} on: marked below."
        if unpriced
        else "",
        "seen_is_cut": len(seen) == SEEN_AT_MOST,
        "absent": ", ".join(_absent(grid.keys, seen)),
    }


def _cell(grid: Grid, combination: Combination, used: Collection[Combination]) -> Cell:
    rate, typed = grid.held.get(combination), grid.typed.get(combination)
    is_other = not _is_flat(rate)
    values = values_text(grid.values(combination))
    page = reverse("admin:pricing_ratecard_price", args=[grid.card.pk, grid.product.pk])
    is_used = rate is None and combination in used
    return Cell(
        name=cell_name(combination),
        label=f"{values}; used, without a price" if is_used else values,
        text=typed.text if typed else cell_text(rate),
        words=rate_text(rate) if rate is not None and is_other else "",
        change_url=f"{page}?{urlencode(grid.values(combination))}" if is_other else "",
        error=grid.error(combination),
        is_used=is_used,
        is_changed=typed is not None,
        is_entitled=rate is None or rate.entitled,
    )


def _is_flat(rate: Rate | None) -> bool:
    """Whether a cell can say it: it is one number, or nothing yet."""
    return rate is None or rate.rate_type == FLAT


def _seen(version: ProductVersion) -> list[Seen]:
    if version.billable_metric_id is None:
        return []
    return combinations_seen(version.billable_metric_id, version.pricing_group_key, limit=SEEN_AT_MOST)


def _whole(seen: Iterable[Seen]) -> Iterator[Combination]:
    """Those that have a value of every dimension, as a price has to."""
    for combination in seen:
        values = tuple(value for value in combination if value is not None)
        if len(values) == len(combination):
            yield values


def _absent(keys: Sequence[str], seen: Iterable[Seen]) -> list[str]:
    """The dimensions that some event had no value of."""
    seen = list(seen)
    return [key for index, key in enumerate(keys) if any(combination[index] is None for combination in seen)]


def _card_and_product(card_id: UUID, product_id: UUID) -> tuple[RateCard, Product]:
    try:
        return card_of(card_id), queries.product(product_id)
    except Refusal as refusal:
        raise Http404(refusal.message) from refusal


def _unit(card: RateCard, product: Product) -> PricingUnit:
    """What the product is priced in on the card, for ever once it has a price."""
    priced = Rate.objects.filter(rate_card=card, product=product).select_related("unit").order_by("id").first()
    return priced.unit if priced is not None else card.fiat_unit


def _from(request: HttpRequest, at: datetime) -> datetime:
    """The instant that the address names; tomorrow where it names none."""
    try:
        return parse_instant(request.GET["from"])
    except (KeyError, ValueError):
        return floor_day(at) + DAY
