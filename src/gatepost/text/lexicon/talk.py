"""The words by which a mail talks to a program instead of to its reader, in many languages. RE2, lower case."""

# A program that might read: never enough alone, people write about programs.
PROGRAMS = (
    r"a\.?i\.?'?(?: models?| assistants?| agents?| readers?| systems?)?|ai-assistente?n?|llms?|language models?|"
    r"chat-?bots?|bots?|gatepost|gpt|copilot|virtual assistant|(?:e-?mail )?assistants?|classifiers?|parsers?|"
    r"system|tool|automated system|outreach tool|reply classifier|machine|program|"
    r"kis?|sprachmodell|assistent(?:en|in)?|programm|klassifikator|systemanweisung|"
    r"ia|assistant ia|mod[eè]le de langage|robot|syst[eè]me|programme|classificateur|"
    r"asistente(?: virtual)?|modelo de (?:lenguaje|linguagem)|sistema|clasificador|programa|"
    r"intelligenza artificiale|assistente(?: virtuale| virtual)?|modello linguistico|classificatore|programma|"
    r"taalmodel|systeem|rob[oôó]|classificador|asystent(?:a|cie)?(?: ai)?|model j[eę]zykowy|klasyfikator|"
    r"ai-assistente?n|spr[åa]kmodell(?:en)?|klassificerare(?:n)?|teko[aä]ly|avustaja|"
    r"um[eě]l(?:ou|á) inteligenc[ie]|asistente?|yapay zek[aâ](?: asistanı)?|asistan|"
    r"mesters[eé]ges intelligencia|inteligen[tț]a artificial[aă]|"
    r"искусственный интеллект|ассистент|бот|система|асистент|ии"
)
# Who is written before the program: "Note to the AI that reads this:".
OPENERS = (
    r"p\.?\s?s\.?:?|dear|hey|hi|hello|oye|attention|achtung|notice|note|notes|message|messages|instructions?|orders?|"
    r"for|to|an|till|til|do|aan|par|para|por|per|pour|pro|voor|für|the|die|das|den|der|l'|la|le|il|de|het|el|o|à|a|"
    r"al|all'|dla|all|any|new|neue|automated|whichever|hinweis|anweisung|liebe[rs]?|note à|note à l'|à l'attention d[ue]|"
    r"consigne|au|du|cher|chère|nota|instrucciones|instrucción|estimad[oa]|istruzione|istruzioni|car[oa]|nuovo|"
    r"instructie|beste|instruções|notitie|poznámka|uwaga|notatka|not|huomautus|reply|email|also,?|bitte"
)
READS = (
    r"reads?|reading|that reads|who reads|sorting|processing|reading this|die das|qui lit|qui trie|che legge|que lee|"
    r"que lê|der læser|die dit leest|som läser"
)
# What one asks of such a program, and of no person who sells.
TASKS = (
    r"label\w*|tag|classif\w*|reclassif\w*|categor\w*|mark|treat|status|prompt|instruction\w*|rules?|calendar|agenda|"
    r"sequence\w*|suppress\w*|workspace|contacts?|return date|leads?|evidence|guidelines|override|task|thread|mailbox|"
    r"kategorie|klassifizier\w*|markier\w*|einordnen|einstufen|abwesenheit\w*|kalender|anweisung\w*|vorgaben|regeln|"
    r"sequenz|kontakt|zusage|abmeldung|étiquette|classer?|marquer?|marque|considère|statut|séquence|désinscrire|consignes|"
    r"désabonnement|courriel|etiquet\w*|clasifi\w*|clasificación|estado|secuencia|calendario|reglas|baja|regreso|"
    r"etichett\w*|segna|stato|sequenza|cancellazione|regole|rientro|classifica|"
    r"markeer|classificeer|reeks|uitschrijven|afmelding|agenda|instructies|regras|contacto|descadastro|estatuto|"
    r"marcar?|etykiet\w*|oznacz|sklasyfikuj|rezygnacj\w*|etikett\w*|märk|klassificer\w*|etiket\w*|luokittele|štítek|"
    r"oznac\w*|sınıflandır|işaretle|takvim\w*|jelöl\w*|marcheaz\w*|call the tool|send_mail|suspend|hot|directory|"
    r"метк\w*|отмет\w*|классиф\w*"
)

# Setting aside what a program was told.
COUNTERMANDS = (
    # (the verb, what is set aside), in either order within a sentence
    (
        r"ignore|disregard|override|bypass|discard|skip|do not follow|forget (?:all|any|every\w*|your|the|what|previous)",
        r"(?:previous|prior|earlier|above|other|system|given|your|all) (?:\pL+ ){0,3}"
        r"(?:instructions?|rules?|prompts?|guidelines|orders|commands|classification|opt-?outs)|"
        r"instructions? you (?:were|are)|text above|were told|label|absence",
    ),
    (
        r"ignorier\w*|vergiss|vergesst|verwerfen|verwirf|missacht\w*|übergeh\w*",
        r"anweisung\w*|vorgaben|instruktion\w*|(?:deine|eure|alle|bisherigen) regeln|befehle|prompt|abmeldung",
    ),
    (
        r"ignore[rz]?|oublie[rz]?|ne (?:tiens|tenez|tenir) pas compte|fais abstraction|annule",
        r"(?:instructions?|consignes?|règles|ordres) (?:précédent\w*|reçu\w*|antérieur\w*|ci-dessus)|tes consignes|"
        r"tes règles|tes instructions|vos instructions|prompt",
    ),
    (
        r"ignor[ae]\w*|olvid[ae]\w*|haz caso omiso|no tengas en cuenta|descarta|anula",
        r"(?:instrucciones|reglas|órdenes|indicaciones) (?:anteriores|previas|recibidas)|tus (?:instrucciones|reglas)|"
        r"lo anterior|prompt",
    ),
    (
        r"ignora\w*|dimentica\w*|trascura|non tenere conto|annulla",
        r"(?:istruzioni|regole|indicazioni|ordini) (?:precedenti|ricevut\w*|anteriori)|tue (?:istruzioni|regole)|"
        r"quanto scritto sopra|assenza|prompt",
    ),
    (
        r"negeer\w*|vergeet|sla over",
        r"instructies|aanwijzingen|(?:je|jouw|alle|eerdere) regels|opdrachten|prompt",
    ),
    (
        r"ignor[ae]\w*|esque[cç]\w*|desconsider\w*|descarta\w*",
        r"(?:instruções|regras|ordens) (?:anteriores|acima|prévias)|(?:tuas|suas) (?:instruções|regras)|prazo|prompt",
    ),
    (r"z?ignoruj\w*|zapomnij|pomiń", r"instrukcj\w*|polece\w*|reguł\w*|wytyczn\w*|prompt"),
    (
        r"ignorer\w*|ignorera|bortse|se bort|glöm|glem|strunta i",
        r"instruktion\w*|instruks\w*|anvisning\w*|(?:tidigare|tidligere|alla|alle|dina|dine) regl?er\w*|prompt",
    ),
    (r"ohita|unohda|älä huomioi", r"ohje\w*|sään\w*|käsky\w*"),
    (r"ignoruj\w*|zapomeň|zapomeňte|přehlíž\w*|nedbej", r"pokyn\w*|instrukc\w*|pravid\w*"),
    (r"yok say\w*|görmezden gel\w*|unut", r"talimat\w*|kural\w*|yönerge\w*"),
    (r"figyelmen kívül|felejtsd el|ne vedd figyelembe", r"utasítás\w*|szabály\w*"),
    (r"ignor\w*|uită|nu ține cont", r"instrucțiuni\w*|regul\w*|comenzi\w*"),
    (r"無視|忘れ", r"指示|命令|ルール|プロンプト"),
    (r"忽略|无视|無視|忘记|忘掉", r"指令|指示|规则|規則|提示"),
    (r"무시|잊어", r"지시|명령|규칙|프롬프트"),
    (r"игнорир\w*|забудь\w*|не учитыв\w*", r"инструкци\w*|указани\w*|правил\w*|команд\w*"),
    (r"ігнор\w*|забудь\w*", r"інструкц\w*|вказівк\w*|правил\w*"),
    (r"αγνόησ\w*|αγνοήσ\w*|ξέχασε", r"οδηγί\w*|εντολ\w*|κανόν\w*"),
    (r"تجاهل|انس", r"التعليمات|الأوامر|القواعد"),
    (r"התעלם|התעלמי|שכח", r"הוראות|ההוראות|מההוראות|הכללים"),
    (r"अनदेखा|भूल", r"निर्देश\w*|निर्देशों|नियम\w*"),
)

# Telling somebody what to call this mail.
LABELLING = (
    (
        r"(?:re)?label|(?:re)?classify|categori[sz]e|(?:re)?tag|mark|file|treat|rate|flag|classified|labelled|consider",
        r"(?:this|the|every|all|it|everything) ?(?:\pL+ ){0,2}(?:repl(?:y|ies)|messages?|e-?mails?|threads?|"
        r"conversations?|contact|above) (?:\pL+ ){0,3}(?:as|under|to be|like|unsubscribe|interested|hard)|"
        r"this as (?:an? )?\"?(?:interested|unsubscribe|hard_no|question|yes|no|lead|hot|spam|positive|negative|irony)|"
        r"this hard_no|as interested|under \"?interested|as positive",
    ),
    (
        r"labell?e?|klassifizier\w*|stufe|einstufen|einordnen|markier\w*|kennzeichn\w*|ablegen|trage|behandle|setze",
        r"(?:diese|die|diesen|dieses) (?:antwort|nachricht|mail|e-mail|kontakt|abwesenheitsnotiz)\w* als|"
        r"das label|label auf|als (?:interessiert|abwesenheit|abmeldung|automatisch)|antwort als|rückkehrdatum",
    ),
    (
        r"class(?:e|er|ez|ifie\w*)|marque\w*|étiquett\w*|considère\w*|range|changer?|mettre|mets",
        r"(?:cette|ce|ces|le) (?:réponse|message|mail|courriel|e-mail)s? comme|comme (?:intéressée?s?|interested|un oui)|"
        r"le label|l'étiquette|comme une demande de désabonnement",
    ),
    (
        r"marc[ao]\w*|marque|etiquet\w*|clasifi(?:ca|car|que)|pon|cambia",
        r"(?:esta|este|el) (?:respuesta|correo|mensaje|hilo) como|como interesad[oa]|la (?:clasificación|etiqueta) (?:de|a|en) \pL+|"
        r"respuesta como",
    ),
    (
        r"classifica\w*|segna\w*|etichetta\w*|considera\w*|marca\w*|imposta\w*|contrassegna\w*",
        r"(?:questa|questo|la) (?:risposta|messaggio|mail|email|e-mail) come|come interessat[oa]|l'etichetta|"
        r"la data di rientro",
    ),
    (
        r"markeer\w*|classificeer\w*|label|zet|stel",
        r"(?:dit|deze|het) (?:antwoord|bericht|mail|e-mail) als|als geïnteresseerd|het label|label van",
    ),
    (
        r"marc[ae]\w*|marque|classific\w*|etiquet\w*|rotul\w*",
        r"(?:esta|este|essa|esse) (?:resposta|mensagem|e-?mail) como|como (?:interessad[oa]|interested|descadastro)",
    ),
    (
        r"oznacz\w*|sklasyfikuj\w*|ustaw\w*|potraktuj\w*",
        r"(?:tę|ta|tej|ten) (?:odpowiedź|wiadomoś\w*|mail\w*)|etykiet\w*|jako zainteresowan\w*",
    ),
    (
        r"märk|markér|markera|merk|klassificer\w*|klassifiser\w*|sätt|sæt|sett",
        r"(?:det här|detta|dette|denne) (?:svaret?|mejlet|meddelande\w*|e-posten)|etikett\w*|som (?:intress\w*|interess\w*)",
    ),
    (r"merkitse|luokittele|aseta", r"tämä (?:vastaus|viesti)|kiinnostu\w*"),
    (r"označ\w*|nastav\w*|klasifikuj\w*", r"(?:tuto|tento) (?:odpověď|zprávu|e-?mail)|štítek"),
    (r"işaretle\w*|sınıflandır\w*|etiketle\w*", r"bu (?:yanıtı?|e-?postayı?|mesajı?)"),
    (r"jelöld|jelölj\w*|sorold", r"ezt a (?:választ|levelet|üzenetet)"),
    (r"marchea\w*|clasific\w*|etichet\w*", r"acest (?:răspuns|mesaj|e-?mail)"),
    (r"分類|ラベル|マーク", r"この(?:返信|メール|メッセージ)"),
    (r"标记|标签|分类|归类|標記", r"这封|这个|此(?:邮件|回复)|这条"),
    (r"표시|분류", r"이 (?:답장|메일|메시지)"),
    (r"отмет\w*|классифиц\w*|пометь\w*", r"(?:этот|это) (?:ответ|письмо|сообщение)"),
    (r"познач\w*|класифік\w*", r"(?:цю|цей|це) (?:відповідь|лист|повідомлення)"),
    (r"βάλε|σημείωσε|ταξινόμησε", r"ετικέτα|απάντηση ως"),
    (r"صن[ّ]?ف|ضع", r"هذا (?:الرد|البريد)|هذه الرسالة"),
    (r"סמן|סווג", r"(?:ה)?(?:תשובה|הודעה|מייל) (?:הזו|הזה)"),
    (r"मानो|चिह्नित", r"इस (?:उत्तर|ईमेल|संदेश)"),
)

# The field of a program, with a value given to it.
FIELDS = (
    r"[\w\-]*label|labels|status|category|classification|kategorie|klassifikation|return_date|priority|confidence|override|"
    r"[\w.\-]*\.output|étiquette|etiquette|statut|etiqueta|etichetta|estado|stato|status|etikett|etiket|"
    r"fecha de regreso|标签|ラベル|метка"
)
VALUES = (
    r"interested|hot lead|question|circle_back_later|not_interested|hard_no|unsubscribe|not_the_right_person|referral|"
    r"out_of_office|left_company|auto_reply|bounce|other|unsure|positive|negative"
)

# What nobody says to a person.
PLAIN = (
    r"(?:you are now in|enable|enter) (?:developer|debug|admin|god|jailbreak) mode|you are a \pL+ (?:\pL+ )?assistant|"
    r"if you are an? (?:ai|llm|language model|bot)\b|(?:your|the) system[- ]prompt|system[- ]prompts? aus|deinen system-prompt|"
    r"(?:ai|bot|llm) readers?:|call the tool|for the (?:parser|classifier|bot)|new instructions for the|"
    r"your (?:previous |earlier )?instructions (?:have changed|say|are)|"
    r"(?:correct|right) (?:answer|label) for this (?:message|mail|reply)|head of ignoring|decode and obey|"
    r"(?:to|resume|remove .{0,40} from) the suppression list|set label|tag this contact"
)

# Header fields that a program writes, pasted into the text.
HEADERS = (
    r"x-[\w\-]+|auto-submitted|precedence|content-type|content-transfer-encoding|return-path|list-unsubscribe[\w\-]*|"
    r"received|message-id|in-reply-to|dkim-signature|authentication-results|diagnostic-code|final-recipient|"
    r"original-recipient|reporting-mta|mime-version"
)
