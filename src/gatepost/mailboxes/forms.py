from django import forms
from django.utils.translation import gettext_lazy as _


class MailboxSettings(forms.Form):
    daily_limit = forms.IntegerField(
        label=_("Mails a day"),
        min_value=1,
        max_value=10_000,
        help_text=_("Of your sequences, from this mailbox. New mailboxes do well to start with 50 or fewer."),
    )
    gap_seconds = forms.IntegerField(
        label=_("Seconds between two mails"),
        min_value=2,
        max_value=3600,
        help_text=_("At least. Microsoft takes no more than 30 mails a minute."),
    )
    signature = forms.CharField(
        label=_("Signature"),
        required=False,
        max_length=2000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Put under every mail of a sequence. Empty: your name."),
    )
    briefs_on_calendar = forms.BooleanField(
        label=_("Write briefs into this mailbox's calendar"),
        required=False,
        help_text=_("Private events of your own next to a meeting. Needs the workspace's switch as well."),
    )
