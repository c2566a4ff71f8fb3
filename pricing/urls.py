from django.urls import path

from pricing.views import formulas, metrics, named_schedules, products, rate_cards, rates, units, withdrawals

PRODUCTS = "v1/contract-pricing/products"
RATE_CARDS = "v1/contract-pricing/rate-cards"

urlpatterns = [
    path("v1/billable-metrics", metrics.ListMetrics.as_view()),
    path("v1/billable-metrics/create", metrics.CreateMetric.as_view()),
    path("v1/billable-metrics/archive", metrics.ArchiveMetric.as_view()),
    path("v1/billable-metrics/<str:billable_metric_id>", metrics.OneMetric.as_view()),
    path(f"{PRODUCTS}/create", products.CreateProduct.as_view()),
    path(f"{PRODUCTS}/update", products.UpdateProduct.as_view()),
    path(f"{PRODUCTS}/get", products.GetProduct.as_view()),
    path(f"{PRODUCTS}/list", products.ListProducts.as_view()),
    path(f"{PRODUCTS}/archive", products.ArchiveProduct.as_view()),
    path(f"{RATE_CARDS}/create", rate_cards.CreateRateCard.as_view()),
    path(f"{RATE_CARDS}/get", rate_cards.GetRateCard.as_view()),
    path(f"{RATE_CARDS}/list", rate_cards.ListRateCards.as_view()),
    path(f"{RATE_CARDS}/update", rate_cards.UpdateRateCard.as_view()),
    path(f"{RATE_CARDS}/setRateCardProductsOrder", rate_cards.SetProductOrder.as_view()),
    path(f"{RATE_CARDS}/moveRateCardProducts", rate_cards.MoveProducts.as_view()),
    path(f"{RATE_CARDS}/archive", rate_cards.ArchiveRateCard.as_view()),
    path(f"{RATE_CARDS}/addRate", rates.AddRate.as_view()),
    path(f"{RATE_CARDS}/addRates", rates.AddRates.as_view()),
    path(f"{RATE_CARDS}/withdrawRates", withdrawals.WithdrawRates.as_view()),
    path(f"{RATE_CARDS}/setFormula", formulas.SetFormula.as_view()),
    path(f"{RATE_CARDS}/changeFormula", formulas.ChangeFormula.as_view()),
    path(f"{RATE_CARDS}/getFormula", formulas.GetFormula.as_view()),
    path(f"{RATE_CARDS}/getRates", rates.ListRates.as_view()),
    path(f"{RATE_CARDS}/getRateSchedule", rates.GetRateSchedule.as_view()),
    path(f"{RATE_CARDS}/getNamedSchedule", named_schedules.GetNamedSchedule.as_view()),
    path(f"{RATE_CARDS}/updateNamedSchedule", named_schedules.UpdateNamedSchedule.as_view()),
    path("v1/credit-types/create", units.CreateUnit.as_view()),
    path("v1/credit-types/list", units.ListUnits.as_view()),
    path("v1/credit-types/archive", units.ArchiveUnit.as_view()),
]
