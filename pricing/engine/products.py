"""Which definition of a product is in force: the greatest (starting_at, publication) that has begun."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from pricing.engine.catalog import ProductVersion
from pricing.engine.timelines import Dated, Timeline, in_force


@dataclass(frozen=True, slots=True)
class Reign:
    """A version over a time in which it is in force."""

    starting_at: datetime
    ending_before: datetime
    version: ProductVersion


@dataclass(frozen=True, slots=True)
class Run:
    """A time over which a product's quantity is counted in one way: same metric, conversion and group keys.

    Cumulative counters live as long as a run; name, tags and rounding may change from one reign to the next.
    """

    reigns: tuple[Reign, ...]  # one after the other, without a gap

    @property
    def starting_at(self) -> datetime:
        return self.reigns[0].starting_at

    @property
    def ending_before(self) -> datetime:
        return self.reigns[-1].ending_before

    @property
    def definition(self) -> ProductVersion:
        """The first version: its metric, conversion and group keys are those of all."""
        return self.reigns[0].version


def versions_over_time(versions: Sequence[ProductVersion]) -> Timeline[ProductVersion]:
    """A product's versions as a function of time."""
    return in_force(Dated(version, version.starting_at, None, version.publication) for version in versions)


def version_in_force(versions: Sequence[ProductVersion], at: datetime) -> ProductVersion | None:
    """A product's definition at an instant, or None before its first one."""
    return versions_over_time(versions).at(at)


def name_at(versions: Sequence[ProductVersion], at: datetime) -> str:
    """What a product is called at an instant; before its first definition, as in that."""
    return (version_in_force(versions, at) or min(versions, key=lambda version: version.publication)).name


def runs(versions: Sequence[ProductVersion], starting_at: datetime, ending_before: datetime) -> list[Run]:
    """The runs of a product within these bounds, in order of time."""
    timeline = versions_over_time(versions)
    cuts = [instant for instant in timeline.instants if starting_at < instant < ending_before]
    found: list[Run] = []
    for start, end in pairwise([starting_at, *cuts, ending_before]):
        version = timeline.at(start)
        if version is None:
            continue
        reign = Reign(start, end, version)
        if found and found[-1].ending_before == start and _counts_alike(found[-1].definition, version):
            found[-1] = Run((*found[-1].reigns, reign))
        else:
            found.append(Run((reign,)))
    return found


def _counts_alike(one: ProductVersion, other: ProductVersion) -> bool:
    return (one.metric_id, one.conversion, one.pricing_group_key, one.presentation_group_key) == (
        other.metric_id,
        other.conversion,
        other.pricing_group_key,
        other.presentation_group_key,
    )
