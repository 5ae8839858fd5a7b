from dataclasses import asdict
from typing import Any, cast
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from gatepost.mailboxes import letterhead
from gatepost.mailboxes.features import MOST_A_DAY, MOST_A_DAY_TO_A_COMPANY
from gatepost.mailboxes.models import Mailbox


class MailboxSettings(forms.Form):
    daily_limit = forms.IntegerField(
        label=_("Mails a day"),
        min_value=1,
        max_value=10_000,
        help_text=_("Of your sequences, from this mailbox. New mailboxes do well to start with 50 or fewer."),
    )
    hourly_limit = forms.IntegerField(
        label=_("Mails an hour"),
        required=False,
        min_value=1,
        max_value=1800,
        help_text=_("In any 60 minutes. Empty: only the limit a day."),
    )
    slow_start_days = forms.IntegerField(
        label=_("Days of slow start"),
        required=False,
        min_value=0,
        max_value=90,
        help_text=_("For a new mailbox: each day a step more, from few mails to the limit. 0: none."),
    )
    gap_seconds = forms.IntegerField(
        label=_("Seconds between two mails"),
        min_value=2,
        max_value=3600,
        help_text=_("At least. Microsoft takes no more than 30 mails a minute."),
    )
    longest_gap_seconds = forms.IntegerField(
        label=_("At most so many seconds"),
        required=False,
        min_value=0,
        max_value=3600,
        help_text=_("Each pause is then drawn between the two, as a person's would be. 0: always the same."),
    )
    briefs_on_calendar = forms.BooleanField(
        label=_("Write briefs into this mailbox's calendar"),
        required=False,
        help_text=_("Private events of your own next to a meeting. Needs the workspace's switch as well."),
    )


class LetterheadForm(forms.Form):
    signature = forms.CharField(
        label=_("Signature"),
        required=False,
        max_length=letterhead.MAX_SIGNATURE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Put under every mail of a sequence. Empty: your name."),
    )
    signature_html = forms.CharField(
        label=_("Signature as HTML"),
        required=False,
        max_length=letterhead.MAX_SIGNATURE_HTML,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_(
            "For mail programs that show HTML. Words, links and tables stay; pictures, styles and scripts are taken "
            "out. Empty: made from the signature above."
        ),
    )
    postal_address = forms.CharField(
        label=_("Postal address"),
        required=False,
        max_length=letterhead.MAX_POSTAL_ADDRESS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Below the signature. Many countries ask for it in mail that advertises."),
    )
    sends_as = forms.ChoiceField(
        label=_("Sender address"),
        required=False,
        help_text=_(
            "An alias is used only where your administrator switched on sending from aliases in Exchange; else "
            "Exchange puts the main address in its place."
        ),
    )

    def __init__(self, mailbox: Mailbox, data: Any = None) -> None:
        now = letterhead.of(mailbox)
        super().__init__(data, initial=asdict(now) | {"sends_as": letterhead.sender_address(mailbox)})
        chosen = cast(forms.ChoiceField, self.fields["sends_as"])
        chosen.choices = [(each, each) for each in letterhead.addresses(mailbox)]


def _lines(text: str) -> list[str]:
    return [line.strip().casefold() for line in text.splitlines() if line.strip()]


class Limits(forms.Form):
    mailbox_domains = forms.CharField(
        label=_("Mailboxes of these domains may be connected"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line, such as outreach.example.com. Empty: of any domain."),
    )
    mailbox_tenants = forms.CharField(
        label=_("Mailboxes of these Microsoft organisations may be connected"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_(
            "The tenant ID of each, one a line: Entra admin center, Overview. Empty: of any organisation."
        ),
    )
    sender_domains = forms.CharField(
        label=_("Mail may leave from addresses of these domains"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_(
            "One a line. Empty: of any. What waits in another mailbox stays there, with this reason."
        ),
    )
    only_outreach_mailboxes = forms.BooleanField(
        label=_("Sequences leave from outreach-only mailboxes alone"),
        required=False,
        help_text=_("An administrator marks a dedicated mailbox as outreach-only on its page."),
    )

    daily_limit = forms.IntegerField(
        label=_("Mails a day from all mailboxes together"),
        required=False,
        min_value=1,
        max_value=MOST_A_DAY,
        help_text=_("Of this workspace. Empty: no limit besides those of the mailboxes."),
    )
    company_daily_limit = forms.IntegerField(
        label=_("Mails a day to one company"),
        required=False,
        min_value=1,
        max_value=MOST_A_DAY_TO_A_COMPANY,
        help_text=_("From all mailboxes. Empty: no limit."),
    )
    tenant_daily_limit = forms.IntegerField(
        label=_("Mails a day from one Microsoft organisation"),
        required=False,
        min_value=1,
        max_value=MOST_A_DAY,
        help_text=_(
            "In any 24 hours, from all its mailboxes. Empty: 10,000. Microsoft allows 10,000 to outside with one licence, "
            "about 22,000 with 100, and 5,000 on trial; colleagues' own mail counts there too."
        ),
    )

    def clean_mailbox_domains(self) -> list[str]:
        return self._domains("mailbox_domains")

    def clean_sender_domains(self) -> list[str]:
        return self._domains("sender_domains")

    def clean_mailbox_tenants(self) -> list[str]:
        tenants = []
        for line in _lines(self.cleaned_data["mailbox_tenants"]):
            try:
                tenants.append(str(UUID(line)))
            except ValueError:
                raise forms.ValidationError(
                    _("“%(line)s” is no tenant ID. It looks like 11111111-2222-3333-4444-555555555555."),
                    params={"line": line},
                ) from None
        return sorted(set(tenants))

    def _domains(self, name: str) -> list[str]:
        domains = [line.removeprefix("@") for line in _lines(self.cleaned_data[name])]
        for domain in domains:
            if "." not in domain or " " in domain or "@" in domain or len(domain) > 253:
                raise forms.ValidationError(
                    _("“%(domain)s” is no domain. Write it like example.com."), params={"domain": domain}
                )
        return sorted(set(domains))
