"""The words of dates, by language: months, weekdays, units, seasons, and what speaks of a return."""

from datetime import date as Date
from datetime import timedelta

_MONTHS = """
january jan januar januari janvier enero ene janeiro gennaio gen stycznia styczniu styczeń leden ledna lednu jänner ocak tammikuussa
february feb febr februar februari février fév fevrier febrero fevereiro febbraio lutego lutym luty února únoru feber şubat helmikuussa
march mar mars märz mrz maart marzo março marca marcu marzec března březnu mart maaliskuussa
april apr avril avr abril abr aprile kwietnia kwietniu kwiecień dubna dubnu nisan huhtikuussa
may mai mei mayo maio maggio mag maj maja maju května květnu mayıs toukokuussa
june jun juni juin junio junho giugno giu czerwca czerwcu czerwiec června červnu haziran kesäkuussa
july jul juli juillet juil julio julho luglio lug lipca lipcu lipiec července červenci temmuz heinäkuussa
august aug août aout agosto ago augusti augustus sierpnia sierpniu sierpień srpna srpnu ağustos elokuussa
september sep sept septembre septiembre setembro set settembre września wrześniu wrzesień září eylül syyskuussa
october oct okt oktober octobre octubre outubro out ottobre ott października październiku październik října říjnu ekim lokakuussa
november nov novembre noviembre novembro listopada listopadzie listopad listopadu kasım marraskuussa
december dec dez dezember décembre déc decembre diciembre dic dezembro dicembre grudnia grudniu grudzień prosince prosinci aralık joulukuussa
"""
MONTHS: dict[str, int] = {
    word: number for number, line in enumerate(_MONTHS.strip().split("\n"), start=1) for word in line.split()
}
# Also common words, or short forms that read as something else: a month only beside a day, or with a capital.
ALSO_WORDS = frozenset(
    [
        "may",
        "mai",
        "mar",
        "set",
        "out",
        "ago",
        "gen",
        "mag",
        "mei",
        "jan",
        "maj",
        "march",
        "mars",
        "sept",
        "sep",
        "dec",
        "dic",
        "apr",
        "avr",
    ]
)

_WEEKDAYS = """
monday mon montag lundi lunes lunedì maandag måndag mandag poniedziałek poniedziałku
tuesday tue tues dienstag mardi martes martedì dinsdag tisdag tirsdag wtorek wtorku
wednesday wed mittwoch mercredi miércoles mercoledì woensdag onsdag środę środy środa
thursday thu thurs donnerstag jeudi jueves giovedì donderdag torsdag czwartek czwartku
friday fri freitag vendredi viernes venerdì vrijdag fredag piątek piątku
saturday samstag sonnabend samedi sábado sabato zaterdag lördag lørdag sobota sobotę
sunday sonntag dimanche domingo domenica zondag söndag søndag niedziela niedzielę
"""
# Short forms that are words of other languages: a weekday only with a capital, inside a sentence.
SHORT_WEEKDAYS = frozenset(["mon", "tue", "tues", "wed", "thu", "thurs", "fri"])
WEEKDAYS: dict[str, int] = {
    word: number for number, line in enumerate(_WEEKDAYS.strip().split("\n")) for word in line.split()
} | {"segunda-feira": 0, "terça-feira": 1, "quarta-feira": 2, "quinta-feira": 3, "sexta-feira": 4}

NEXT = "next|coming|this|nächsten|kommenden|am|prochain|próximo|prossimo|volgende|nästa|næste|przyszły"
TOMORROW = "tomorrow|morgen früh|demain|mañana|amanhã|domani|imorgon|i morgon|i morgen|morgen|jutro"

NUMBERS: dict[str, int] = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "few": 3, "couple": 2, "twelve": 12,
    "ein": 1, "einem": 1, "einer": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "paar": 3, "einigen": 3,
    "wenigen": 3, "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six mois": 6, "quelques": 3,
    "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "unos": 3, "unas": 3, "um": 1, "uma": 1,
    "dois": 2, "duas": 2, "três": 3, "quatro": 4, "alguns": 3, "algumas": 3, "due": 2, "tre": 3, "quattro": 4,
    "cinque": 5, "sei": 6, "qualche": 3, "een": 1, "twee": 2, "drie": 3, "vijf": 5, "zes": 6, "enkele": 3, "en": 1,
    "ett": 1, "två": 2, "fyra": 4, "fem": 5, "sex": 6, "några": 3, "par": 2, "dwa": 2, "dwie": 2, "trzy": 3, "cztery": 4,
    "pięć": 5, "sześć": 6, "kilka": 3, "to": 2, "fire": 4, "seks": 6,
}  # fmt: skip
ABOUT = "about|around|roughly|etwa|ungefähr|circa|ca\\.|environ|unas|unos|umas|uns|cerca de|circa|ongeveer|omkring|około"
PAIR = ("couple", "paar", "par ", "paio", "pair")
NUMBER_WORDS = "a couple of|a couple|a few|ein paar|un par de|un paio di|een paar|ett par|" + "|".join(
    sorted(NUMBERS, key=len, reverse=True)
)
IN = "give me|another|geben sie mir|gib mir|laissez-moi|donnez-moi|deme|dame|dê-me|me dê|mi dia|geef me|ge mig|in|in about|in another|after|within|dans|d'ici|en|dentro de|em|daqui a|tra|fra|over|om|za|po|nach|after about"
HALF_YEAR = "half a year|einem halben jahr|ein halbes jahr|een half jaar(?:tje)?|medio año|mezz'anno|meio ano|ett halvår|et halvt år|pół roku"
UNITS = (
    "days?|weeks?|months?|quarters?|years?|tagen?|wochen?|monat(?:en|e)?|quartal(?:en)?|jahr(?:en)?|jours?|semaines?|mois|"
    "trimestres?|ans?|días?|semanas?|mes(?:es)?|años?|dias?|mês|anos?|giorn[oi]|settiman[ae]|mes[ei]|ann[oi]|dagen|weken|weekjes?|maandjes?|"
    "week|maand(?:en)?|kwartaal|jaar|dagar|veckor?|månad(?:er)?|år|dni|tydzień|tygodnie|tygodni|miesiąc(?:e)?|miesięcy|uger|måneder"
)
_UNIT_STEMS = (
    ("day", ("day", "tag", "jour", "día", "dia", "giorn", "dag", "dni")),
    (
        "week",
        ("week", "woche", "semaine", "semana", "settiman", "weken", "veck", "tydz", "tygod", "uge", "tydn"),
    ),
    ("month", ("month", "monat", "mois", "mes", "mês", "maand", "månad", "mån", "miesi", "måned")),
    ("quarter", ("quarter", "quartal", "trimest", "kwarta", "kvartal")),
    ("year", ("year", "jahr", "an", "año", "ann", "jaar", "år", "rok", "roku")),
)


def unit_of(said: str) -> str | None:
    """The unit named by the last word of `said` that names one."""
    for word in reversed(said.lower().replace("'", " ").split()):
        for unit, stems in _UNIT_STEMS:
            if word.startswith(stems):
                return unit
    return None


NEXT_UNIT = (
    "next (?:week|month|quarter|year)|(?:in|into|after|from) the new year|(?:con l'|nell'|dall'|con il |nel )(?:anno nuovo|nuovo anno)|(?:no|do) ano novo|(?:à|dès|après) la nouvelle année|(?:in|na) het nieuwe jaar|(?:efter|på) nya året|(?:i|efter) det nye år|nächste[nrs]? (?:woche|monat|quartal|jahr|jahres|quartals)|"
    "kommende[nrs]? (?:woche|monat|quartal|jahr)|neue[ns]? jahr|la semaine prochaine|le mois prochain|prochain trimestre|"
    "trimestre prochain|l'année prochaine|l'an prochain|(?:la )?(?:próxima semana|semana que viene)|"
    "(?:el )?(?:próximo (?:mes|trimestre|año)|mes que viene|trimestre que viene|año que viene)|semana que vem|próximo (?:mês|trimestre|ano)|mês que vem|trimestre que vem|ano que vem|"
    "la prossima settimana|settimana prossima|(?:il )?(?:prossimo (?:mese|trimestre|anno)|mese prossimo|trimestre prossimo|anno prossimo)|"
    "volgende? (?:week|maand|kwartaal|jaar)|volgend (?:kwartaal|jaar)|nästa (?:vecka|månad|kvartal|år)|"
    "næste (?:uge|måned|kvartal|år)|przyszłym (?:tygodniu|miesiącu|kwartale|roku)|nowym roku|przyszły (?:tydzień|miesiąc|rok)"
)

# As above, where a weekday stands beside it.
NEXT_WEEK = (
    "next week|nächste[nr]? woche|kommende[nr]? woche|(?:la |de la )?semaine prochaine|(?:la |de la )?(?:próxima semana|semana que viene)|"
    "(?:da |na )?semana que vem|(?:la |della )?(?:prossima settimana|settimana prossima)|volgende week|nästa vecka|næste uge|"
    "(?:w )?przyszłym tygodniu"
)
_QUARTERS = (
    (1, ("first quarter|erste[sn]? quartal|1\\. quartal|premier trimestre|primer trimestre|primeiro trimestre|primo trimestre"
     "|eerste kwartaal|första kvartalet|pierwszym kwartale")),
    (2, ("second quarter|zweite[sn]? quartal|2\\. quartal|deuxième trimestre|segundo trimestre|secondo trimestre"
     "|tweede kwartaal|andra kvartalet|drugim kwartale")),
    (3, ("third quarter|dritte[sn]? quartal|3\\. quartal|troisième trimestre|tercer trimestre|terceiro trimestre"
     "|terzo trimestre|derde kwartaal|tredje kvartalet|trzecim kwartale")),
    (4, ("fourth quarter|vierte[sn]? quartal|4\\. quartal|quatrième trimestre|cuarto trimestre|quarto trimestre"
     "|vierde kwartaal|fjärde kvartalet|czwartym kwartale")),
)  # fmt: skip
QUARTER_WORDS = "|".join(written for _, written in _QUARTERS)


def quarter_of(said: str) -> int | None:
    """The number of the quarter that these words name."""
    said = said.lower()
    ordinals = {
        1: ("first", "erst", "1.", "premier", "primer", "primeiro", "primo", "eerst", "först", "pierw"),
        2: ("second", "zweit", "2.", "deux", "segundo", "secondo", "tweed", "andra", "drugi"),
        3: ("third", "dritt", "3.", "trois", "tercer", "terceiro", "terzo", "derde", "tredje", "trzeci"),
        4: ("fourth", "viert", "4.", "quatr", "cuarto", "quarto", "vierd", "fjärde", "czwart"),
    }
    return next((number for number, stems in ordinals.items() if said.startswith(stems)), None)


SECOND_HALF = (
    "second half(?: of the year)?|zweite[n]? jahreshälfte|zweiten halbjahr|second semestre|segundo semestre|secondo semestre|"
    "tweede helft|andra halvan|andra halvåret"
)
SEASONS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(["spring", "frühjahr", "frühling", "printemps", "primavera", "voorjaar", "lente", "våren", "foråret", "wiosną", "wiosnę"], (3, 20)),
    **dict.fromkeys(["after the summer", "after summer", "nach dem sommer", "nach der sommerpause", "nach den sommerferien", "après l'été", "después del verano", "tras el verano", "pasado el verano", "pasando el verano", "etter sommeren", "etter ferien", "efter ferien", "efter sommerferien", "depois do verão", "dopo l'estate", "na de zomer", "na de zomervakantie", "efter sommaren", "efter semestern", "po wakacjach", "la rentrée", "herbst", "autumn", "in the fall", "this fall", "next fall", "automne", "otoño", "outono", "autunno", "najaar", "herfst", "hösten", "efteråret", "jesienią"], (9, 1)),
    **dict.fromkeys(["summer", "sommer", "été", "verano", "verão", "estate", "zomer", "sommaren", "latem"], (6, 21)),
    **dict.fromkeys(["winter", "hiver", "invierno", "inverno", "vintern", "zimą"], (12, 21)),
    **dict.fromkeys(["after christmas", "after the holidays", "nach weihnachten", "nach den feiertagen", "après les fêtes", "nach neujahr", "después de navidad", "después de las fiestas", "dopo natale", "dopo le feste", "na de feestdagen", "na kerst", "efter jul", "efter nyår", "po świętach", "janvier prochain"], (1, 2)),
}  # fmt: skip

# Movable feasts: days from Easter Sunday to the first working day after the feast.
_FEASTS = (
    (2, "easter|ostern|osterferien|pâques|pascua|semana santa|páscoa|pasqua|pasen|påsk|påske|wielkanocy|wielkiejnocy|velikonocích|pääsiäisen"),
    (-46, "carnival|karneval|fasching|fasnacht|carnaval|carnevale|carnavals?|karnawale"),
    (51, "pentecost|whitsun|pfingsten|pentecôte|pentecostés|pentecostes|pentecoste|pinksteren|pingst|pinse"),
)  # fmt: skip
FEASTS: dict[str, int] = {name: days for days, names in _FEASTS for name in names.split("|")}
# Feasts of other calendars: their first days from 2026 on, and the days until work goes on. As the package `holidays` has
# them, which takes a second to load and 20 MB (tests/text/test_dates.py compares); for later years no date is read.
_FEASTS_BY_THE_MOON = (
    ("diwali|deepavali", 1, "2026-11-08 2027-10-28 2028-11-15 2029-11-05 2030-10-26 2031-11-14 2032-11-02 2033-10-22 2034-11-10 2035-10-30"),
    ("eid al-fitr|eid|ramadan|ramazan|ramazan bayramı|bayram", 3, "2026-03-20 2027-03-09 2028-02-26 2029-02-14 2030-02-04 2031-01-24 2032-01-14 2033-01-02 2033-12-23 2034-12-12 2035-12-01"),
    ("eid al-adha|eid|bakrid|kurban bayramı|bayram", 4, "2026-05-27 2027-05-16 2028-05-05 2029-04-24 2030-04-13 2031-04-02 2032-03-22 2033-03-11 2034-03-01 2035-02-18"),
    ("chinese new year|lunar new year|cny|spring festival|春节|春節", 8, "2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-03 2031-01-23 2032-02-11 2033-01-31 2034-02-19 2035-02-08"),
)  # fmt: skip
FEASTS_BY_THE_MOON: dict[str, tuple[Date, ...]] = {}
for _names, _rest, _days in _FEASTS_BY_THE_MOON:
    for _name in _names.split("|"):  # "eid" is either of two
        _over = [Date.fromisoformat(day) + timedelta(days=_rest) for day in _days.split()]
        FEASTS_BY_THE_MOON[_name] = tuple(sorted([*FEASTS_BY_THE_MOON.get(_name, ()), *_over]))
# Feasts with a day of their own: month and day on which work goes on.
FIXED_FEASTS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(["epiphany", "dreikönig", "reyes", "l'epifania", "la befana", "trettonhelgen", "trzech królach"], (1, 7)),
    **dict.fromkeys(["ferragosto"], (8, 16)),
    **dict.fromkeys(["majówce", "długim weekendzie"], (5, 4)),
    **dict.fromkeys(["christmas", "xmas", "weihnachten", "noël", "navidad", "natal", "natale", "kerst", "jul", "boże narodzenie", "świętach", "new year", "neujahr", "año nuevo", "capodanno", "nieuwjaar", "nyår", "nytår"], (1, 2)),
    **dict.fromkeys(["midsummer", "midsommar", "juhannuksen"], (6, 25)),
    **dict.fromkeys(["thanksgiving"], (12, 1)),
}  # fmt: skip
AFTER = (
    "after|post|once|past|nach|après|passé|después de|pasando|pasad[oa]s?|pasar|tras|depois d[eoa]|passad[oa]|dopo|passat[oa]|na|efter|etter|po|jälkeen|"
    "not this side of|not (?:before|until)|nicht vor|pas avant|no antes de|non prima di|não antes d[eao]|niet (?:voor|vóór)|inte (?:före|förrän)|ikke før|nie przed"
)
END_OF_THIS_MONTH = (
    "(?:the )?end of (?:the|this) month|month[- ]end|ende des monats|ende dieses monats|monatsende|(?:la )?fin du mois|"
    "(?:fin|final) de(?: este)? mes|fim do mês|fine (?:del )?mese|eind(?:e)? van de(?:ze)? maand|slutet av månaden|slutningen af måneden|"
    "końca miesiąca"
)
# A day of a month that is not named; ordinals of English are read apart.
DAY_ALONE = (
    "(?:bis |ab |vor )?(?:zum |dem )|am |den |jusqu'au |le |au |dès le |(?:hasta )?el (?:día )?|(?:d[eo]l )?día |dia |"
    "fino al |il |dal |tot de |till den "
)
# Ordinals in front of "week of May".
_WEEK_ORDINALS = (
    "first|1st|ersten?|1\\.|première|1ère|primera|primeira|prima|eerste|första|første|pierwszym",
    "second|2nd|zweiten?|2\\.|deuxième|2e|segunda|seconda|tweede|andra|anden|drugim",
    "third|3rd|dritten?|3\\.|troisième|3e|tercera|terceira|terza|derde|tredje|trzecim",
    "fourth|4th|vierten?|4\\.|quatrième|4e|cuarta|quarta|vierde|fjärde|fjerde|czwartym",
)
WEEK_OF = (
    rf"(?:{'|'.join(f'({each})' for each in _WEEK_ORDINALS)}) (?:full )?"
    r"(?:week|(?:\pL+)?woche|semaine|semana|settimana|veckan|uge|tygodniu) ?(?:of|in|im|de|d'|di|van|i|af)? ?$"
)
# Between the first and the last day of a range.
TO = "to|till|until|thru|through|bis|bis zum|au|al|a|hasta|hasta el|ao|até|tot|tot en met|t/m|till|til|do|[-–—]"
MID = "mid|middle of|mitte|mi|mediados de|meados de|metà|half|medio|mitten av|midten af|połowie"
END = "end of|late|ende|fin|finales de|fim de|final de|fine|eind|slutet av|slutningen af|końcu|pod koniec"

RETURN = (
    r"back\b|return|mon retour|reopen|open again|see you|joining|resume|at work|lirai|reprend|"
    r"wieder im dienst|dienstzeit|reprise|volto|reabr|riapr|geöffnet|öffnen wieder|weer aan|işbaşı|wieder (?:da|im büro|erreichbar|im haus|für sie|zurück|hier)|zurück|wieder|de retour|serai de retour|reviens|rentre|"
    r"de vuelta|regres|vuelvo|volver|reincorpor|de volta|retorn|regresso|voltarei|rientr|torner|di ritorno|sarò nuovamente|"
    r"terug|weer (?:aanwezig|bereikbaar|op kantoor)|tillbaka|åter|tilbage|igen|wracam|wrócę|powrót|powrocie|będę ponownie|"
    r"weer (?:voor u|open)|(?:zijn|staan) (?:we|wij) weer|réouvert|rouvr|reapertura|riapertura|wiedereröffn|"
    r"ab (?:dem |zum )?(?:\d|kw|mo|di|mi|do|fr|woche)|from .{1,20} onwards"
)
ABSENCE = (
    r"out of|away|leave|holiday|vacation|until|till|through|thru|unavailable|absent|abwesend|urlaub|nicht im|bis (?:zum|einschl)|"
    r"elternzeit|congé|jusqu|vacances|vacaciones|hasta|fuera|baja|férias|até|ausente|ferie|fino al|assente|vakantie|"
    r"afwezig|tot|semester|ledig|till|t\.o\.m|ferie|urlop|nieobecn|między|from .{1,40} to |vom .{1,40} bis|du .{1,40} au|closed|travel|geschlossen|chius|cerrad|fermé|čerpám|izin|poza|up to and|delays?"
)
LATER = (
    r"give me|need|ask me|drop (?:me|us)|nudge|remind|erinner|gib mir|laissez-moi|donnez-moi|deme|dê-me|mi dia|geef me|preg[uú]nt|"
    r"búsque|probier|versuch|aggiorn|przypom|odezwa|geht\b|ozvěte|contact|reach|circle|touch base|check|follow|get back|come back|write|talk|speak|call|again|revisit|ping|try|look at|discuss|"
    r"touch|reconnect|connect|melden|meld|sprechen|reden|erneut|nochmal|noch einmal|wieder|auf mich zu|anrufen|ruf(?:en sie|t)? (?:mich|uns)|ab |recontact|reparl|revenez|revenir|"
    r"relanc|rappel|reprend|écri|contáct|contact|escrib|hablar|hablamos|retom|llám|vuelva|vuelve|volver|fal(?:e|ar|amos)|volte|"
    r"retome|ricontatt|risent|sentir|riparl|scriv|contatt|bel|mail|neem|kom|terug|spreken|benader|hör|återkom|kontakta|ring|prata|skriv|"
    r"parl|vend|ring|odezw|wróc|kontakt|napisz|skontakt|not before|earliest|frühestens|au plus tôt|wait|until|after|instead"
)
# Beside a notice of absence: what is due then is not the person.
DUE = r"due (?:on |by )?(?:the )?\d|fällig|deadline"
# A date in such a sentence belongs to something else.
ELSEWHERE = (
    r"expires|signed|since|founded|invoice|order|seit|gegründet|rechnung|depuis|facture|desde (?:hace|el año)|dal \d{4}|contract|vertrag|contrat|contrato|contratto|pliego|syndic|tender|umowa|avtal|certif|wedding|hochzeit|"
    r"werkdagen|working days|arbeitstage|jours de travail|(?:^|[^\pL])(?:geboren|was born|nació|è nato|est née?)(?:$|[^\pL])|"
    r"elections?|échoit|scade|vence|devia|supposed|meant to|was due|appointment|cita|"
    r"\btel\b|telefon|phone|street|straße|\bhrb\b"
)
# Directly in front of the day, a little before it, and behind it.
THROUGH = r"(?:through|thru)(?: to)?(?: the)?(?: end of)?(?: \pL+day,?)?"
INCLUDING = r"up to and including|bis (?:und mit|einschl|inkl)|einschl|inclusief|tot en met|t/m|till och med|t\.o\.m|til og med|fino al? .{0,20}compreso"
INCLUDED = r"inclus|compreso|incluso|inkl|włącznie|まで"
# The next sentence points back to the date of this one.
THEN = (
    "then|por esas fechas|after that|afterwards|danach|dann|alors|ensuite|entonces|después|então|depois|allora|poi|daarna|dan|sedan|då|derefter|"
    "da|wtedy|potem|at that point|à ce moment|en ese momento|in quel momento|zu (?:dem|diesem) zeitpunkt|tegen die tijd|op dat moment"
)
