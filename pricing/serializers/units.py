from rest_framework import serializers


class UnitCreate(serializers.Serializer):
    name = serializers.CharField()


class UnitReply(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    is_currency = serializers.BooleanField()
