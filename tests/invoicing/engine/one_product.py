"""October of one product A: its rates, its usage, and the rows of the document."""

from tests.invoicing.engine.world import (
    LATE_OCTOBER,
    card,
    computed,
    contract,
    given,
    on,
    product,
    rate,
    read,
    the_usage,
    tiers,
    used,
)

A = product("A")
TEN_THEN_EIGHT = tiers(("10", "100", "5"), ("8", "", "3"))


def october(*events, rates, commits=(), products=(A,), **terms):
    agreed = contract(commits=commits, **terms)
    return the_usage(computed(given(LATE_OCTOBER, [agreed], [card(*rates)], products), events))


def rows(document) -> list[tuple[str, ...]]:
    """Quantity, unit price, total, who pays."""
    return [line[2:] for line in read(document)]


def a(day: int, quantity: object, hour: int = 5, **values):
    return used("A", on(10, day, hour), quantity, **values)


def at_list(tariff, **terms):
    return rate("A", "0", tariff=tariff, **terms)
