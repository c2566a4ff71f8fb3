"""The part of an edit that says what a reseller gets of a deal."""

from django import forms

from contracts.forms.amounts import MajorField, PercentField
from contracts.forms.choices import ProductsChoice
from contracts.forms.instants import InstantField
from contracts.inputs import UNCHANGED
from contracts.provider_inputs import ResellerOptionsInput, RoyaltyInput
from contracts.provider_wording import RESELLERS
from pricing.forms import LinesField

AWS = ("aws_account_number", "aws_offer_id", "aws_payer_reference_id")
GCP = ("gcp_account_id", "gcp_offer_id")
# What the service calls a field, and which one it is here.
SHOWN_AS = (
    ("add_reseller_royalties[0].fraction", "royalty_fraction"),
    ("add_reseller_royalties[0].netsuite_reseller_id", "royalty_netsuite_id"),
    ("add_reseller_royalties[0].starting_at", "royalty_starting_at"),
    ("add_reseller_royalties[0].ending_before", "royalty_ending_before"),
    ("add_reseller_royalties[0].applicable_product_ids", "royalty_products"),
    ("add_reseller_royalties[0].applicable_product_tags", "royalty_tags"),
    ("add_reseller_royalties[0].reseller_contract_value", "royalty_value"),
    ("add_reseller_royalties[0].aws_options", "royalty_aws_account_number"),
    ("add_reseller_royalties[0].gcp_options", "royalty_gcp_account_id"),
    ("add_reseller_royalties[0]", "royalty_type"),
)
AS_BEFORE = "Empty: as in the last one of its kind."


def _called(label: str) -> forms.CharField:
    return forms.CharField(required=False, max_length=160, label=label)


class RoyaltyFields(forms.Form):
    royalty_type = forms.TypedChoiceField(
        required=False,
        empty_value=None,
        choices=[("", "---"), *RESELLERS.items()],
        label="A reseller on",
        help_text="In the place of what was said of one there. Nothing is billed by it.",
    )
    royalty_fraction = PercentField(label="has, in percent", help_text=AS_BEFORE)
    royalty_netsuite_id = forms.CharField(
        required=False, empty_value=None, max_length=160, label="NetSuite calls it", help_text=AS_BEFORE
    )
    royalty_starting_at = InstantField(label="From", help_text=AS_BEFORE)
    royalty_ending_before = InstantField(label="Up to (not including)", help_text="Empty: as before, or for good.")
    royalty_products = ProductsChoice("SUBSCRIPTION", "FIXED")
    royalty_tags = LinesField(label="Or products with a tag", help_text="One a line; any of them.")
    royalty_value = MajorField(label="Worth to the reseller")
    royalty_aws_account_number = _called("AWS account")
    royalty_aws_offer_id = _called("AWS offer")
    royalty_aws_payer_reference_id = _called("AWS payer")
    royalty_gcp_account_id = _called("Google Cloud account")
    royalty_gcp_offer_id = _called("Google Cloud offer")

    ROYALTY = (
        "What a reseller gets",
        (
            "royalty_type",
            "royalty_fraction",
            "royalty_netsuite_id",
            "royalty_starting_at",
            "royalty_ending_before",
            "royalty_value",
            "royalty_products",
            "royalty_tags",
            *(f"royalty_{name}" for name in (*AWS, *GCP)),
        ),
    )

    def royalties(self) -> tuple[RoyaltyInput, ...]:
        """What a valid form says: one or none."""
        values = self.cleaned_data
        if values["royalty_type"] is None:
            return ()
        products, tags = values["royalty_products"], values["royalty_tags"]
        is_named = bool(products or tags)
        given = RoyaltyInput(
            values["royalty_type"],
            fraction=values["royalty_fraction"],
            netsuite_reseller_id=values["royalty_netsuite_id"],
            starting_at=values["royalty_starting_at"],
            ending_before=values["royalty_ending_before"] or UNCHANGED,
            applicable_product_ids=tuple(product.pk for product in products) if is_named else None,
            applicable_product_tags=tuple(tags) if is_named else None,
            reseller_contract_value=values["royalty_value"],
            aws_options=self._options(AWS),
            gcp_options=self._options(GCP),
        )
        return (given,)

    def _options(self, names: tuple[str, ...]) -> ResellerOptionsInput | None:
        said = {name: self.cleaned_data[f"royalty_{name}"] for name in names if self.cleaned_data[f"royalty_{name}"]}
        return ResellerOptionsInput(**said) if said else None
