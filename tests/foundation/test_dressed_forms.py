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
