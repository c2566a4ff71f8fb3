"""Requests about custom fields, and how their keys are shown."""

from rest_framework import serializers

from billing_site.foundation.custom_fields import Entity
from billing_site.foundation.fields import TextField, text_map, texts
from pricing.serializers.common import OPTIONAL

KINDS = f"One of {', '.join(Entity.values)}."


class KeyRequest(serializers.Serializer):
    entity = TextField(help_text=KINDS)
    key = TextField()


class AddKeyRequest(KeyRequest):
    enforce_uniqueness = serializers.BooleanField(help_text="No two entities of the kind may have the same value.")


class ListKeysRequest(serializers.Serializer):
    entities = texts(help_text="The kinds to list; absent: all.", **OPTIONAL)


class KeyReply(serializers.Serializer):
    entity = serializers.CharField()
    key = serializers.CharField()
    enforce_uniqueness = serializers.BooleanField()


class SetValuesRequest(serializers.Serializer):
    entity = TextField(help_text=KINDS)
    entity_id = serializers.UUIDField()
    custom_fields = text_map(help_text="Values of at most 200 characters, by key; others stay.")


class DeleteValuesRequest(serializers.Serializer):
    entity = TextField(help_text=KINDS)
    entity_id = serializers.UUIDField()
    keys = texts()
