from django import forms
from django.utils.translation import gettext_lazy as _

from gatepost.contacts.models import Suppression


class NewContact(forms.Form):
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


class Import(forms.Form):
    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("The first line names the columns. “email” is needed; first_name, last_name, company, title, phone, "
                    "time_zone and country are known; any other column becomes a merge field."),
    )  # fmt: skip


class NewSuppression(forms.Form):
    text = forms.CharField(label=_("Address or domain"), max_length=254)
    kind = forms.ChoiceField(label=_("What it is"), choices=Suppression.Kind.choices)


class Lift(forms.Form):
    reason = forms.CharField(
        label=_("Why may this be lifted?"),
        max_length=200,
        help_text=_("For example who asked for it, and when. The reason stays in the record."),
    )
