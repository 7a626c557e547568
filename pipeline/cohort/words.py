"""Words in several languages for what cells say: months, yes and no, not known, codes. Data only, no reading.

Keys are normalised as `values.key` does it: lower case, no accents, no punctuation, single spaces. A word that
means different things in two languages of the same column (Spanish `M` beside `H` is mujer) is left out: the
clinic states it under `codes` in cohort.yaml.
"""

from __future__ import annotations

import re
import unicodedata


def _normal(word: str) -> str:
    """As `values.key` does it."""
    plain = unicodedata.normalize("NFKC", word.strip()).lower()
    for letter, plain_letter in (
        ("ß", "ss"),
        ("ł", "l"),
        ("ø", "o"),
        ("đ", "d"),
        ("ı", "i"),
        ("æ", "ae"),
        ("œ", "oe"),
    ):
        plain = plain.replace(letter, plain_letter)
    plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if unicodedata.category(c) != "Mn")
    return " ".join(re.sub(r"[\W_]+", " ", plain).split()) or plain


# English, German, French, Spanish, Italian, Polish, Portuguese, Dutch, Swedish/Danish/Norwegian, Russian, Turkish.
_MONTHS = """
1 jan january januar janner janvier janv enero ene gennaio gen styczen stycznia sty janeiro januari янв январь января ocak oca
2 feb february februar feber fevrier fevr fev febrero febbraio luty lutego lut fevereiro februari фев февраль февраля subat sub
3 mar march mars marz mrz marzo marzec marca marco maart mrt мар март марта mart
4 apr april avril avr abril abr aprile kwiecien kwietnia kwi апр апрель апреля nisan nis
5 may mai mayo maggio mag maj maja maio mei май мая mayis
6 jun june juni juin junio giugno giu czerwiec czerwca cze junho июн июнь июня haziran haz
7 jul july juli juillet juil julio luglio lug lipiec lipca lip julho июл июль июля temmuz tem
8 aug august aout agosto ago sierpien sierpnia sie augustus augusti авг август августа agustos agu
9 sep sept september septembre septiembre setiembre settembre set wrzesien wrzesnia wrz setembro сен сент сентябрь сентября eylul eyl
10 oct october okt oktober octobre octubre ottobre ott pazdziernik pazdziernika paz outubro out окт октябрь октября ekim eki
11 nov november novembre noviembre listopad listopada lis novembro ноя нояб ноябрь ноября kasim kas
12 dec december dez dezember decembre diciembre dic dicembre grudzien grudnia gru dezembro des desember дек декабрь декабря aralik ara
"""
MONTHS: dict[str, int] = {
    _normal(word): int(line.split()[0]) for line in _MONTHS.strip().splitlines() for word in line.split()[1:]
}

# Cells that mean "not known" in every column. Normalised by trimming and lower case only.
MISSING = frozenset(
    {"n/a", "na", "n.a.", "n.a", "n/a.", "nan", "null", "n/k", "nk", "n.k.", "#n/a n/a", "?", "??", "???"}
    | {"-", "--", "---", "–", "—", ".", "..", "...", "…", "/", "*", "_", "missing", "not available"}
    | {"not applicable", "not known", "not recorded", "not done", "nd", "n.d.", "n/d", "k.a.", "k. a.", "k.a"}
    | {"keine angabe", "keine angaben", "nicht bekannt", "n.v.", "s/d", "s.d.", "sin dato", "sin datos"}
    | {"no consta", "brak danych", "nie dotyczy", "non disponible", "non connu"}
    | {"non disponibile", "non noto", "no disponible", "(blank)", "<na>", "<null>", "нет данных", "н/д"}
)
# … and, where the column holds dates, numbers or yes and no, and has no code of its own for it.
UNKNOWN = frozenset(
    {
        "unknown",
        "unk",
        "unk.",
        "unbekannt",
        "inconnu",
        "inconnue",
        "desconocido",
        "desconocida",
        "sconosciuto",
    }
    | {
        "sconosciuta",
        "ignoto",
        "nieznane",
        "nieznany",
        "nieznana",
        "desconhecido",
        "onbekend",
        "okand",
        "okänd",
    }
    | {"neznámé", "неизвестно", "unsure", "unclear", "unklar", "not sure", "uncertain"}
)

# … where a date is empty in a database or a form that was not filled in.
NO_DATE = frozenset(
    {
        "0000-00-00",
        "0000-00-00 00:00:00",
        "00/00/0000",
        "00.00.0000",
        "00-00-0000",
        "__/__/____",
        "__.__.____",
    }
    | {
        "dd/mm/yyyy",
        "dd.mm.yyyy",
        "mm/dd/yyyy",
        "yyyy-mm-dd",
        "tt.mm.jjjj",
        "jj/mm/aaaa",
        "dd/mm/aaaa",
        "//",
        "- -",
    }
)
# … where an end is awaited: it goes on, which is what a blank end means.
ONGOING = frozenset(
    {
        "ongoing",
        "on-going",
        "continuing",
        "continues",
        "continued",
        "current",
        "currently",
        "still",
        "present",
    }
    | {
        "to date",
        "until today",
        "today",
        "now",
        "laufend",
        "fortlaufend",
        "andauernd",
        "aktuell",
        "weiterhin",
    }
    | {
        "bis heute",
        "heute",
        "en cours",
        "toujours",
        "en curso",
        "actual",
        "actualmente",
        "continua",
        "in corso",
    }
    | {"attuale", "w trakcie", "nadal", "trwa", "kontynuacja", "obecnie", "em curso", "lopend", "pågående"}
    | {"продолжается", "по настоящее время"}
)

# Without a single `o` for oui: it is also how a zero is mistyped, which means no.
_YES = """
yes y true t 1 ja j oui vrai si s verdadero vero tak prawda sim verdadeiro ano waar jah evet да д истина x ✓ ✔ ☑ + pos positive
positiv positif positivo dodatni wahr present vorhanden
"""
_NO = """
no n false f 0 nein non faux falso nie falsz nao nee nej ne nei onwaar hayir нет н ложь ✗ ☐ neg negative negativ negatif
negativo ujemny falsch absent
"""
BOOLEANS: dict[str, bool] = {_normal(word): True for word in _YES.split()}
BOOLEANS |= {_normal(word): False for word in _NO.split()}


def _codes(text: str) -> dict[str, str]:
    """`code: word, two words, word` lines as word → code."""
    found: dict[str, str] = {}
    for line in text.strip().splitlines():
        code, _, words = line.partition(":")
        for word in words.split(","):
            assert found.setdefault(_normal(word), code.strip()) == code.strip(), word
    return found


# By canonical field.
CODES: dict[str, dict[str, str]] = {
    # Without `h` (homme, hombre) and `v` (varon): beside them `m` would be a woman in Spanish.
    "sex": _codes("""
        female: f, fem, female, females, w, weiblich, weibl, frau, woman, girl, feminin, feminine, femme, femenino, femenina, mujer, femmina, femminile, donna, kobieta, k, zenska, zenski, feminino, vrouw, vrouwelijk, kvinna, kvinde, kvinne, kadin, жен, женский, ж
        male: m, male, males, mannlich, mannl, mann, man, boy, masculin, masculine, homme, masculino, hombre, varon, maschio, maschile, uomo, mezczyzna, meska, meski, mannelijk, erkek, муж, мужской, м
        unknown: u, unk, unknown, unbekannt, inconnu, desconocido, sconosciuto, nieznana, nieznany, other, divers, diverse, intersex, undetermined, nonbinary, non binary, x
    """),
    "course": _codes("""
        CIS: cis, clinically isolated syndrome, clinically isolated, klinisch isoliertes syndrom, kis, syndrome clinique isole, sci, sindrome clinico aislado, sindrome desmielinizante aislado, sindrome clinicamente isolata, klinicznie izolowany zespol, izolowany zespol kliniczny
        RR: rr, rrms, rr ms, relapsing remitting, relapsing remitting ms, relapsing remitting multiple sclerosis, remitting relapsing, remittent relapsing, schubformig remittierend, schubformig, rezidivierend remittierend, remittierend, recurrente remittente, remittente, remittente recurrente, recurrente, recurrente remitente, remitente recurrente, remitente, emrr, sep rr, seprr, smrr, sm rr, recidivante remittente, rzutowo remisyjna, rzutowo remisyjne, rzutowo zwalniajaca, rzutowa, ремиттирующая, рремиттирующий, рремиттирующая, рс рр
        SP: sp, spms, sp ms, secondary progressive, secondary progressive ms, secondary progressive multiple sclerosis, secondarily progressive, sekundar progredient, sekundar chronisch progredient, sekundar progressiv, secondairement progressive, secondaire progressive, sepsp, sep sp, secundaria progresiva, emsp, smsp, secondariamente progressiva, wtornie postepujaca, wtornie postepujace, sp r, sp nr, spr, spnr, sp with relapses, active spms, aspms
        PP: pp, ppms, pp ms, primary progressive, primary progressive ms, primary progressive multiple sclerosis, primarily progressive, primar progredient, primar chronisch progredient, primar progressiv, primaire progressive, primairement progressive, seppp, sep pp, primaria progresiva, empp, smpp, primariamente progressiva, pierwotnie postepujaca, pierwotnie postepujace, pp r, pp nr, ppr, ppnr
        PR: pr, prms, pr ms, progressive relapsing, progressive relapsing ms, progredient schubformig, progressive recurrente, progresiva recurrente, progressiva recidivante, postepujaco rzutowa
        RIS: ris, radiologically isolated syndrome, radiologically isolated, radiologisch isoliertes syndrom, syndrome radiologique isole, sindrome radiologico aislado, sindrome radiologicamente isolata
        unknown: unknown, unk, unbekannt, inconnu, desconocido, sconosciuto, nieznany, nieznana, undetermined, unclassified, unclear
    """),
    "severity": _codes("""
        mild: mild, light, minor, leicht, leve, leger, legere, lieve, lekki, lekka, lagodny, легкая, 1 mild
        moderate: moderate, medium, mittel, mittelschwer, massig, moderat, modere, moderee, moderado, moderada, moderato, umiarkowany, umiarkowana, sredni, средняя, 2 moderate
        severe: severe, major, schwer, schwerwiegend, severo, severa, grave, ciezki, ciezka, тяжелая, 3 severe
    """),
    "recovery": _codes("""
        full: full, complete, completely, total, fully recovered, full recovery, complete recovery, vollstandig, komplett, complete remission, completa, completo, totale, pelna, pelny, calkowita, полное
        partial: partial, incomplete, partially, partial recovery, incomplete recovery, teilweise, partiell, unvollstandig, inkomplett, partielle, incompleta, incompleto, parcial, parziale, czesciowa, czesciowy, частичное
        none: none, no, no recovery, not recovered, nil, keine, kein, aucune, aucun, ninguna, ninguno, nessuna, nessuno, brak, отсутствует
    """),
    # An adverse event without more is intolerance; a serious one, a laboratory finding or a risk is safety.
    "stop_reason": _codes("""
        inefficacy: inefficacy, ineffective, inefficient, lack of efficacy, no efficacy, lack of effect, loss of efficacy, insufficient efficacy, efficacy, failure, treatment failure, therapy failure, non response, nonresponse, non responder, disease activity, breakthrough disease, breakthrough, relapse, relapses, relapse activity, mri activity, new lesions, progression, disease progression, edss progression, wirkungslosigkeit, unwirksam, unwirksamkeit, mangelnde wirkung, mangelnde wirksamkeit, therapieversagen, schub, schube, krankheitsaktivitat, inefficacite, manque d efficacite, echec, ineficacia, falta de eficacia, fracaso, fracaso terapeutico, inefficacia, mancata efficacia, fallimento, nieskutecznosc, brak skutecznosci, nieskuteczne, progresja, неэффективность
        intolerance: intolerance, intolerant, intolerability, tolerability, poor tolerability, side effect, side effects, adverse event, adverse events, adverse effect, adverse effects, adverse reaction, adverse drug reaction, ae, aes, toxicity, flushing, injection site reaction, injection site reactions, needle fatigue, allergy, allergic reaction, unvertraglichkeit, nebenwirkung, nebenwirkungen, effets secondaires, effet secondaire, effets indesirables, intolerancia, efectos adversos, efectos secundarios, efecto adverso, intolleranza, effetti collaterali, eventi avversi, evento avverso, nietolerancja, dzialania niepozadane, objawy niepozadane, dzialanie niepozadane, побочные эффекты, непереносимость
        safety: safety, safety concern, safety concerns, safety reasons, serious adverse event, sae, risk, pml risk, jcv, jcv positive, jcv positivity, jc virus, jcv antibodies, jcv seroconversion, antibodies, neutralising antibodies, neutralizing antibodies, lymphopenia, laboratory abnormality, lab abnormality, abnormal laboratory, liver enzymes, elevated liver enzymes, infection, infections, malignancy, cancer, sicherheit, sicherheitsbedenken, pml risiko, jcv positiv, securite, risque lemp, seguridad, sicurezza, bezpieczenstwo
        pregnancy: pregnancy, pregnant, pregnancy planning, planned pregnancy, planning pregnancy, desire for pregnancy, pregnancy wish, wish to conceive, family planning, breastfeeding, schwangerschaft, schwanger, kinderwunsch, grossesse, desir de grossesse, embarazo, deseo de embarazo, gravidanza, desiderio di gravidanza, ciaza, planowana ciaza, gravidez, беременность
        switch: switch, switched, switching, change, change of therapy, changed, escalation, therapy change, treatment switch, wechsel, umstellung, therapieumstellung, eskalation, changement, changement de traitement, cambio, cambio de tratamiento, cambio terapia, zmiana, zmiana leczenia, смена
        other: other, others, patient decision, patient choice, patient request, patient preference, patient wish, convenience, non compliance, noncompliance, compliance, poor compliance, cost, financial, end of study, study end, completed, scheduled, scheduled stop, planned, lost to follow up, death, sonstige, sonstiges, andere, anderer, patientenwunsch, studienende, autre, autres, choix du patient, otro, otros, otra, decision del paciente, altro, decisione del paziente, inne, inny, decyzja pacjenta, другое
    """),
    "reason": _codes("""
        first: first, first course, initial, initiation, start, baseline, erster, erster kurs, erste, premier, primero, primo, pierwszy
        scheduled: scheduled, schedule, planned, regular, second course, label, per label, protocol, geplant, planmassig, prevu, programado, programmato, planowy, planowany
        relapse: relapse, relapses, clinical relapse, clinical activity, relapse activity, schub, schube, poussee, brote, ricaduta, rzut
        mri: mri, mri activity, mri lesions, mri progression, new lesions, new mri lesions, radiological activity, mrt, mrt aktivitat, irm, resonancia, risonanza, rm, rmn
        other: other, sonstige, sonstiges, andere, autre, otro, altro, inne, inny
    """),
    "region": _codes("""
        brain: brain, head, cranial, cerebral, cerebrum, intracranial, cmri, brain mri, mri brain, kopf, schadel, hirn, gehirn, cerveau, tete, encephale, cerebro, craneo, craneal, cervello, encefalo, mozg, mozgu, glowa, головной мозг
        cervical_cord: cervical cord, cervical, c spine, cspine, cervical spine, cervical spinal cord, neck, hws, halsmark, moelle cervicale, cervical medulla, medula cervical, midollo cervicale, odcinek szyjny, szyjny
        thoracic_cord: thoracic cord, thoracic, t spine, tspine, thoracic spine, thoracic spinal cord, dorsal, bws, brustmark, moelle thoracique, moelle dorsale, medula torácica, medula dorsal, medula toracica, midollo toracico, midollo dorsale, odcinek piersiowy
        whole_spinal_cord: whole spinal cord, whole cord, spinal cord, spine, spinal, full spine, whole spine, entire spinal cord, cord, ruckenmark, wirbelsaule, moelle, moelle epiniere, medula, medula espinal, midollo, midollo spinale, rdzen, rdzen kregowy, спинной мозг
    """),
    "instrument": _codes("""
        SDMT: sdmt, symbol digit modalities test, symbol digit, symbol digit modalities, osdmt, oral sdmt
        BVMT-R: bvmt r, bvmtr, bvmt, brief visuospatial memory test revised, brief visuospatial memory test
        PedsQL: pedsql, peds ql, pediatric quality of life inventory, paediatric quality of life inventory, pedsql 4 0
        NeuroQoL: neuroqol, neuro qol, neuro qol short form, neuro qol sf
        T25FW: t25fw, 25fw, t25 fw, t25w, 25 foot walk, timed 25 foot walk, timed 25 foot walk test, 25ft walk, 25 ft walk, msfc 25ft walk, timed walk, timed walk test, t25fwt
        9HPT: 9hpt, 9 hpt, nhpt, 9 hole peg test, nine hole peg test, 9 hole peg, hole peg, 9pht
        PASAT: pasat, pasat 3, pasat3, pasat 3s, paced auditory serial addition test, pasat 2, pasat 60
        OCT: oct, optical coherence tomography, optische koharenztomographie
    """),
    "respondent": _codes("""
        patient: patient, self, subject, selbst, paciente, paziente, pacjent
        child: child, children, kind, enfant, nino, nina, bambino, dziecko, child report, child self report, teen, young child
        parent: parent, parents, mother, father, caregiver, proxy, parent report, parent proxy, parent proxy report, eltern, elternteil, mutter, vater, padre, madre, genitore, rodzic, parents report
    """),
    "status": _codes("""
        present: present, yes, y, true, 1, active, current, ongoing, positive, pos, ja, vorhanden, aktuell, positiv, oui, presente, actual, si, tak, obecny, obecna, да
        absent: absent, no, n, false, 0, negative, neg, never, none, nein, nicht vorhanden, negativ, nie vorhanden, non, ausente, assente, nie, brak, нет
        past: past, former, previous, resolved, history, history of, recovered, inactive, treated, frueher, fruher, ehemalig, abgelaufen, ausgeheilt, passe, ancien, pasado, previo, passato, pregresso, przebyty, przebyta, w przeszlosci
        unknown: unknown, unk, u, unbekannt, inconnu, desconocido, sconosciuto, nieznany, unclear, nd
    """),
    "category": _codes("""
        malignancy: malignancy, malignancies, cancer, tumor, tumour, neoplasm, neoplasia, carcinoma, malignant disease, krebs, malignom, tumorerkrankung, tumeur, cancro, neoplasie, nowotwor
        hiv: hiv, hiv infection, aids, hiv 1, vih, sida
        hepatitis_b: hepatitis b, hbv, hep b, hbsag, hepatite b, hepatitis b virus, wzw b
        hepatitis_c: hepatitis c, hcv, hep c, hepatite c, hepatitis c virus, wzw c
        tuberculosis: tuberculosis, tb, tbc, latent tuberculosis, latent tb, tuberkulose, tuberculose, tubercolosi, gruzlica
        infection: infection, infections, active infection, infectious disease, infektion, infektionen, infeccion, infezione, infekcja, zakazenie
        autoimmunity: autoimmunity, autoimmune, autoimmune disease, autoimmune disorder, autoimmunerkrankung, maladie auto immune, enfermedad autoinmune, malattia autoimmune, choroba autoimmunologiczna
        thyroid: thyroid, thyroid disease, thyroid disorder, thyroiditis, hashimoto, graves, graves disease, basedow, hypothyroidism, hyperthyroidism, schilddruse, schilddrusenerkrankung, thyroide, tiroides, tiroide, tarczyca
        pregnancy: pregnancy, pregnant, schwangerschaft, grossesse, embarazo, gravidanza, ciaza
        breastfeeding: breastfeeding, breast feeding, lactation, lactating, nursing, stillzeit, stillen, allaitement, lactancia, allattamento, karmienie piersia
        contraception: contraception, contraceptive, birth control, verhutung, kontrazeption, anticoncepcion, contraccezione, antykoncepcja
        psychiatric: psychiatric, psychiatric disorder, psychiatric disease, depression, anxiety, psychosis, suicidality, psychiatrisch, psychiatrische erkrankung, depresion, depressione, depresja
        cardiovascular: cardiovascular, cardiac, heart disease, cardiac disease, heart, hypertension, arrhythmia, myocardial infarction, stroke, kardiovaskular, herzerkrankung, cardiaque, cardiovasculaire, cardiovascolare
        epilepsy: epilepsy, seizure, seizures, epilepsie, epilepsia, padaczka, epilessia
        bleeding: bleeding, bleeding disorder, coagulation disorder, coagulopathy, haemorrhage, hemorrhage, thrombocytopenia, itp, blutung, gerinnungsstorung, hemorragia, emorragia
        hepatic: hepatic, liver, liver disease, hepatic disease, leber, lebererkrankung, hepatique, hepatica, epatica, watroba
        renal: renal, kidney, kidney disease, renal disease, niere, nierenerkrankung, renale, rénale, nerki
        mri_contraindication: mri contraindication, contraindication to mri, mri not possible, pacemaker, claustrophobia, metal implant, mrt kontraindikation
        hypersensitivity: hypersensitivity, allergy, allergies, anaphylaxis, allergie, allergia, alergia, uberempfindlichkeit
        transplant: transplant, transplantation, organ transplant, organ transplantation, transplantat, trasplante, trapianto, przeszczep
        substance_abuse: substance abuse, drug abuse, alcohol abuse, alcohol, alcoholism, drug dependence, substanzmissbrauch, alkoholmissbrauch
        other: other, others, sonstige, sonstiges, andere, autre, otro, altro, inne
    """),
    "comparator": _codes("""
        <: <, lt, less than, below
        <=: <=, ≤, =<, le
        >: >, gt, greater than, above, more than
        >=: >=, ≥, =>, ge
    """),
}  # fmt: skip

# Results of a laboratory that are below what it can quantify.
BELOW_QUANTIFICATION = frozenset(
    {
        "blq",
        "bloq",
        "bql",
        "bloq lloq",
        "lloq",
        "blloq",
        "below lloq",
        "below loq",
        "below blq",
        "loq",
        "nq",
        "unq",
    }
    | {"below limit of quantification", "below the limit of quantification", "below quantification limit"}
    | {"below detection", "below detection limit", "not quantifiable", "not detected", "not detectable"}
    | {
        "nicht nachweisbar",
        "unter der nachweisgrenze",
        "unter nachweisgrenze",
        "nwg",
        "non detecte",
        "no detectado",
    }
    | {"non rilevabile", "niewykrywalne", "ponizej granicy oznaczalnosci"}
)

# Factor to the field's unit. The unit of a field stands in schemas.
UNITS: dict[str, dict[str, float]] = {
    "mg": {"mg": 1.0, "g": 1000.0, "gr": 1000.0, "mcg": 0.001, "ug": 0.001, "µg": 0.001, "μg": 0.001},
    "h": {"h": 1.0, "hr": 1.0, "hrs": 1.0, "hour": 1.0, "hours": 1.0, "std": 1.0, "stunden": 1.0, "heures": 1.0,
          "horas": 1.0, "ore": 1.0, "godz": 1.0, "min": 1 / 60, "d": 24.0, "day": 24.0, "days": 24.0, "tage": 24.0},
    "points": dict.fromkeys(("points", "point", "pts", "pt", "punkte", "punkt", "pkt", "puntos", "punti", "score"), 1.0),
    "lesions": dict.fromkeys(("lesions", "lesion", "lasionen", "lasion", "lesiones", "lesioni", "zmiany", "zmian"), 1.0),
}  # fmt: skip
