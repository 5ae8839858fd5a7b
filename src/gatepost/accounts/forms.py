from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from gatepost.accounts.models import Member, Workspace
from gatepost.accounts.rules import Ability


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


class NewInvitation(forms.Form):
    email = forms.EmailField(label=_("Email address"))
    role = forms.ChoiceField(label=_("Role"), choices=Member.Role.choices, initial=Member.Role.REP)

    def __init__(self, *args: Any, by: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not by.may(Ability.OWN):
            field = self.fields["role"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [choice for choice in Member.Role.choices if choice[0] != Member.Role.OWNER]


class Joining(forms.Form):
    name = forms.CharField(
        label=_("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least ten characters."),
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class SignInRules(forms.Form):
    requires = forms.ChoiceField(
        label=_("To open this workspace"),
        choices=Workspace.SignIn.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    tenants = forms.CharField(
        label=_("Microsoft organisations whose accounts may sign in"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_("Tenant ids, one a line. Entra shows it as “Directory (tenant) ID”. Empty: nobody signs in with Microsoft."),
    )  # fmt: skip

    def clean_tenants(self) -> list[str]:
        found = []
        for line in filter(None, map(str.strip, self.cleaned_data["tenants"].splitlines())):
            try:
                found.append(str(UUID(line)))
            except ValueError:
                raise forms.ValidationError(
                    _("“%(line)s” is no tenant id. Write it like 00001111-aaaa-2222-bbbb-3333cccc4444."),
                    params={"line": line},
                ) from None
        return sorted(set(found))
