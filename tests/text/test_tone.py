from datetime import UTC, date, datetime

import pytest

from gatepost.text import optout
from gatepost.text.tone import LABELS, ReplyInput, classify

RECEIVED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def tone(text: str, **more):
    return classify(ReplyInput("1", text, sender="ada@theirs.example", **{"received": RECEIVED, **more}))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Sure, let's set up a call next Tuesday.", "interested"),
        ("Gerne, können wir am Donnerstag um 10 Uhr telefonieren?", "interested"),
        ("Ça m'intéresse, envoyez-moi une documentation.", "interested"),
        ("How much does it cost for forty people?", "question"),
        ("Wo werden die Daten gespeichert?", "question"),
        ("Not right now, please reach out in Q2.", "circle_back_later"),
        ("Bitte melden Sie sich im Februar noch einmal.", "circle_back_later"),
        ("Thanks, but we are not interested.", "not_interested"),
        ("Wir haben leider keinen Bedarf.", "not_interested"),
        ("Nous ne sommes pas intéressés, merci.", "not_interested"),
        ("No, gracias, no nos interesa.", "not_interested"),
        ("Non siamo interessati, grazie.", "not_interested"),
        ("Wij hebben geen interesse.", "not_interested"),
        ("Leave me alone or you hear from my lawyer.", "hard_no"),
        ("Lassen Sie mich in Ruhe.", "hard_no"),
        ("I'm not the right person for this.", "not_the_right_person"),
        ("Dafür bin ich nicht zuständig.", "not_the_right_person"),
        ("Please contact Jane Smith at jane@theirs.example.", "referral"),
        ("I left the company last month.", "left_company"),
        ("Thanks!", "other"),
        ("", "other"),
        ("👍", "other"),
    ],
)
def test_a_reply_gets_the_label_its_words_ask_for(text, label):
    assert tone(text).label == label


@pytest.mark.parametrize(
    "text",
    [
        "stop", "STOP.", "Unsubscribe", "Please remove me from your list.", "Do not contact me again.",
        "Bitte löschen Sie meine Daten.", "Bitte nehmen Sie mich aus dem Verteiler.", "Abmelden",
        "Ne m'écrivez plus.", "Merci de me retirer de votre liste.", "No me escriban más.", "Darme de baja por favor",
        "Non scrivetemi più.", "Cancellatemi dalla vostra lista.", "Schrijf mij uit", "Stuur mij geen mails meer.",
        "Ta bort mig från listan.", "Proszę o usunięcie mojego adresu.", "Não quero receber mais e-mails.",
        "take me off this", "Would you mind dropping me from the sequence?", "Erase all personal information you hold.",
        "Get my name out of your database.", "Nehmen Sie meine Adresse bitte raus.", "Keine Mails bitte.",
        "Je ne souhaite plus recevoir vos mails.", "Nous ne voulons plus recevoir vos newsletters", "Me tirem, por favor.",
        "I was going to unsubscribe but there is no link, so please remove me.", "Can you please unsubscribe me?",
        "There is no unsubscribe link, please take me off.", "No me llamen más.", "Houd op!", "Nehmen Sie sie sofort raus.", "Können Sie mich da rausnehmen?",
        "Löschen Sie sofort alle Daten.", "Adresse löschen", "stop pub", "Merci de ne plus m'écrire à cette adresse.",
        "Could you make sure we don't get the follow-ups?", "Can we opt out of your mails?", "Jaysus lads, give it a rest. We'd sooner shut the doors.",
        "Could we please opt out of these emails, this is the fourth one in two weeks?",
        "Can we opt out and have our data deleted within 30 days?", "Wir machen alles intern, bitte keine Werbung mehr.",
        "Wir schalten keine Werbung, also nehmen Sie mich aus dem Verteiler.", "Artikel 17 DSGVO.", "woher haben sie meine adresse? löschen sie die sofort",
        "Artikel 17 des Vertrags ist mir gleich, löschen Sie alle meine Daten!",
        "Pourriez-vous arrêter les courriels ?", "ya no me manden estos correos", "bórrenme de su base", "Baja, por favor",
    ],
)  # fmt: skip
def test_a_wish_to_stop_is_an_opt_out_in_every_language(text):
    assert tone(text).label == "unsubscribe"
    assert optout.find(text)


@pytest.mark.parametrize(
    "text",
    [
        "How does your unsubscribe link work?",
        "Can we opt out after three months?",
        "I see that we don't receive your emails, please send them to my other address.",
        "Can you make sure we don't get spam messages through the contact form?",
        "We might give it a rest, then look again in March.",
        "Article 17 of the AI Act asks for a quality system. Do you cover that?",
        "Could our team opt out of the auto-renewal?",
        "Article 17 of the contract says three months.",
        "Artikel 21 des Mietvertrags regelt das.",
        "Wir schalten grundsätzlich keine Werbung, daher kein Bedarf.",
        "Our newsletter lets people unsubscribe already.",
        "We will not stop looking, so send me more.",
        "Normally I'd unsubscribe without reading. Go on then, show me.",
        "Só me tira uma dúvida: esse valor é por dentista?",
        "A jak to się ma do RODO?",
        "Ich bin zur Kur und kann keine Nachrichten lesen.",
        "Nehmen Sie uns bitte auf Ihre Verteilerliste für die Vorführtermine auf.",
        "Hou me op de hoogte tegen die tijd.",
        "No me llamo Pedro, soy su hermana.",
        "Could you take me off hold and book a demo?",
        "Please take this address off the invoice and use the Berlin one.",
        "Die Position 3 im Angebot: nehmen Sie sie raus, dann bestellen wir.",
        "We want to get our details out of your system via API, is that possible?",
        "Dropping me from the call was an accident, sorry.",
        "Do you erase all the data you have collected after a trial?",
        "Löschen Sie alle Daten nach Vertragsende?",
        "Leider habe ich keine weiteren Anfragen, das Angebot passt.",
        "Nous voulons arrêter les relances manuelles, votre outil le permet ?",
    ],
)
def test_words_of_stopping_about_something_else_are_no_opt_out(text):
    assert optout.find(text) == ()


def test_a_wish_at_the_end_of_a_very_long_text_is_found_where_it_stands():
    text = "We have thought about it for long. " * 1_000 + "Please remove me from your list."
    found = optout.find(text)
    assert found and all(text[each.start : each.end] == each.quote for each in found)


def test_our_own_opt_out_line_in_the_quote_is_no_opt_out():
    quoted = "> Reply stop or unsubscribe and you hear no more from us."
    text = f"Sounds good, let's talk.\n\nOn 23.11.2026 09:30 Bob <bob@ours.example> wrote:\n{quoted}"
    assert tone(text).label == "interested"


@pytest.mark.parametrize(
    "text",
    [
        "Interested? No! Never contact me again.",
        "Will you ever stop? Remove me from your list.",
        "Maybe next year, or never: stop emailing me.",
        "Would love to talk to your lawyer. Do not write to me again.",
    ],
)
def test_a_stop_is_never_shown_as_a_wish_to_go_on(text):
    assert not {"interested", "question", "circle_back_later"} & set(tone(text).labels)


def test_evidence_points_into_the_new_text():
    result = tone("Hi Bob,\n\nthanks, but we are not interested.\n\nAda")
    assert result.evidence
    for evidence in result.evidence:
        assert result.new_text[evidence.start : evidence.end] == evidence.quote


def test_an_automatic_answer_is_never_a_persons_label():
    result = tone(
        "Great, let's talk! I am away until 4 December.", headers=[("Auto-Submitted", "auto-replied")]
    )
    assert result.label == "out_of_office"
    assert result.return_date == date(2026, 12, 4)


@pytest.mark.parametrize(
    ("header", "day"),
    [
        ("Sun, 22 Nov 2026 22:30:00 -0600", date(2026, 11, 23)),
        ("Mon, 23 Nov 2026 04:30:00 +0000", date(2026, 11, 24)),  # as Exchange writes it of everybody
        ("Mon, 23 Nov 2026 04:30:00 +9900", date(2026, 11, 24)),
        ("Mon, 23 Nov 2026 13:30:00 +0900", date(2026, 11, 24)),
        ("yesterday", date(2026, 11, 24)),
    ],
)
def test_tomorrow_is_a_day_of_whoever_wrote(header, day):
    received = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
    result = tone("I am out of office today, back tomorrow.", headers=[("Date", header)], received=received)
    assert (result.label, result.return_date) == ("out_of_office", day)


def test_a_bounce_is_told_by_its_headers():
    headers = [("Content-Type", "multipart/report; report-type=delivery-status")]
    result = tone("550 5.1.1 user unknown", headers=headers)
    assert (result.label, result.bounce) == ("bounce", "hard")


def test_a_spam_complaint_is_an_opt_out():
    headers = [("Content-Type", "multipart/report; report-type=feedback-report")]
    assert tone("This is a complaint.", headers=headers).label == "unsubscribe"


def test_a_referral_names_the_other_person_and_not_the_sender():
    text = "Please talk to Jane Smith, jane@theirs.example.\n\nKind regards\nAda Byron\nada@theirs.example"
    third = tone(text).third_party
    assert (third.name, third.address, third.kind) == ("Jane Smith", "jane@theirs.example", "named")


def test_a_person_in_copy_is_introduced():
    third = tone(
        "I'm copying my colleague Jane Smith, who handles this.", cc=["jane@theirs.example"]
    ).third_party
    assert (third.address, third.kind) == ("jane@theirs.example", "introduced")


def test_a_script_that_the_model_does_not_know_is_unsure():
    assert tone("Ευχαριστώ πολύ, θα ήθελα να μιλήσουμε την Τρίτη για την προσφορά σας.").label == "unsure"


def test_every_label_is_one_of_the_set():
    assert {tone(text).label for text in ("stop", "yes", "?", "x" * 10_000, "\x00")} <= set(LABELS)


def test_the_same_reply_gives_the_same_answer():
    assert tone("Not now, maybe later.") == tone("Not now, maybe later.")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Yes, I am interested.", "interested"),
        ("Ja, wir sind interessiert.", "interested"),
        ("Sí, me interesa.", "interested"),
        ("I am not interested.", "not_interested"),
        ("Kein Interesse.", "not_interested"),
        ("was soll der scheiss", "hard_no"),
        ("No. Absolutely not. This is the third one this week and I'm sick of it.", "hard_no"),
    ],
)
def test_a_few_plain_words_mean_what_they_say(text, label):
    assert tone(text).label == label
