from django import forms
from django.utils.translation import gettext_lazy as _

from gatepost.alerts.rules import LEAST_TEXTS, MOST_TEXTS, Limits


class UsualAccess(forms.Form):
    """What a workspace calls usual."""

    texts_an_hour = forms.IntegerField(
        label=_("Texts within an hour"), min_value=LEAST_TEXTS, max_value=MOST_TEXTS
    )
    night_begins = forms.TimeField(
        label=_("The night begins"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    night_ends = forms.TimeField(
        label=_("and ends"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    def limits(self) -> Limits:
        return Limits(**self.cleaned_data)
