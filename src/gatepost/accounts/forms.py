from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from gatepost.accounts.models import Member


class WorkspaceSettings(forms.Form):
    name = forms.CharField(label=_("Name of the workspace"), max_length=100)
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        help_text=_("Times are shown in it, and weeks begin in it. Such as Europe/Berlin."),
    )
    internal_domains = forms.CharField(
        label=_("Further domains of your organisation"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line. Mail from them is internal: never read, and nobody there can be enrolled. "
                    "The domains of connected mailboxes are known already."),
    )  # fmt: skip

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name not in available_timezones():
            raise forms.ValidationError(_("Use a name such as Europe/Berlin."))
        return name

    def clean_internal_domains(self) -> list[str]:
        domains = [
            line.strip().lstrip("@").casefold() for line in self.cleaned_data["internal_domains"].splitlines()
        ]
        for domain in filter(None, domains):
            if "." not in domain or " " in domain or "@" in domain:
                raise forms.ValidationError(
                    _("“%(domain)s” is no domain. Write it like example.com."), params={"domain": domain}
                )
        return sorted({domain for domain in domains if domain})


class NewMember(forms.Form):
    email = forms.EmailField(label=_("Email address"))
    name = forms.CharField(label=_("Name"), max_length=100)
    role = forms.ChoiceField(label=_("Role"), choices=Member.Role.choices, initial=Member.Role.REP)
    password = forms.CharField(
        label=_("First password"),
        min_length=10,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least ten characters. Give it to them in person."),
    )
