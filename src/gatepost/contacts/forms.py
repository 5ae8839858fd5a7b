from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gatepost.contacts.models import Contact, ContactField, ContactImport, Suppression


class ContactForm(forms.Form):
    """A contact, with the workspace's own fields behind the known ones."""

    email = forms.EmailField(label=_("Email address"), max_length=254)
    first_name = forms.CharField(label=_("First name"), required=False, max_length=100)
    last_name = forms.CharField(label=_("Last name"), required=False, max_length=100)
    company = forms.CharField(label=_("Company"), required=False, max_length=200)
    title = forms.CharField(label=_("Title"), required=False, max_length=200)
    phone = forms.CharField(label=_("Phone"), required=False, max_length=60)
    time_zone = forms.CharField(
        label=_("Time zone"),
        required=False,
        max_length=64,
        help_text=_("Such as Europe/Lisbon. Mail is sent in the contact's own working hours."),
    )
    country = forms.CharField(
        label=_("Country"), required=False, max_length=2, help_text=_("Two letters, such as PT.")
    )
    stage = forms.ChoiceField(label=_("Stage"), required=False, choices=Contact.Stage.choices)

    def __init__(self, *args: Any, own: Sequence[ContactField] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in own:
            self.fields[OWN + each.name] = _field_of(each)

    @property
    def known(self) -> dict[str, str]:
        return {name: text for name, text in self.cleaned_data.items() if not name.startswith(OWN)}

    @property
    def further(self) -> dict[str, str]:
        return {
            name.removeprefix(OWN): text for name, text in self.cleaned_data.items() if name.startswith(OWN)
        }


OWN = "own-"


def _field_of(each: ContactField) -> forms.Field:
    if each.kind in (ContactField.Kind.CHOICE, ContactField.Kind.YES_NO):
        values = each.choices if each.kind == ContactField.Kind.CHOICE else ("yes", "no")
        return forms.ChoiceField(
            label=each.label, required=False, choices=[("", "—"), *((value, value) for value in values)]
        )
    kinds = {ContactField.Kind.NUMBER: "text", ContactField.Kind.DATE: "date"}
    widget = forms.TextInput(attrs={"type": kinds.get(ContactField.Kind(each.kind), "text")})
    return forms.CharField(label=each.label, required=False, max_length=1_000, widget=widget)


class FieldForm(forms.Form):
    label = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("Templates write it in small letters: “Renewal date” is {{ renewal_date }}."),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=ContactField.Kind.choices)
    choices = forms.CharField(
        label=_("Choices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("For the kind “Choice”, one a line."),
    )


class Hold(forms.Form):
    until = forms.DateField(
        label=_("Nobody is written to before"), widget=forms.DateInput(attrs={"type": "date"})
    )


class Import(forms.Form):
    file = forms.FileField(
        label=_("CSV file"),
        help_text=_(
            "The first line names the columns. On the next page you say what each one holds, and see what would happen before anything is stored."
        ),
    )
    what = forms.ChoiceField(
        label=_("It is a list of"), choices=ContactImport.What.choices, required=False, widget=forms.Select
    )


class NewSuppression(forms.Form):
    text = forms.CharField(label=_("Address or domain"), max_length=254)
    kind = forms.ChoiceField(label=_("What it is"), choices=Suppression.Kind.choices)


class Lift(forms.Form):
    reason = forms.CharField(
        label=_("Why may this be lifted?"),
        max_length=200,
        help_text=_("For example who asked for it, and when. The reason stays in the record."),
    )
