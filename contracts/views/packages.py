from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation.periods import format_instant
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts import queries, services
from contracts.commit_presentation import without_absent
from contracts.package_presentation import named_by, package_json
from contracts.queries.packages import NOT_ARCHIVED
from contracts.serializers.packages import (
    ContractOnPackageReply,
    ContractsOnPackageRequest,
    CreatePackageRequest,
    ListPackagesRequest,
    PackageReply,
    PackageRequest,
)
from contracts.serializers.unsupported import PACKAGE
from contracts.views.base import ContractsView
from pricing.presentation import id_json
from pricing.serializers.common import IdReply, enveloped


class CreatePackage(ContractsView):
    serializer_class = CreatePackageRequest
    required_scope = "admin"
    unsupported = PACKAGE

    @extend_schema(
        summary="Create a package",
        description="A contract with offsets instead of dates, from which contracts are made. It never changes.",
        responses={200: enveloped(IdReply)},
    )
    def post(self, request: Request) -> Response:
        made = services.create_package(self.read(request).to_input(), **self.told(request))
        return Response(id_json(made.pk))


class GetPackage(ContractsView):
    serializer_class = PackageRequest

    @extend_schema(summary="Read a package", responses={200: enveloped(PackageReply)})
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        with read_snapshot():
            found = queries.package(sent["package_id"])
            shown = package_json(found, named_by([found]))
        return Response({"data": shown})


class ListPackages(ContractsView):
    serializer_class = ListPackagesRequest

    @extend_schema(summary="List packages", responses=PackageReply(many=True))
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        with read_snapshot():
            page = self.paginate_queryset(queries.packages(sent.get("archive_filter") or NOT_ARCHIVED)) or []
            named = named_by(page)
            shown = [package_json(each, named) for each in page]
        return self.get_paginated_response(shown)


class ArchivePackage(ContractsView):
    serializer_class = PackageRequest
    required_scope = "admin"

    @extend_schema(
        summary="Archive a package",
        description="No new contract is made from it; those that were made go on.",
        responses={200: enveloped(IdReply)},
    )
    def post(self, request: Request) -> Response:
        package_id = self.read(request).validated_data["package_id"]
        return Response(id_json(services.archive_package(package_id, **self.told(request)).pk))


class ListContractsOnPackage(ContractsView):
    serializer_class = ContractsOnPackageRequest

    @extend_schema(summary="List the contracts made from a package", responses=ContractOnPackageReply(many=True))
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        covering, starting_from = sent.get("covering_date"), sent.get("starting_at")
        if covering is not None and starting_from is not None:
            raise Refusal.of("covering_date", covering.isoformat(), "cannot be combined with starting_at")
        with read_snapshot():
            found = queries.contracts_from(
                queries.package(sent["package_id"]),
                covering=covering,
                starting_from=starting_from,
                include_archived=bool(sent.get("include_archived")),
            )
            page = self.paginate_queryset(found) or []
        return self.get_paginated_response(
            [
                without_absent(
                    {
                        "contract_id": str(contract.pk),
                        "customer_id": str(contract.customer_id),
                        "starting_at": format_instant(contract.starting_at),
                        "ending_before": format_instant(contract.held_end) if contract.held_end else None,
                        "archived_at": format_instant(contract.archived_at) if contract.archived_at else None,
                    }
                )
                for contract in page
            ]
        )
