"""First and last names by language, titles by language, and how an address is made of a name."""

from __future__ import annotations

import re
import unicodedata

FIRST = {
    "en": "Hannah Priya Marcus Olivia Desmond Farah Gareth Imogen Kwame Lorna Nadia Patrick Rosalind Samuel "
    "Tamsin Wei Zadie Joel Keisha Rupert Anjali Callum Mei Wanjiru",
    "de": "Anke Bernd Carolin Dieter Elif Florian Gudrun Henning Ines Jonas Katrin Lukas Murat Nele Oskar Silke "
    "Thorsten Ulrike Volker Wiebke",
    "fr": "Amandine Bastien Céline Damien Élodie Fabrice Gaëlle Hugo Inès Julien Karim Laure Mathieu Nadège "
    "Olivier Pauline Rachid Sandrine Thierry Yasmine",
    "es": "Alejandro Beatriz Carmen Diego Esteban Fernanda Gonzalo Inés Javier Leticia Manuel Noelia Pablo Rocío "
    "Sergio Teresa Ximena",
    "it": "Alessio Bianca Claudio Donatella Elisa Filippo Giada Lorenzo Marta Nicola Ornella Paolo Renata Stefano "
    "Valentina",
    "nl": "Anouk Bram Daan Esther Femke Gijs Hanneke Joost Lotte Maarten Niels Roos Sjoerd Tessa Wouter",
    "pt": "Beatriz Caetano Débora Eduardo Flávia Gustavo Helena Joana Luís Márcia Nuno Raquel Tiago",
    "sv": "Agneta Björn Elin Fredrik Gunilla Henrik Ingrid Jonas Lovisa Magnus Pernilla Sven Ylva",
    "pl": "Agnieszka Bartosz Dorota Grzegorz Hanna Jacek Katarzyna Łukasz Magdalena Paweł Renata Tomasz Zofia",
}
LAST = {
    "en": "Ashworth Bello Cartwright Delaney Ellison Fairweather Gupta Hollis Iyer Jamieson Kimani Lockwood "
    "Mbeki Nakamura Osborne Pemberton Quigley Rahman Stanhope Tan Underwood Venter Whitlock Yeo",
    "de": "Ackermann Brandt Dörfler Eichinger Falkner Gerlach Hartwig Jansen Kaya Lohmann Metzger Neuhaus Ostheimer "
    "Pfeiffer Rademacher Steinbach Thalmann Uhlig Vogelsang Zeller",
    "fr": "Aubert Benali Carpentier Delacroix Evrard Fontaine Guillou Haddad Jacquet Lefort Marchal Noiret Pelletier "
    "Rousselle Sauvage Tessier Vasseur",
    "es": "Aguirre Barrios Cifuentes Domínguez Escobar Fuentes Galván Herrera Ibáñez Lozano Medina Navarro Ortega "
    "Paredes Quintana Salcedo Villalba",
    "it": "Amato Bellini Caruso Esposito Fabbri Grassi Lombardo Marchetti Neri Orlando Pellegrini Rinaldi "
    "Santoro Vitale",
    "nl": "Bakker Dekker Hoekstra Jongsma Kuipers Meijer Postma Ruiter Smit Terpstra Veenstra Wiersma Zijlstra",
    "pt": "Almeida Barbosa Cardoso Duarte Esteves Figueira Guimarães Macedo Nogueira Pacheco Queiroz Teixeira",
    "sv": "Ahlgren Bergqvist Dahlström Ekholm Forsberg Hedlund Lindroth Nyman Sandell Wikström Öberg",
    "pl": "Adamczyk Borkowska Cieślak Dudek Gajewska Kaczmarek Lis Nowicka Pawlak Sikora Wróbel Zielińska",
}
TITLES = {
    "en": ("Practice Manager", "Head of Operations", "Office Manager", "Finance Director", "Owner", "COO"),
    "de": ("Praxismanagerin", "Leitung Verwaltung", "Geschäftsführung", "Einkauf", "Leiter IT", "Assistenz"),
    "fr": ("Directrice administrative", "Responsable achats", "Gérant", "Cheffe de projet", "DSI"),
    "es": ("Gerente", "Responsable de compras", "Directora de operaciones", "Jefe de administración"),
    "it": ("Titolare", "Responsabile acquisti", "Direttrice sanitaria", "Amministrazione"),
    "nl": ("Praktijkmanager", "Hoofd inkoop", "Bedrijfsleider", "Directeur"),
    "pt": ("Gestora de clínica", "Diretor administrativo", "Sócia-gerente"),
    "sv": ("Verksamhetschef", "Inköpare", "Platschef"),
    "pl": ("Kierownik biura", "Właścicielka", "Dyrektor operacyjny"),
}

# Letters that Unicode does not decompose into a base letter and a mark.
_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "æ": "ae", "ł": "l"})


def mailbox_name(name: str) -> str:
    """`first.last` in plain letters: "Zoë van der Meer" becomes "zoe.vandermeer"."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS))
    first, *rest = re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)))
    return ".".join(part for part in (first, "".join(rest)) if part)
