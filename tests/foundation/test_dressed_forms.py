from django import forms

from billing_site.foundation.admin import Dressed


class Kinds(Dressed, forms.Form):
    kind = forms.ChoiceField(choices=[("A", "One")])
    held = forms.NullBooleanField(widget=forms.NullBooleanSelect)
    several = forms.MultipleChoiceField(choices=[("A", "One")])
    name = forms.CharField()


def test_what_is_chosen_from_a_list_has_an_arrow_and_what_is_typed_has_none():
    form = Kinds()
    assert [name for name in form.fields if "expand_more" in str(form[name])] == ["kind", "held"]


def test_what_a_service_says_of_instants_is_said_in_words():
    form = Kinds({})
    form.add_error("name", "must not be before 2026-02-01T00:00:00+00:00 and not after 2026-02-01T07:30:00+00:00")
    assert form.errors["name"][-1] == "must not be before 1 February 2026 and not after 1 February 2026, 07:30 UTC"
