"""How a reply's label is shown: a word, a tone (which is a colour in gatepost.css), what it means and its key."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    word: str | Promise
    tone: str
    meaning: str | Promise
    key: str = ""  # pressed in the inbox, it corrects a label to this one


LABELS = {
    label.name: label
    for label in (
        Label("interested", _("Interested"), "good", _("wants to go on: a talk, material, a trial"), "1"),
        Label("question", _("Question"), "info", _("needs an answer before deciding"), "2"),
        Label("circle_back_later", _("Circle back later"), "warn", _("not now; later is possible"), "3"),
        Label("referral", _("Referral"), "info", _("names or copies in somebody else"), "4"),
        Label(
            "not_the_right_person", _("Not the right person"), "calm", _("not responsible, nobody named"), "5"
        ),
        Label("not_interested", _("Not interested"), "calm", _("a calm refusal"), "6"),
        Label("hard_no", _("Hard no"), "bad", _("no further contact is welcome"), "7"),
        Label("unsubscribe", _("Unsubscribe"), "bad", _("asks to stop, or to delete the data"), "8"),
        Label("out_of_office", _("Out of office"), "calm", _("an absence notice"), "o"),
        Label("left_company", _("Left the company"), "calm", _("the person is gone"), "l"),
        Label("auto_reply", _("Automatic reply"), "calm", _("written by a machine"), "m"),
        Label("bounce", _("Bounced"), "bad", _("the mail did not arrive"), "b"),
        Label("other", _("Other"), "calm", _("thanks, a stray mail, anything else"), "9"),
        Label("unsure", _("Unsure"), "warn", _("the program does not know; a person decides"), "0"),
    )
}


def label_of(name: str) -> Label:
    return LABELS.get(name) or Label(name, name.replace("_", " ").capitalize(), "calm", "")
