from django import forms
from django.utils.translation import gettext_lazy as _

from gatepost.text.snippets import MAX_LENGTH


class SnippetText(forms.Form):
    body = forms.CharField(
        label=_("Text"),
        max_length=MAX_LENGTH,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_("As in a step: fields in double braces, **bold**, lists and links."),
    )


class NewSnippet(SnippetText):
    name = forms.CharField(
        label=_("Name"),
        max_length=40,
        help_text=_("Small letters, digits and underscores, such as case_study. It cannot be changed later."),
    )
    field_order = ("name", "body")
