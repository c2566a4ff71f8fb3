"""Search over everything (Ctrl+K): what somebody may see, by name, number, id, alias or transaction id.

A fixed number of queries, each answered by an index and bounded; nothing is kept between two searches, so that nobody
is shown what a moment ago somebody else might see.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst

from billing_site.foundation.display import amount_text
from billing_site.foundation.transactions import read_snapshot
from billing_site.navigation import sidebar
from contracts.models import Commit, Contract, Customer
from contracts.queries.found import commits_called, contracts_called, customers_called, subjects_called
from invoicing.models import Invoice
from invoicing.wording import invoice_text
from ledger.queries.glance import subjects_with_id
from pricing.models import BillableMetric, Product, RateCard

SHORTEST, LONGEST = 2, 128  # characters of what is searched
SHOWN = 5  # of a kind


@dataclass(frozen=True, slots=True)
class Result:
    """As the skin's list shows it."""

    title: str
    description: str
    link: str
    icon: str


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that can be found, and the permission that it takes."""

    permission: str
    find: Callable[[str], Iterator[Result]]


def search_view(request: HttpRequest) -> HttpResponse:
    """GET with `s`, what is searched. An answer for the list that is opened by Ctrl+K."""
    began = perf_counter()
    text = request.GET.get("s", "").replace("\0", "").strip()[:LONGEST]
    results = everything(request, text) if len(text) >= SHORTEST else []
    pages = Paginator(results, max(len(results), 1))
    return TemplateResponse(
        request,
        "unfold/helpers/command_results.html",
        {
            "page_obj": pages,
            "results": pages.page(1),
            "page_counter": 0,
            "execution_time": perf_counter() - began,
            "command_show_history": False,
        },
        headers={"HX-Trigger": "search"},
    )


def everything(request: HttpRequest, text: str) -> list[Result]:
    """What the person who asks may see of what is called like this; pages of the back office first."""
    kinds = _of_id(UUID(text)) if _is_id(text) else _of_text()
    with read_snapshot():
        found = [result for kind in kinds if request.user.has_perm(kind.permission) for result in kind.find(text)]
    return [*_pages(request, text), *found]


def _pages(request: HttpRequest, text: str) -> Iterator[Result]:
    for group in sidebar(request):
        for item in group["items"]:
            if text.lower() in item["title"].lower():
                yield Result(item["title"], group["title"] or "Page", item["link"], item["icon"])


def _of_text() -> Sequence[Kind]:
    return (
        Kind("invoicing.view_invoice", _invoices),
        Kind("contracts.view_customer", _customers),
        Kind("contracts.view_customer", _aliases),
        Kind("contracts.view_contract", _contracts),
        Kind("contracts.view_commit", _commits),
        *(_catalog(model, icon) for model, icon in CATALOG),
        Kind("ledger.view_ingestcall", _events),
    )


def _invoices(text: str) -> Iterator[Result]:
    rows = Invoice.objects.filter(number__startswith=text.upper()).select_related("customer", "unit")
    for row in rows.defer("terms", "snapshot").order_by("number", "-issued_at", "pk")[:SHOWN]:
        said = f"{row.customer}, {invoice_text(row)}, {amount_text(row.total, row.unit.to_unit())}"
        yield Result(row.number, said, _page(row), "receipt_long")


def _customers(text: str) -> Iterator[Result]:
    for row in customers_called(text)[:SHOWN]:
        yield Result(row.name, "Customer", _page(row), "groups")


def _aliases(text: str) -> Iterator[Result]:
    for claim in subjects_called(text)[:SHOWN]:
        if claim.customer is not None and claim.subject != str(claim.customer_id):
            yield Result(claim.subject, f"Ingest alias of {claim.customer}", _page(claim.customer), "sensors")


def _contracts(text: str) -> Iterator[Result]:
    for terms in contracts_called(text)[:SHOWN]:
        yield Result(
            terms.name or str(terms.contract),
            f"Contract of {terms.contract.customer}",
            _page(terms.contract),
            "contract",
        )


def _commits(text: str) -> Iterator[Result]:
    for row in commits_called(text)[:SHOWN]:
        yield Result(str(row), f"Of {row.customer}", _page(row), "savings")


def _catalog(model: type[Model], icon: str) -> Kind:
    """Products, metrics and rate cards are hundreds at the most: any part of a name will do."""

    def find(text: str) -> Iterator[Result]:
        rows: Any = model._default_manager.filter(archived_at=None, name__icontains=text)
        for row in rows.order_by("name", "pk")[:SHOWN]:
            yield Result(row.name, capfirst(str(model._meta.verbose_name)), _page(row), icon)

    return Kind(f"{model._meta.app_label}.view_{model._meta.model_name}", find)


def _events(text: str) -> Iterator[Result]:
    for subject in subjects_with_id(text, SHOWN):
        query = urlencode({"transaction_id": text, "subject": subject})
        yield Result(text, f"Usage event of {subject}", f"{reverse('admin:ledger_events')}?{query}", "data_object")


def _of_id(wanted: UUID) -> Sequence[Kind]:
    """Whatever has this id; and events, whose transaction ids may look like it."""

    def kind(model: type[Model], icon: str) -> Kind:
        def find(_: str) -> Iterator[Result]:
            for row in islice(model._default_manager.filter(pk=wanted), 1):
                yield Result(str(row), capfirst(str(model._meta.verbose_name)), _page(row), icon)

        return Kind(f"{model._meta.app_label}.view_{model._meta.model_name}", find)

    return (*(kind(model, icon) for model, icon in WITH_ID), Kind("ledger.view_ingestcall", _events))


def _page(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


CATALOG: tuple[tuple[type[Model], str], ...] = (
    (Product, "inventory_2"),
    (BillableMetric, "speed"),
    (RateCard, "sell"),
)
WITH_ID: tuple[tuple[type[Model], str], ...] = (
    (Customer, "groups"),
    (Contract, "contract"),
    (Invoice, "receipt_long"),
    (Commit, "savings"),
    *CATALOG,
)
