"""Opting out: a wish to stop or to be deleted, found by rule in the new text alone.

Either this or the model suffices to stop; a person confirms. Short forms count only as a whole line, longer ones
name the mails, the list, the contact or the data as their object (GDPR Articles 7, 17 and 21; CCPA).
"""

from collections.abc import Iterator
from dataclasses import replace

from .labeller import Evidence
from .lexicon.rules import lexicon
from .patterns import compiled, plain

VERSION = "optout-4"
SURE = 0.8  # weaker phrases speak for the label, but do not decide alone

# Whole lines that mean it, by language.
_ALONE = {
    "en": "stop|stop it|unsubscribe|remove|opt out|opt-out|optout|remove me|stop mailing|take me off|no more|delete me"
    "|please unsubscribe|please remove|take me off this|take us off this|off the list|off your list|off your list please|off the list please|off the list ta|pls remove|unsub|stop please|please stop|do not write again|don't write again",
    "de": "abmelden|abbestellen|austragen|bitte austragen|bitte abmelden|löschen|bitte löschen|stopp|abmeldung"
    "|keine werbung|bitte entfernen|entfernen|kein interesse bitte löschen|adresse löschen|bitte adresse löschen|keine mails bitte|keine e-mails bitte|bitte aus dem verteiler raus|aus dem verteiler raus",
    "fr": "stop pub|stop à la pub|désabonner|désinscription|désinscrire|stop svp|désabonnement|me désinscrire|me désabonner|désinscrivez-moi"
    "|comment on se désinscrit?|comment on se désabonne?|comment se désinscrire?|comment se désabonner?|comment me désinscrire?|comment me désabonner?",
    "es": "baja|baja por favor|baja, por favor|bórrenme|bórreme|darme de baja|cancelar suscripción|dar de baja|eliminar|stop por favor|borrar",
    "pt": "remover|descadastrar|cancelar inscrição|sair da lista|cancelar subscrição|parar",
    "it": "cancellami|cancellatemi|disiscrivimi|rimuovere|disiscrivere|cancellazione|basta|rimuovetemi",
    "nl": "afmelden|uitschrijven|verwijderen|stoppen|graag uitschrijven|graag afmelden|schrijf mij uit",
    "sv": "avregistrera|avsluta|ta bort|sluta|avanmäl|avprenumerera",
    "da": "slet min mail|slet mig|afmeld|afmelding|slet|fjern|frameld",
    "cs": "odhlásit|odhlaste mě|odhlaste nás|vyřaďte mě|nepište mi",
    "fi": "poista minut listalta|poistakaa minut listalta|poista listalta|poista osoitteeni",
    "pl": "wypisz|usuń|rezygnuję|wypisz mnie|proszę usunąć|usunąć",
}
_LANGUAGES = {words: language for language, lines in _ALONE.items() for words in lines.split("|")}
_LONGEST = 80  # a line with more before or after such words says something else too
# The words may be about the writer's own product: then they are no wish of his.
_OWN = compiled(
    r"(?i)(our (newsletter|users|customers|clients|subscribers|unsubscribe)|unsere (kunden|nutzer|abonnenten)|"
    r"(do not|don't|never|no need to) (remove|unsubscribe|delete|take)|i unsubscribe from|"
    r"nos (clients|abonnés)|nuestros (clientes|usuarios)|nostri (clienti|utenti)"
    r"|(do|does|when do|how do) (you|your [a-z]+) [^.?!\n]*(delete|erase)[^.!\n]*\?"
    r"|löschen sie [^.?!\n]*(vertragsende|automatisch|kündigung|testphase)[^.!\n]*\?)"
)
# Or about opting out itself, in just these words: other words of the sentence may be a wish all the same.
_ABOUT_IT = compiled(
    r"(?i)(unsubscribe (rate|link|button|page|flow)|(does|how do|how does|can) (you|your|it|the) [^.?!\n]*(unsubscribe|opt-?out)"
    # leaving a contract early
    r"|(can|could|may) (we|our [a-z]+|one) opt[- ]?out (after|within|before|during) [^.?!\n]*\?"
    r"|(can|could|may) (we|our [a-z]+|one) opt[- ]?out of (the|your|that) (auto-?renewal|contract|agreement|trial|pilot|module)(?:$|[^\pL])"
    # another law's articles, or a contract's
    r"|art(icle|ikel|ículo|igo|icolo|\.)? ?(17|21)\)? (\([0-9a-z]\) )?(of|des|der|du|de|del|della|da|do|van) (the |our |your |la |l'|le |de )?"
    r"(ai act|nis ?2|dora|contract|agreement|lease|directive|copyright|treaty|constitution|statutes?|by-?laws|[a-zäöü]*vertrag|satzung|agb|grundgesetz"
    r"|contrat|bail|statuts|contrato|estatutos|contratto|statuto|[a-z]*overeenkomst|umow)"
    # the writer's own advertising
    r"|(wir|ich) (schalten?|machen?|betreiben|buchen) (grundsätzlich |selbst |überhaupt |derzeit |hier |gar )?keine werbung"
    r"|(i'd|we'd|i would|we would|i almost|i nearly|i was (about|going) to|said i'd|j'allais( me)?) ([a-z]+ )?(unsubscribe|opt out|désabonner))"
)
_OF_ME = compiled(r"(?i)(unsubscribe|opt) (me|us)(?:$|[^\pL])")


# Some hundred patterns look through all of it: of a longer text through its beginning and its end.
MAX_CHARS, END_CHARS = 6_000, 2_000


def find(new_text: str) -> tuple[Evidence, ...]:
    """Every place where the writer asks to stop or to be deleted; empty where he does not."""
    text = plain(new_text)
    found = _found(text[:MAX_CHARS])
    if found or len(text) <= MAX_CHARS:
        return found
    at = max(MAX_CHARS, len(text) - END_CHARS)
    return tuple(replace(each, start=each.start + at, end=each.end + at) for each in _found(text[at:]))


def _found(text: str) -> tuple[Evidence, ...]:
    return (*_alone(text), *_in_sentences(text))


def _alone(text: str) -> Iterator[Evidence]:
    """The first such line of each language, whatever marks stand before its words."""
    found: set[str] = set()
    line_start = 0
    for line in text.split("\n"):
        if len(line) <= _LONGEST:
            words = line.rstrip(" \t\r.!,")
            skipped = next((at for at, char in enumerate(words) if char.isalnum()), len(words))
            words = words[skipped:]
            language = _LANGUAGES.get(words.lower().replace(" ?", "?"))
            if language and language not in found:
                found.add(language)
                start = line_start + skipped
                yield Evidence(start, start + len(words), words, f"{VERSION}:{language}/alone")
        line_start += len(line) + 1


def _in_sentences(text: str) -> Iterator[Evidence]:
    """What rules hear. Each tells only of its first words: where these mean something else, it is asked about the rest."""
    at = 0
    for _look in range(_LOOKS):
        heard, passed = [], len(text)
        for rule, start, end in lexicon().said(text[at:], ("unsubscribe",), SURE):
            start, end = start + at, end + at
            if _means_something_else(text, start, end):
                passed = min(passed, end)
            else:
                heard.append(Evidence(start, end, text[start:end], f"{VERSION}:{rule.id}"))
        if heard or passed == len(text):
            yield from heard
            return
        at = passed


_LOOKS = 5


def _means_something_else(text: str, start: int, end: int) -> bool:
    first, sentence = _sentence(text, start, end)
    if _OWN.search(sentence):
        return True
    about = any(
        found.start() + first < end and found.end() + first > start for found in _ABOUT_IT.finditer(sentence)
    )
    return about and not _OF_ME.search(text[start : end + len(" me ")])


def _sentence(text: str, start: int, end: int) -> tuple[int, str]:
    """Where the sentence around these words begins, and its words."""
    before = max(text.rfind(mark, 0, start) for mark in ".?!\n")
    after = min((at for mark in ".?!\n" if (at := text.find(mark, end)) >= 0), default=len(text))
    return before + 1, text[before + 1 : after + 1]
