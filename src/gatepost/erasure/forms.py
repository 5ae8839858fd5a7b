from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gatepost.erasure import rules


class Confirm(forms.Form):
    """What is to be erased, typed by hand."""

    confirm = forms.CharField(
        max_length=254, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, what: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirm"].label = _("Type “%(what)s” to confirm") % {"what": what}


class Times(forms.Form):
    """How many days each kind of data is kept."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in rules.RETENTION:
            self.fields[each.kind] = forms.IntegerField(
                label=each.what, min_value=each.least, max_value=each.most
            )
