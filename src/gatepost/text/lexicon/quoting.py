"""The words by which mail programs mark what is quoted, by language. Structure decides first, these second."""

# Keys of the header block that Outlook and others put above a quoted mail, by what they announce.
HEADER_KEYS: dict[str, str] = {
    "from": "from|von|de|da|van|från|fra|lähettäjä|od|feladó|de la|kimden|από|от|від|差出人|发件人|寄件者|보낸 사람"
    "|من|מאת|reply-to|mailto|from sender|expéditeur|remitente|mittente|afzender|avsändare|送信者",
    "sent": "sent|date|message du|gesendet|datum|envoyé|envoyé le|enviado|enviado el|fecha|enviada em|enviado em|enviada|data"
    "|inviato|verzonden|skickat|sendt|dato|lähetetty|päivämäärä|wysłano|odesláno|odoslané|elküldve|dátum|trimis"
    "|gönderildi|tarih|στάλθηκε|ημερομηνία|отправлено|дата|надіслано|送信日時|日付|发送时间|发送日期|寄件日期|日期"
    "|보낸 날짜|날짜|تاريخ الإرسال|التاريخ|נשלח|gesendet am|data invio|sent at|sent on|received|日時",
    "to": "to|an|à|a|para|aan|till|til|vastaanottaja|do|komu|címzett|către|kime|προς|кому|宛先|收件人|收件者|받는 사람"
    "|إلى|אל|destinataire|destinatario|per|ke",
    "subject": "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|temat|předmět|predmet|tárgy"
    "|subiect|konu|θέμα|тема|件名|主题|主旨|제목|الموضوع|נושא|sujet|titre",
    "cc": "cc|kopie|kopia|kopi|kopio|dw|kópia|másolat|bilgi|κοιν|копия|копія|抄送|副本|참조|עותק|bcc|copie|copia"
    "|cópia|importance|priority|wichtigkeit|priorität|attachments|anlagen|pièces jointes|in-reply-to|message-id|org"
    "|organization|copie à",
}

# "wrote", as it ends (or stands in) the line above a quoted mail.
WROTE = (
    "wrote|writes|schrieb|geschrieben|schreibt|a écrit|a ecrit|écrit|escribió|escribio|escribe|escreveu|ha scritto|"
    "scrive|schreef|het volgende geschreven|geschreven|skrev|skrifaði|skrev følgende|kirjoitti|napisał|napisał(a)|"
    "napisała|pisze|napsal|napsal(a)|napsala|napísal|napísal(a)|napísala|ezt írta|írta|a scris|yazdı|şunu yazdı|"
    "έγραψε|написал|написал(а)|написала|пишет|писал|пише|написав|написав(ла)|написала|写道|寫道|님이 작성|작성|كتب|"
    "كتبت|כתב|כתבה|đã viết|je napisal|rašė|kirjutas|rakstīja|va escriure|menulis|skreiv|sent|said|отправил|"
    "rekao je|je napisao|je napisala|mencetak|の書き込み|のメール"
)

# How such a line begins where it begins with a word.
LEAD = (
    "on|am|le|el|em|il|il giorno|op|den|the|w dniu|dne|dňa|no dia|στις|в|у|at|ma|tarihinde|在|于|於|في|ב|בתאריך|"
    "pada|vào|data|dnia|dana|vom|na|um|po|pe|în|на|вт|пн|ср|чт|пт|сб|вс|mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|"
    "ven|sam|dim|mo|di|mi|do|fr|sa|so|кому|time|wiadomość napisana przez|wiadomość|użytkownik|dia|tis|ons|tors|fre|"
    "lør|lör|søn|sön|man|mån|pon|wt|śr|czw|pt|sob|út|st|čt|pá|às|date|from"
)

# The words of a line between dashes: "-----Original Message-----".
ORIGINAL = (
    "original message|original mail|original|originalmessage|ursprüngliche nachricht|originalnachricht|"
    "ursprünglicher text|message d'origine|message d’origine|message original|mensaje original|mensagem original|"
    "messaggio originale|oorspronkelijk bericht|oorspronkelijk e-mailbericht|origineel bericht|"
    "ursprungligt meddelande|originalmeddelande|oprindelig meddelelse|original meddelelse|opprinnelig melding|"
    "alkuperäinen viesti|wiadomość oryginalna|oryginalna wiadomość|původní zpráva|pôvodná správa|"
    "eredeti üzenet|mesaj original|orijinal mesaj|αρχικό μήνυμα|исходное сообщение|оригинальное сообщение|"
    "元のメッセージ|原始邮件|原始郵件|원본 메시지|reply message|reply above this line|antwort weiter oben|"
    "original appointment|ursprünglicher termin|antwort|reply|svar på|urspr. nachricht|início da mensagem|odpowiedź"
)

FORWARDED = (
    "forwarded message|begin forwarded message|begin forwarded email|forwarded by|forwarded email|"
    "weitergeleitete nachricht|anfang der weitergeleiteten nachricht|anfang der weitergeleiteten e-mail|"
    "beginn der weitergeleiteten nachricht|beginn der weitergeleiteten e-mail|message transféré|"
    "message transmis|début du message transféré|début du message réexpédié|mensaje reenviado|"
    "inicio del mensaje reenviado|mensagem encaminhada|mensagem reenviada|início da mensagem encaminhada|"
    "início da mensagem reencaminhada|messaggio inoltrato|inizio messaggio inoltrato|doorgestuurd bericht|"
    "begin doorgestuurd bericht|vidarebefordrat meddelande|vidarebefordrat brev|vidarebefordrat mejl|"
    "vidarebefordrat mail|videresendt besked|videresendt meddelelse|videresendt melding|"
    "start på videresendt besked|begynnelse på videresendt melding|välitetty viesti|"
    "edelleenlähetetty viesti|przekazana wiadomość|wiadomość przekazana dalej|początek przekazywanej wiadomości|"
    "přeposlaná zpráva|preposlaná správa|továbbított üzenet|mesaj redirecționat|iletilen mesaj|yönlendirilmiş ileti|"
    "пересылаемое сообщение|пересланное сообщение|начало переадресованного сообщения|転送されたメッセージ|"
    "転送メッセージ|转发的邮件|转发邮件|已轉寄的郵件|전달된 메일|doorgestuurd|forwarded"
)

# A whole short line that a phone or a program adds.
TAGLINES = (
    r"ᐧ|sent from (my|the|a) .+|sent from \pL[\pL\d.]{2,20}|sent from .+( for (ios|android|windows|mac|mobile))|sent (from|with|by|via|using) "
    r"(outlook|mail|yahoo|gmail|proton ?mail|spark|samsung|iphone|ipad|android|blackberry|mailbird|superhuman|"
    r"airmail|mobile|zoho|fastmail|front|an? .+ (phone|device)|android phone|windows|nine|email\+|mimestream)\b.+|"
    r"sent .+(mobile device|smartphone|mobile phone|iphone|blackberry|ipad)|get outlook for .+|"
    r"get bluemail for .+|von meinem .+ gesendet|gesendet (von|mit|über|aus) .+|"
    r"diese nachricht wurde von .+ gesendet|"
    r"outlook (für|for) (ios|android).+|von unterwegs gesendet|mobil gesendet|"
    r"(envoyé|envoye) (de|depuis|avec|à partir de|par) .+|"
    r"obtenir outlook pour .+|télécharger outlook.+|enviado (desde|do|a partir do|de|con|com|pelo) .+|"
    r"obtener outlook para .+|obter o? ?outlook para .+|inviato (da|con|dal) .+|"
    r"ottieni outlook per .+|scarica outlook.+|(verstuurd|verzonden) (vanaf|vanuit|met|via) .+|"
    r"outlook voor (ios|android).+( downloaden)?|(skickat|skickades) (från|med|via) .+|"
    r"hämta outlook för .+|(sendt|send) (fra|med|via) .+|hent outlook .+|"
    r"lähetetty .+|hanki outlook .+|(wysłane|wysłano) (z|ze|za pomocą) .+|pobierz outlook.+|"
    r"odesláno z .+|odoslané z .+|trimis (de pe|din) .+|az? .+ küldve|.+ küldve|"
    r".+ (tarafından|’?'?(mdan|den|dan)) gönderildi|"
    r"отправлено (с|из) .+|отправлено от .+|надіслано з .+|.+iphone ?から送信|.+から送信|"
    r"发自我的.+|從我的.+傳送|나의 .+에서 보냄|أُ?رسلت من .+|תן לי לדעת .{1,3}|נשלח מ.+|"
    r"στάλθηκε από .+|virus-?free\.? .+|virenfrei\.? .+|garanti sans virus.+|libre de virus.+|"
    r"avast logo|.+(checked for viruses|auf viren geprüft).+|sendt fra min .+|"
    r"sent via .+|(typed|sent) with my thumbs.+|bcc'?ed .+|please excuse .+(typos|brevity).+"
)

GREETINGS = (
    "hi|hello|hey|dear|good morning|good afternoon|good evening|greetings|hallo|guten tag|guten morgen|guten abend|"
    "sehr geehrte|sehr geehrter|liebe|lieber|servus|moin|grüezi|grüß gott|bonjour|bonsoir|cher|chère|salut|hola|"
    "buenos días|buenas tardes|buenas|estimado|estimada|querido|querida|olá|ola|bom dia|boa tarde|prezado|prezada|"
    "caro|cara|buongiorno|buonasera|ciao|salve|gentile|egregio|beste|geachte|goedemorgen|goedemiddag|goedendag|dag|"
    "hej|hejsan|god morgon|goddag|kære|kjære|hei|moi|terve|hyvä|cześć|dzień dobry|witam|szanowny|szanowna|dobrý den|"
    "ahoj|szia|tisztelt|kedves|bună|bună ziua|stimate|stimată|merhaba|sayın|γεια|αγαπητέ|здравствуйте|добрый день|"
    "привет|уважаемый|уважаемая"
)

SIGN_OFFS = (
    "best|best regards|kind regards|warm regards|regards|many thanks|thanks|thanks again|thank you|thx|cheers|"
    "sincerely|yours sincerely|yours faithfully|yours truly|all the best|best wishes|warmly|take care|br|kr|"
    "with kind regards|with best regards|kindest regards|warmest regards|thanks and regards|thanks & regards|"
    "mit freundlichen grüßen|mit freundlichen grüssen|mit freundlichem gruß|mit freundlichem gruss|mit besten grüßen|"
    "mit besten grüssen|viele grüße|viele grüsse|beste grüße|beste grüsse|freundliche grüße|freundliche grüsse|"
    "liebe grüße|liebe grüsse|herzliche grüße|herzliche grüsse|schöne grüße|schöne grüsse|besten gruß|besten gruss|"
    "gruß|gruss|grüße|grüsse|hochachtungsvoll|mfg|vg|lg|bg|fg|grüßle|beste grüße aus|viele grüße aus|"
    "cordialement|bien cordialement|bien à vous|bien à toi|salutations|sincères salutations|meilleures salutations|"
    "très cordialement|cdlt|cdt|bonne journée|belle journée|amicalement|respectueusement|"
    "saludos|un saludo|saludos cordiales|un cordial saludo|atentamente|cordialmente|atte|un abrazo|gracias|"
    "reciba un cordial saludo|atenciosamente|cumprimentos|melhores cumprimentos|com os melhores cumprimentos|abraço|"
    "abraços|obrigado|obrigada|att|cordiali saluti|distinti saluti|saluti|un saluto|un cordiale saluto|grazie|"
    "buona giornata|met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|groet|"
    "groeten|groetjes|hartelijke groet|mvg|vr gr|med vänlig hälsning|med vänliga hälsningar|vänliga hälsningar|"
    "vänligen|hälsningar|hälsning|mvh|bästa hälsningar|med venlig hilsen|venlig hilsen|med vennlig hilsen|"
    "vennlig hilsen|hilsen|de bedste hilsner|vh|ystävällisin terveisin|terveisin|terv|pozdrawiam|z poważaniem|"
    "z pozdrowieniami|serdecznie pozdrawiam|pozdrowienia|s pozdravem|s pozdravom|üdvözlettel|üdv|cu stimă|"
    "saygılarımla|με εκτίμηση|с уважением|с наилучшими пожеланиями|з повагою|よろしくお願いいたします|"
    "よろしくお願いします|敬具|此致|祝好|감사합니다"
)

# A paragraph with one of these is a notice of the company's lawyers or its mail gateway.
DISCLAIMERS = (
    "confidential and|is confidential|are confidential|confidentiality notice|intended recipient|intended only for|"
    "intended solely for|legally privileged|privileged information|is strictly prohibited|"
    "consider the environment|think before you print|disclaimer:|vertrauliche informationen|ist vertraulich|"
    "vertrauliche und|rechtlich geschützte|nicht der richtige adressat|nicht der beabsichtigte empfänger|"
    "irrtümlich erhalten|datenschutzhinweis|datenschutzerklärung|informationen zum datenschutz|"
    "bitte denken sie an die umwelt|message est confidentiel|sont confidentiels|à l'attention exclusive|"
    "à l’attention exclusive|usage exclusif|destinataire de ce message|n'imprimez|pensez à l'environnement|"
    "es confidencial|carácter confidencial|información confidencial|destinatario de este mensaje|"
    "protección de datos|rgpd|é confidencial|caráter confidencial|sono confidenziali|è riservato|sono riservate|"
    "informazioni riservate|uso esclusivo del destinatario|d.lgs|reg. ue|regolamento ue|"
    "is vertrouwelijk|vertrouwelijke informatie|bestemd voor de geadresseerde|"
    "konfidentiell information|är konfidentiellt|fortrolig|luottamuksellinen|poufn|důvěrné|"
    "registered in england|registered office|company number|geschäftsführer|amtsgericht|handelsregister|hrb |"
    "sitz der gesellschaft|ust-id|siret|capital social|rcs |p. iva|p.iva|registro mercantil|kvk|org.nr|org nr|"
    "personuppgift|mentions légales"
)

BANNERS = (
    "[external]|[extern]|[ext]|[externe]|[externo]|[esterno]|external email|external sender|external mail|"
    "caution: this|caution: external|caution : |warning: this e|originated from outside|originated outside|"
    "sender is outside|comes from outside|from an external|do not click|you don't often get email from|"
    "some people who received this message don't often get|externe e-mail|externe mail|achtung: diese|"
    "vorsicht: |stammt von außerhalb|stammt von ausserhalb|von einem externen absender|"
    "sie erhalten nicht oft|expéditeur externe|provient de l'extérieur|provient de l’extérieur|courriel externe|"
    "correo externo|remitente externo|procede de fuera|mittente esterno|proviene dall'esterno|"
    "externe afzender|afkomstig van buiten|externt mejl|extern avsändare|ekstern e-mail|wiadomość zewnętrzna"
)
