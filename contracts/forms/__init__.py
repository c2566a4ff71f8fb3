"""Admin forms whose saving is a service: its refusals appear beside the fields they are about."""

from contracts.forms.cards import ConversionForm, KeyForm, OrderForm, ProductToPriceForm
from contracts.forms.contracts import NewContractForm
from contracts.forms.customers import CustomerForm, NewCustomerForm
from contracts.forms.edits import EditForm
from contracts.forms.prices import PriceForm, WithdrawalForm

__all__ = [
    "ConversionForm",
    "CustomerForm",
    "EditForm",
    "KeyForm",
    "NewContractForm",
    "NewCustomerForm",
    "OrderForm",
    "PriceForm",
    "ProductToPriceForm",
    "WithdrawalForm",
]
