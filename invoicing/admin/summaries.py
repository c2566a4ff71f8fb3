"""All drafts and all commitments as lists: of what was summarized a moment ago, so that nothing is computed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from billing_site.foundation import clock
from billing_site.foundation.admin import FactAdmin, ShownElsewhere, instant_cell, money_column, number_cell
from billing_site.foundation.display import amount_text, day_text
from invoicing.admin.drafts_under import drafts_under_view
from invoicing.admin.finance import FinancePage
from invoicing.admin.open_on_card import open_on_card_view
from invoicing.models import CommitmentSummary, CustomerSummary, DraftSummary
from invoicing.wording import draft_text


class HeldFilter(admin.SimpleListFilter):
    title = "held"
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, drafts: Any) -> Any:
        if self.value() is None:
            return drafts
        return drafts.exclude(holds=[]) if self.value() == "yes" else drafts.filter(holds=[])


class PaceFilter(admin.SimpleListFilter):
    """Ahead or behind: a tenth of the whole from where an even use would stand now."""

    title = "pace"
    parameter_name = "pace"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("behind", "Behind"), ("ahead", "Ahead")]

    def queryset(self, request: HttpRequest, held: Any) -> Any:
        if self.value() is None:
            return held
        return held.behind(at=clock.now()) if self.value() == "behind" else held.ahead(at=clock.now())


class OfCustomer(ShownElsewhere):
    """A row leads to what it is about, and says as of when it was read."""

    list_select_related = ["customer__summary", "unit"]
    search_fields = ["customer__name"]

    @admin.display(description="As of", ordering="customer__summary__as_of")
    def as_of(self, row: Any) -> str:
        return instant_cell(row.customer.summary.as_of)


@admin.register(DraftSummary)
class DraftSummaryAdmin(OfCustomer):
    list_display = ["customer", "what", "money_total", "finalizes", "standing", "as_of"]
    list_filter = ["kind", HeldFilter, "finalizes_at"]
    search_fields = ["customer__name", "contract_name"]
    ordering = ["finalizes_at", "customer__name", "id"]
    money_total = money_column("Now, with tax", amount="total_with_tax")

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view
        return [
            path("card/<uuid:card_id>/", page(open_on_card_view), name="invoicing_open_on_card"),
            path("card/<uuid:card_id>/under/", page(drafts_under_view), name="invoicing_drafts_under"),
            *super().get_urls(),
        ]

    @admin.display(description="For", ordering="starting_at")
    def what(self, draft: DraftSummary) -> str:
        return format_html("{}<br><small>{}</small>", draft_text(draft, clock.now()), draft.contract_name)

    @admin.display(description="Final on", ordering="finalizes_at")
    def finalizes(self, draft: DraftSummary) -> str:
        return instant_cell(draft.finalizes_at)

    @admin.display(description="Standing", ordering="blocking")
    def standing(self, draft: DraftSummary) -> str:
        if draft.blocking:
            return format_html('<span class="house-held">held, findings: {}</span>', draft.blocking)
        if draft.holds:
            return format_html('<span class="house-held">{}</span>', "held for review")
        return "waits for others" if draft.waits else ""

    def place_of(self, row: DraftSummary) -> str:
        """The customer's drafts, line by line."""
        return reverse("admin:invoicing_draftsofcustomer_change", args=[row.customer_id])


@admin.register(CommitmentSummary)
class CommitmentSummaryAdmin(FinancePage, OfCustomer):
    list_display = ["customer", "name", "money_amount", "money_used", "money_share", "ends", "as_of"]
    list_filter = ["type", PaceFilter, "ending_before"]
    search_fields = ["customer__name", "name"]
    ordering = ["ending_before", "customer__name", "id"]

    @admin.display(description="Amount", ordering="amount")
    def money_amount(self, held: CommitmentSummary) -> str:
        return number_cell(amount_text(held.amount, held.held_in))

    @admin.display(description="Used", ordering="used")
    def money_used(self, held: CommitmentSummary) -> str:
        return number_cell(amount_text(held.used, held.held_in))

    @admin.display(description="Used, %")
    def money_share(self, held: CommitmentSummary) -> str:
        return number_cell(f"{held.used / held.amount * 100:.1f} %" if held.amount else "")

    @admin.display(description="Ends", ordering="ending_before")
    def ends(self, held: CommitmentSummary) -> str:
        return day_text(held.ending_before)

    def place_of(self, row: CommitmentSummary) -> str:
        """The contract that it is part of."""
        return reverse("admin:contracts_contract_change", args=[row.contract_id]) if row.contract_id else ""


@admin.register(CustomerSummary)
class CustomerSummaryAdmin(FactAdmin):
    """When each customer was last looked at, and why one could not be computed."""

    list_display = ["customer", "as_of", "refreshed_at", "looked_at", "error"]
    list_filter = [("error", admin.EmptyFieldListFilter)]
    list_select_related = ["customer"]
    search_fields = ["customer__name"]
    ordering = ["as_of", "customer_id"]
