"""How a reply's label is shown: a word, a tone (which is a colour in gatepost.css) and what it means."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    word: str | Promise
    tone: str
    meaning: str | Promise


LABELS = {
    label.name: label
    for label in (
        Label("interested", _("Interested"), "good", _("wants to go on: a talk, material, a trial")),
        Label("question", _("Question"), "info", _("needs an answer before deciding")),
        Label("circle_back_later", _("Circle back later"), "warn", _("not now; later is possible")),
        Label("referral", _("Referral"), "info", _("names or copies in somebody else")),
        Label("not_the_right_person", _("Not the right person"), "calm", _("not responsible, nobody named")),
        Label("not_interested", _("Not interested"), "calm", _("a calm refusal")),
        Label("hard_no", _("Hard no"), "bad", _("no further contact is welcome")),
        Label("unsubscribe", _("Unsubscribe"), "bad", _("asks to stop, or to delete the data")),
        Label("out_of_office", _("Out of office"), "calm", _("an absence notice")),
        Label("left_company", _("Left the company"), "calm", _("the person is gone")),
        Label("auto_reply", _("Automatic reply"), "calm", _("written by a machine")),
        Label("bounce", _("Bounced"), "bad", _("the mail did not arrive")),
        Label("other", _("Other"), "calm", _("thanks, a stray mail, anything else")),
        Label("unsure", _("Unsure"), "warn", _("the program does not know; a person decides")),
    )
}


def label_of(name: str) -> Label:
    return LABELS.get(name) or Label(name, name.replace("_", " ").capitalize(), "calm", "")
