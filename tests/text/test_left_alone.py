"""The ordinary ways to ask to be left alone, as people in thirteen languages type them, are all heard."""

import pytest

from gatepost.text import optout
from gatepost.text.tone import ReplyInput, classify

ORDINARY = """
Bestellen Sie mich bitte ab
bestell mich ab
Bitte bestellen Sie mich von diesem Newsletter ab.
Melden Sie mich bitte ab.
Bitte melden Sie uns von Ihrem Verteiler ab.
Tragen Sie mich aus.
Bitte tragen Sie unsere Adresse aus Ihrem Verteiler aus.
Ich möchte mich abmelden.
Ich möchte von Ihnen keine Post mehr bekommen.
Streichen Sie uns von der Liste.
Bitte streichen.
Nehmen Sie mich da raus.
Bitte nehmen Sie meine Adresse raus.
Können Sie mich bitte aus dem Verteiler nehmen?
Schmeißen Sie mich aus Ihrem Verteiler.
Raus aus dem Verteiler bitte
Bitte schreiben Sie mir nicht mehr.
Bitte nicht mehr schreiben.
Schreiben Sie mich nicht mehr an.
Bitte kontaktieren Sie mich nicht mehr.
Bitte sehen Sie von weiteren Mails ab.
Ich will das nicht mehr bekommen.
Wie kann ich mich hier abmelden?
Wie komme ich von dieser Liste runter?
Bitte setzen Sie mich auf Ihre Sperrliste.
Ich widerspreche der Nutzung meiner Adresse zu Werbezwecken.
Bitte vergessen Sie meine Adresse.
Lassen Sie es bitte gut sein, ich möchte nichts mehr hören.
unsubscribe me pls
take me off ur list
Please take us off whatever list this is.
Kindly remove my email id from your database.
Could you drop me from this sequence?
Please don't email me again.
Don't contact me any more.
do not write again
No more emails please
Please cease all communication.
Cease and desist.
Stop emailing me
stop spamming me
I'd like to opt out.
opt-out
How do I get off this list?
Where's the unsubscribe link?
I can't find the unsubscribe button, can you do it for me?
Please lose my email address.
Forget my address please.
Delete my data.
Erase all data you hold about me.
I object to processing of my data for marketing.
Remove.
remove pls
Kindly desist from sending such mails.
Leave me alone.
Quit mailing me.
I don't want to receive these.
I no longer wish to hear from you.
We would rather not receive further emails.
Please respect my wish not to be contacted.
Can you make sure I don't get any more of these?
Take this address off.
This address is not for marketing, please remove it.
Merci de ne plus m'écrire.
Merci de me retirer de votre liste.
Ne me contactez plus.
Arrêtez de m'envoyer des mails.
Je ne souhaite plus recevoir vos messages.
Veuillez supprimer mes coordonnées.
Supprimez mon adresse svp
Enlevez-moi de votre liste.
Désabonnez-moi
je veux plus recevoir ça
Comment on se désinscrit ?
Retirez-moi de là.
Merci d'arrêter.
Bitte aufhören
Deje de escribirme.
No me escriban más.
Por favor, no me mandes más correos.
Quítenme de la lista.
Sáquenme de su base de datos.
Dame de baja.
Denme de baja por favor
Quiero darme de baja
Borren mis datos.
No quiero recibir más mensajes suyos.
¿Cómo me doy de baja?
Elimíneme de su lista por favor
Non scrivetemi più.
Toglietemi dalla lista.
Mi tolga dalla mailing list, grazie.
Vi prego di cancellare il mio indirizzo.
Non voglio più ricevere queste mail.
Come faccio a disiscrivermi?
Smettetela di scrivermi.
Cancelli i miei dati.
Chiedo la cancellazione dei miei dati.
Schrijf me uit.
Haal me van de lijst af.
Graag geen mails meer.
Stop met mailen.
Niet meer mailen aub
Ik wil geen berichten meer ontvangen.
Verwijder mijn gegevens.
Hoe meld ik me af?
Pare de me escrever.
Não me envie mais emails.
Tire-me da lista.
Me tira dessa lista por favor
Retire o meu contacto da vossa base de dados.
Não quero mais receber mensagens.
Apaguem os meus dados.
Proszę mnie usunąć z listy.
Proszę nie pisać więcej.
Proszę o wypisanie mnie z bazy.
Nie chcę dostawać takich wiadomości.
Nie życzę sobie dalszych maili.
Ta bort mig från listan.
Sluta mejla mig.
Jag vill inte ha fler mejl.
Radera mina uppgifter.
Slet mig fra jeres liste.
Jeg vil ikke have flere mails.
Stop med at skrive til mig.
Ikke kontakt meg igjen.
Fjern meg fra listen.
Poista minut listalta.
Älkää lähettäkö enempää.
Smažte mě z databáze.
Už mi nepište.
Bestellen Sie mich von diesem Verteiler ab.
Hiermit bestelle ich Ihren Newsletter ab.
Wir bestellen Ihren Newsletter ab.
Don't ever email me again.
We're happy with the catalogue system we have and aren't looking to change. Please don't email the library about this again.
Merci de m'indiquer comment me désabonner si possible.
Je ne sais pas comment vous m'avez trouvé, mais désabonnez-moi quand même.
Comment on se désabonne?
""".strip().splitlines()


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_wish_to_be_left_alone_is_heard(text: str) -> None:
    assert classify(ReplyInput(id="", text=text)).label in ("unsubscribe", "hard_no")


@pytest.mark.parametrize(
    "text",
    [
        "I unsubscribe from about forty of these a week and yours is the first I've read. Is there a case study?",
        "please do not remove me from your list, I like the articles.",
        "Não sou eu que trato disso e não tenho autorização para dar contactos internos.",
        "We don't mail any more, everything is in Teams.",
        "Bestellen Sie uns doch einen Termin ab März.",
        "Wir bestellen das ab Lager.",
        "Bestellen Sie uns bitte ab Lager Hamburg zwei Stück.",
        "Bestellen Sie uns vom großen Modell zwei, wir holen sie am Montag ab.",
        "Wir bestellen uns ab und zu ein Testgerät, gern auch bei Ihnen.",
        "Dann bestellen wir den Newsletter auch für unsere Kollegen ab Q2.",
        "Ich bestelle diesen Newsletter nicht ab, den lese ich gern.",
        "If you don't write again by Friday, I will assume we are on for Monday.",
        "Don't write again, just call me: 0171 555 0102, I want the offer.",
        "People who bounce we don't mail again. Does your tool do this automatically?",
        "please do not write to my old address again, use the new one",
        "Comment est-ce qu'on se désabonne du module paie ? Le prix nous convient sinon.",
        "Comment peut-on se désinscrire du webinaire si un collègue prend ma place ?",
        "Comment on se désabonne si on n'est pas content du produit ?",
    ],
)
def test_the_same_words_in_another_sense_are_no_opt_out(text: str) -> None:
    assert optout.find(text) == ()
