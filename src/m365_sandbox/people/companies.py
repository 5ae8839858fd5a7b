"""Where the prospects work. All domains end in .example, which RFC 2606 reserves: no mail can reach anybody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Company:
    name: str
    domain: str
    country: str
    time_zone: str
    language: str


COMPANIES = (
    Company("Harbourlight Dental", "harbourlight-dental.example", "GB", "Europe/London", "en"),
    Company("Kestrel & Moor Accountants", "kestrelmoor.example", "GB", "Europe/London", "en"),
    Company("Copperfield Print", "copperfield-print.example", "GB", "Europe/London", "en"),
    Company("Oakline Property", "oakline.example", "IE", "Europe/Dublin", "en"),
    Company("Pinecrest Logistics", "pinecrest.example", "US", "America/Chicago", "en"),
    Company("Tidewater Physio", "tidewater-physio.example", "US", "America/New_York", "en"),
    Company("Redbarn Foods", "redbarn.example", "US", "America/Denver", "en"),
    Company("Bluefin Software", "bluefin-software.example", "US", "America/Los_Angeles", "en"),
    Company("Maple Ridge Optics", "mapleridge.example", "CA", "America/Toronto", "en"),
    Company("Marlowe Veterinary Clinics", "marlowevets.example", "AU", "Australia/Sydney", "en"),
    Company("Nilgiri Textiles", "nilgiri.example", "IN", "Asia/Kolkata", "en"),
    Company("Savanna Freight", "savannafreight.example", "KE", "Africa/Nairobi", "en"),
    Company("Lantern Education", "lantern-edu.example", "SG", "Asia/Singapore", "en"),
    Company("Praxisverbund Elbaue", "elbaue.example", "DE", "Europe/Berlin", "de"),
    Company("Lindner Maschinenbau GmbH", "lindner-maschinenbau.example", "DE", "Europe/Berlin", "de"),
    Company("Stadtwerke Hollern", "sw-hollern.example", "DE", "Europe/Berlin", "de"),
    Company("Holzer & Söhne", "holzer-soehne.example", "DE", "Europe/Berlin", "de"),
    Company("Alpenblick Hotels AG", "alpenblick.example", "CH", "Europe/Zurich", "de"),
    Company("Donau Versicherungsmakler", "donaumakler.example", "AT", "Europe/Vienna", "de"),
    Company("Cabinet Lemoine", "cabinet-lemoine.example", "FR", "Europe/Paris", "fr"),
    Company("Ateliers du Vercors", "ateliers-vercors.example", "FR", "Europe/Paris", "fr"),
    Company("Groupe Belleroche", "belleroche.example", "FR", "Europe/Paris", "fr"),
    Company("Clinique des Tilleuls", "clinique-tilleuls.example", "FR", "Europe/Paris", "fr"),
    Company("Transports Mercier", "transports-mercier.example", "BE", "Europe/Brussels", "fr"),
    Company("Grupo Almadraba", "almadraba.example", "ES", "Europe/Madrid", "es"),
    Company("Clínicas Olmedo", "clinicas-olmedo.example", "ES", "Europe/Madrid", "es"),
    Company("Quebracho Sur", "quebrachosur.example", "AR", "America/Argentina/Buenos_Aires", "es"),
    Company("Logística Tenoch", "tenoch.example", "MX", "America/Mexico_City", "es"),
    Company("Studio Ferrante", "studioferrante.example", "IT", "Europe/Rome", "it"),
    Company("Officine Brambilla", "officinebrambilla.example", "IT", "Europe/Rome", "it"),
    Company("Cantine Sorrentine", "cantinesorrentine.example", "IT", "Europe/Rome", "it"),
    Company("Poliambulatorio San Rocco", "sanrocco.example", "IT", "Europe/Rome", "it"),
    Company("Van der Velden Bouw", "vdveldenbouw.example", "NL", "Europe/Amsterdam", "nl"),
    Company("Tandartsen Noord", "tandartsennoord.example", "NL", "Europe/Amsterdam", "nl"),
    Company("Duinrand Zorg", "duinrandzorg.example", "NL", "Europe/Amsterdam", "nl"),
    Company("Clínica Vale do Lima", "valedolima.example", "PT", "Europe/Lisbon", "pt"),
    Company("Mangue Digital", "manguedigital.example", "BR", "America/Sao_Paulo", "pt"),
    Company("Björkhaga Tandvård", "bjorkhaga.example", "SE", "Europe/Stockholm", "sv"),
    Company("Norrsken Bygg", "norrsken-bygg.example", "SE", "Europe/Stockholm", "sv"),
    Company("Gabinety Pod Lipą", "podlipa.example", "PL", "Europe/Warsaw", "pl"),
    Company("Wisła Transport", "wisla-transport.example", "PL", "Europe/Warsaw", "pl"),
)

BY_DOMAIN = {company.domain: company for company in COMPANIES}
