"""The formula of one product on a rate card: its numbers to be changed, or the whole of it to be stated.

What is published is what was looked at: the page says which prices would move, and publishes the same plan or says it
anew.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.display import day_text, exact_text
from billing_site.foundation.periods import DAY, floor_day, format_instant, parse_instant
from billing_site.foundation.refusals import Refusal
from contracts.admin.card_pages import card_of
from contracts.admin.formula_shown import (
    ROWS_SHOWN,
    fingerprint,
    moves_text,
    shown_nodes,
    shown_plan,
    shown_prices,
    shown_statements,
)
from contracts.admin.planned_shown import CHANGED_SINCE, ShownPlan
from contracts.admin.price_sheets import later_answers
from contracts.forms.formulas import FormulaForm, NumbersForm, WholeForm, lines_of
from contracts.forms.later_prices import UNANSWERED, LaterAnswers
from pricing import queries, services
from pricing.engine.formulas import Node
from pricing.models import Formula, PricingUnit, Product, ProductVersion, RateCard
from pricing.wording import sold_unit

MOST_INPUTS = 600  # of more numbers, the formula is changed by its lines
EXAMPLE = Decimal(100)  # in wire units: what such a number is in the major unit


@dataclass(slots=True)
class Page:
    """What the page is of: the formula as it was known at a publication, at an instant."""

    card: RateCard
    product: Product
    at: datetime
    known: int
    start: datetime  # from when on its prices hold
    statements: list[Formula] = field(init=False)
    formula: Formula | None = field(init=False)
    version: ProductVersion = field(init=False)

    def __post_init__(self) -> None:
        self.look(self.known)

    def look(self, known: int) -> None:
        self.known = known
        self.statements = queries.formulas_of(self.card, self.product.pk, at_publication=known)
        self.begin(self.start)

    def begin(self, start: datetime) -> None:
        """Go over to another instant."""
        self.start = start
        self.formula = queries.stated_over_time(self.statements).at(start)
        self.version = queries.version_in_force(self.product, start)

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.formula.to_statement().nodes if self.formula else ()

    @property
    def is_whole_only(self) -> bool:
        """Whether there are no numbers to change, or more than inputs can be sent."""
        return not 0 < len(self.nodes) <= MOST_INPUTS


def formula_page(request: HttpRequest, card_id: UUID, product_id: UUID) -> HttpResponse:
    """Other numbers for the formula of a product, or all of it (`whole`): first what would move, then published as
    one. The address may name the instant (`from`)."""
    if not request.user.has_perm("pricing.add_rate"):
        raise PermissionDenied
    at = clock.now()
    card, product = _card_and_product(card_id, product_id)
    units = queries.units_for(card, product)
    plan = None
    form: NumbersForm | WholeForm
    if request.method == "POST":
        form = WholeForm(units, request.POST) if "whole" in request.POST else NumbersForm(request.POST)
        form.is_valid()
        if not {"known", "shown_at"} <= form.cleaned_data.keys():
            raise BadRequest("The formula was sent without saying which one was shown.")
        page = Page(card, product, at, form.cleaned_data["known"], form.cleaned_data["shown_at"])
        said = _said(page, form, units)
        plan = _published_or_planned(request, page, form, said) if said else None
        if isinstance(plan, HttpResponse):
            return plan
        form.renew(known=page.known, shown_at=format_instant(page.start), seen=plan.seen if plan else "")
    else:
        page = Page(card, product, at, queries.latest_publication(), _from(request, at))
        form = _new_form(page, units, is_whole="whole" in request.GET)
    return TemplateResponse(
        request, "admin/pricing/ratecard/formula.html", _context(request, page, form, units) | {"plan": plan}
    )


def urls(site: admin.AdminSite) -> list[URLPattern]:
    """Beside those of rate cards."""
    route = "<uuid:card_id>/formula/<uuid:product_id>/"
    return [path(route, site.admin_view(formula_page), name="pricing_ratecard_formula")]


def _new_form(page: Page, units: list[PricingUnit], *, is_whole: bool) -> NumbersForm | WholeForm:
    shown = {"starting_at": page.start, "known": page.known, "shown_at": format_instant(page.start)}
    if is_whole or page.is_whole_only:
        entitled = page.formula.entitled if page.formula else True
        return WholeForm(units, initial=shown | {"lines": lines_of(page.formula), "entitled": entitled})
    form = NumbersForm(initial=shown)
    form.typed = {}
    return form


def _said(
    page: Page, form: NumbersForm | WholeForm, units: list[PricingUnit]
) -> services.WholeFormula | services.ChangedNumbers | None:
    """What the form says, once the page is at the instant that it names; None where something is wrong or missing."""
    values = form.cleaned_data
    if isinstance(form, WholeForm):
        if "starting_at" in values:
            page.begin(values["starting_at"])
        form.read(page.version.pricing_group_key)
        if not form.is_valid():
            return None
        unit_id = values.get("unit") or str(units[0].pk)
        own_unit = None if unit_id == str(page.card.fiat_unit_id) else UUID(unit_id)
        return services.WholeFormula(form.nodes, values["entitled"], own_unit)
    if page.is_whole_only:
        raise BadRequest("There are no numbers to change in the formula that was shown.")
    form.read(page.nodes)
    if "starting_at" in values and values["starting_at"] != page.start:
        _go_over(page, form, values["starting_at"])
    elif not form.typed:
        form.add_error(None, "No number was changed.")
    return services.ChangedNumbers(form.to_nodes()) if form.typed and form.is_readable and form.is_valid() else None


def _go_over(page: Page, form: NumbersForm, start: datetime) -> None:
    """To the formula of another instant, with what was typed."""
    shown_at = page.start
    page.begin(start)
    if page.is_whole_only:
        rule = "There is no formula then" if page.formula is None else "The formula has too many numbers then"
        form.add_error("starting_at", f"{rule}: state it as a whole.")
        page.begin(shown_at)
        return
    held = {node.key for node in page.nodes}
    form.leave_out([key for key in form.typed if key not in held], f"of {day_text(start)}")


def _published_or_planned(
    request: HttpRequest,
    page: Page,
    form: FormulaForm,
    said: services.WholeFormula | services.ChangedNumbers,
) -> ShownPlan | HttpResponse | None:
    """Publish what whoever asks has looked at; else what would be published. None where something is wrong."""
    exceptions, reason = form.cleaned_data["exceptions"] or None, form.cleaned_data["reason"]
    answers = later_answers(request)
    try:
        stated = _planned(page, said, exceptions, answers)
        form.has_exceptions = bool(stated.moves.kept)
        if request.POST.get("action") == "publish" and stated.is_news:
            if form.cleaned_data["seen"] != fingerprint(stated):
                form.add_error(None, CHANGED_SINCE)
            elif stated.moves.kept and exceptions is None:
                form.add_error("exceptions", "Choose what becomes of them: they are marked as kept below.")
            elif answers.leave_open(later for _, later in stated.later):
                form.add_error(None, UNANSWERED)
            elif not reason:
                form.add_error("reason", "Say why these prices change.")
            else:
                services.state_formula(
                    page.card.pk,
                    page.product.pk,
                    said,
                    starting_at=page.start,
                    exceptions=exceptions,
                    withdrawing=stated.withdrawn,
                    known_publication=page.known,
                    reason=reason,
                    at=page.at,
                    by=Actor.of(request),
                )
                told = f"Published: {moves_text(stated)}, of {page.version.name} from {day_text(page.start)}."
                messages.success(request, told)
                return HttpResponseRedirect(f"{_url(page)}?{urlencode({'from': format_instant(page.start)})}")
    except services.PriceWasChanged as refusal:
        form.show(refusal)
        page.look(queries.latest_publication())
        return None
    except Refusal as refusal:
        form.show(refusal)
        return None
    return shown_plan(stated, page.version.name, answers, at=page.at)


def _planned(
    page: Page,
    said: services.WholeFormula | services.ChangedNumbers,
    exceptions: str | None,
    answers: LaterAnswers,
) -> services.Stated:
    return services.planned_formula(
        page.card.pk,
        page.product.pk,
        said,
        starting_at=page.start,
        exceptions=exceptions,
        withdraws=answers.withdraws,
    )


def _context(
    request: HttpRequest, page: Page, form: NumbersForm | WholeForm, units: list[PricingUnit]
) -> dict[str, Any]:
    """The formula in force, the prices that it makes, and what was stated over time."""
    prices = []
    if page.formula is not None:
        prices = queries.prices_of_formula(page.formula, at=page.start, at_publication=page.known)
    priced_in = [unit.to_unit() for unit in ([page.formula.unit] if page.formula else units)]
    is_whole = isinstance(form, WholeForm)
    return {
        **admin.site.each_context(request),
        "opts": RateCard._meta,
        "title": f"Formula of {page.version.name}",
        "card": page.card,
        "product_name": page.version.name,
        "sold_unit": sold_unit(page.version),
        "keys": page.version.pricing_group_key,
        "form": form,
        "is_whole": is_whole,
        "has_formula": page.formula is not None,
        "may_change_numbers": is_whole and not page.is_whole_only,
        "url": _url(page),
        "start": format_instant(page.start),
        "when": day_text(page.start),
        "since": day_text(page.formula.starting_at) if page.formula else "",
        "is_entitled": page.formula is None or page.formula.entitled,
        "wire": [(unit.name, f"{EXAMPLE} is {exact_text(EXAMPLE, unit)}") for unit in priced_in],
        "nodes": [] if isinstance(form, WholeForm) else shown_nodes(page.nodes, form.typed),
        "has_errors": isinstance(form, NumbersForm) and not form.is_readable,
        "prices": shown_prices(prices[:ROWS_SHOWN], priced_in[0]),
        "price_count": len(prices),
        "prices_cut": max(0, len(prices) - ROWS_SHOWN),
        "statements": shown_statements(page.statements),
    }


def _url(page: Page) -> str:
    return reverse("admin:pricing_ratecard_formula", args=[page.card.pk, page.product.pk])


def _card_and_product(card_id: UUID, product_id: UUID) -> tuple[RateCard, Product]:
    try:
        card, product = card_of(card_id), queries.product(product_id)
    except Refusal as refusal:
        raise Http404(refusal.message) from refusal
    if product.type != Product.Type.USAGE:
        raise Http404(f"Only usage products are priced by a formula; this is a {product.type} product.")
    return card, product


def _from(request: HttpRequest, at: datetime) -> datetime:
    """The instant that the address names; tomorrow where it names none."""
    try:
        return parse_instant(request.GET["from"])
    except (KeyError, ValueError):
        return floor_day(at) + DAY
