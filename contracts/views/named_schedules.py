from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import cursors
from billing_site.foundation.transactions import read_snapshot
from contracts import queries, services
from contracts.presentation import contract_schedule_json
from contracts.serializers.named_schedules import (
    ContractScheduleGet,
    ContractScheduleList,
    ContractScheduleReply,
    ContractScheduleUpdate,
    CustomerScheduleGet,
    CustomerScheduleUpdate,
)
from contracts.views.base import ContractsView
from pricing.presentation import named_value_json
from pricing.serializers.common import given, page_of
from pricing.serializers.named_schedules import SCHEDULE_REPLY


class GetCustomerSchedule(ContractsView):
    serializer_class = CustomerScheduleGet

    @extend_schema(summary="Read a named schedule of a customer", responses={200: SCHEDULE_REPLY})
    def post(self, request: Request) -> Response:
        return self.segments(request)

    def segments(self, request: Request) -> Response:
        """What the schedule asked for says, of the customer or of its contract."""
        sent = given(self.read(request).validated_data)
        contract_id = sent.get("contract_id")
        with read_snapshot():
            queries.refuse_unknown(sent["customer_id"], contract_id)
            values = queries.named_schedule(
                sent["customer_id"],
                sent["schedule_name"],
                contract_id=contract_id,
                properties=sent.get("properties"),
                covering=sent.get("covering_date"),
                at_edit=self.known(sent).at_edit,
            )
        return Response({"data": [named_value_json(value) for value in values]})


class GetContractSchedule(GetCustomerSchedule):
    serializer_class = ContractScheduleGet

    @extend_schema(summary="Read a named schedule of a contract", responses={200: SCHEDULE_REPLY})
    def post(self, request: Request) -> Response:
        return self.segments(request)


class UpdateCustomerSchedule(ContractsView):
    serializer_class = CustomerScheduleUpdate
    required_scope = "admin"

    @extend_schema(summary="Write a named schedule of a customer over a range", responses={200: None})
    def post(self, request: Request) -> Response:
        return self.write(request)

    def write(self, request: Request) -> Response:
        sent = dict(self.read(request).validated_data)
        services.update_named_schedule(sent.pop("customer_id"), **sent, **self.told(request))
        return Response()


class UpdateContractSchedule(UpdateCustomerSchedule):
    serializer_class = ContractScheduleUpdate

    @extend_schema(summary="Write a named schedule of a contract over a range", responses={200: None})
    def post(self, request: Request) -> Response:
        return self.write(request)


class ListContractSchedules(ContractsView):
    serializer_class = ContractScheduleList
    pagination_class = None

    @extend_schema(
        summary="List the named schedules of a customer's contracts", responses={200: page_of(ContractScheduleReply)}
    )
    def post(self, request: Request) -> Response:
        sent = given(self.read(request).validated_data)
        with read_snapshot():
            queries.refuse_unknown(sent["customer_id"], sent.get("contract_id"))
            page, last = queries.contract_schedules(
                sent["customer_id"],
                contract_id=sent.get("contract_id"),
                schedule_name=sent.get("schedule_name"),
                properties=sent.get("properties"),
                covering=sent.get("covering_date"),
                at_edit=self.known(sent).at_edit,
                limit=sent["limit"],
                after=_place(sent["next_page"]) if "next_page" in sent else None,
            )
        return Response(
            {
                "data": [contract_schedule_json(schedule) for schedule in page],
                "next_page": last and cursors.encode(*last),
            }
        )


def _place(cursor: str) -> queries.Place:
    contract_id, schedule_name, properties = cursors.decode(cursor, length=3)
    if not all(isinstance(part, str) for part in (contract_id, schedule_name, properties)):
        raise cursors.foreign(cursor)
    return contract_id, schedule_name, properties
