"""The two metrics that events of these tests are counted by."""

import pytest

from tests.factories.pricing import MetricFactory


@pytest.fixture
def calls():
    """Counts API calls."""
    return MetricFactory()


@pytest.fixture
def tokens():
    """Adds up the tokens of completions that are not free, by model, and by model and region."""
    return MetricFactory(
        aggregation_type="SUM",
        aggregation_key="tokens",
        event_type_filter={"in_values": ["completion"]},
        property_filters=[{"name": "tier", "not_in_values": ["free"]}],
        group_keys=[["model"], ["region", "model"]],
    )
