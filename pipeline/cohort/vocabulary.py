"""Words that text columns may publish: adverse events, laboratory tests, scales, units. Data only, no reading.

Generic clinical words, compiled for Remit; a line is `what is published: other ways to write it`. texts.py compares
them without case, accents, punctuation, order of words and British or American spelling. What stands in the seeds
of the outcomes and in the drug list is known beside these. A clinic adds words of its own under `allowed_texts`.
"""

from __future__ import annotations

# Adverse events in plain words, by organ system. German, French, Spanish, Italian names of the commonest.
TERMS = """
Infusion related reaction: infusion reaction, infusion associated reaction, infusion-associated reactions, iar, irr, infusionsreaktion, infusionsbedingte reaktion, reaction a la perfusion, reaccion a la infusion, reazione all infusione
Injection site reaction: injection reaction, reaction at injection site, lokalreaktion, reaktion an der einstichstelle, reaction au site d injection, reaccion en el lugar de inyeccion, reazione in sede di iniezione
Injection site pain
Injection site erythema: injection site redness
Injection site induration
Injection site bruising: injection site haematoma
Injection site necrosis
Injection site pruritus: injection site itching
Injection site swelling
Injection site abscess
Infusion site pain
Infusion site extravasation: extravasation
Cytokine release syndrome
Flu-like symptoms: flu like syndrome, flu like illness, influenza like illness, influenza-like symptoms, grippeahnliche symptome, grippale symptome, syndrome pseudo grippal, sintomas pseudogripales, sindrome simil influenzale
Fatigue: tiredness, exhaustion, mudigkeit, erschopfung, asthenie, fatiga, cansancio, stanchezza, affaticamento
Asthenia: weakness, general weakness, schwache, debilidad, debolezza, faiblesse
Malaise: feeling unwell
Pyrexia: fever, febrile, temperature increased, fieber, fievre, fiebre, febbre
Chills: shivering, schuttelfrost, frissons, escalofrios, brividi
Feeling cold
Feeling hot
Hyperhidrosis: sweating, increased sweating, night sweats, schwitzen
Pain: schmerzen, schmerz, douleur, dolor, dolore
Chest pain: thoracic pain, brustschmerz, brustschmerzen
Chest discomfort: chest tightness
Oedema peripheral: peripheral oedema, ankle swelling, leg oedema, leg swelling, beinodeme
Oedema: swelling
Face oedema: facial swelling, facial oedema
Angioedema
Flushing: flush, hot flush, hot flushes, gesichtsrotung, bouffees vasomotrices
Gait disturbance: gait disorder, difficulty walking
Fall: falls, sturz, chute, caida, caduta
Death: died
Sudden death
Drug ineffective: lack of efficacy
Drug intolerance
Drug hypersensitivity: drug allergy
Hypersensitivity: allergic reaction, allergy, allergische reaktion, allergie, reaccion alergica, reazione allergica
Anaphylactic reaction: anaphylaxis, anaphylaktische reaktion, anaphylaxie, anafilaxia, anafilassi
Anaphylactic shock
Serum sickness
Seasonal allergy: hay fever, pollen allergy, heuschnupfen
Overdose
Medication error
Pregnancy: pregnant
Headache: head ache, cephalalgia, cephalgia, kopfschmerz, kopfschmerzen, cephalee, cephalees, maux de tete, cefalea, dolor de cabeza, mal di testa, bol glowy
Migraine: migrane
Tension headache
Post lumbar puncture syndrome: post lumbar puncture headache
Dizziness: light headedness, lightheadedness, schwindel, vertiges, mareo, mareos, vertigini
Vertigo: drehschwindel
Syncope: fainting, collapse, synkope
Presyncope
Tremor
Paraesthesia: tingling, paraesthesias, parasthesien, kribbeln, paresthesies, parestesia, parestesias
Hypoaesthesia: numbness, taubheit, taubheitsgefuhl
Dysaesthesia
Hyperaesthesia
Neuralgia
Trigeminal neuralgia: trigeminusneuralgie
Neuropathy peripheral: peripheral neuropathy, polyneuropathy
Sciatica: ischialgia, ischialgie
Carpal tunnel syndrome
Restless legs syndrome
Muscle spasticity: spasticity, spastik, increased spasticity
Seizure: epileptic seizure, convulsion, convulsions, krampfanfall, epileptischer anfall, crise d epilepsie, convulsion febrile
Epilepsy: epilepsie, epilepsia
Status epilepticus
Somnolence: sleepiness, drowsiness
Insomnia: sleep disorder, sleep disturbance, schlafstorung, schlafstorungen, schlaflosigkeit, insomnie, insomnio, insonnia
Hypersomnia
Memory impairment: memory problems, poor memory
Cognitive disorder: cognitive impairment, cognitive problems
Disturbance in attention: poor concentration, concentration problems
Dysarthria
Dysphagia: swallowing difficulty
Dysgeusia: taste disturbance, altered taste
Ageusia: loss of taste
Anosmia: loss of smell
Aphasia
Ataxia
Balance disorder: loss of balance
Coordination abnormal
Hemiparesis
Paraparesis
Facial palsy: bell's palsy, facial paralysis, facialisparese
Cerebrovascular accident: stroke, cva, schlaganfall, apoplex, accident vasculaire cerebral, ictus
Ischaemic stroke: cerebral infarction
Cerebral haemorrhage: intracerebral haemorrhage, haemorrhagic stroke, intracranial haemorrhage, hirnblutung
Subarachnoid haemorrhage
Subdural haematoma
Transient ischaemic attack: tia
Cervicocephalic arterial dissection: carotid artery dissection, vertebral artery dissection, cervical artery dissection, arterial dissection, cervicocephalic dissection
Cerebral venous sinus thrombosis: sinus thrombosis, cerebral venous thrombosis
Posterior reversible encephalopathy syndrome: pres
Progressive multifocal leukoencephalopathy: pml, lemp
Immune reconstitution inflammatory syndrome: iris
Encephalitis: autoimmune encephalitis
Encephalopathy
Meningitis: meningitis listeria, listeria meningitis, bacterial meningitis, hirnhautentzundung
Meningitis aseptic: aseptic meningitis
Optic neuritis: retrobulbar neuritis
Multiple sclerosis relapse: ms relapse, relapse, relapse of multiple sclerosis, exacerbation of multiple sclerosis, schub, multiple sclerosis
Multiple sclerosis pseudo relapse: pseudorelapse, pseudo relapse
Multiple sclerosis progression: disease progression
Uhthoff's phenomenon
Guillain-Barre syndrome
Myasthenia gravis
Chronic inflammatory demyelinating polyradiculoneuropathy: cidp
Depression: depressive episode, depressed mood, low mood, depressive disorder, depressive, depresion, depressione
Anxiety: anxiety disorder, angst, anxiete, ansiedad, ansia
Panic attack: panic disorder
Suicidal ideation: suicidal thoughts
Suicide attempt: attempted suicide
Suicide: completed suicide
Mood swings: mood altered, mood disorder
Irritability
Agitation
Confusional state: confusion
Psychotic disorder: psychosis
Hallucination: hallucinations
Mania
Stress
Libido decreased: loss of libido
Nasopharyngitis: common cold, cold, head cold, erkaltung, schnupfen, rhume, resfriado, raffreddore
Upper respiratory tract infection: upper respiratory infection, urti, uri, infekt der oberen atemwege, infection des voies respiratoires superieures, infeccion respiratoria alta
Lower respiratory tract infection: chest infection, lower respiratory infection, lrti
Respiratory tract infection: respiratory infection, atemwegsinfekt
Viral upper respiratory tract infection
Sinusitis: sinus infection, nasennebenhohlenentzundung
Pharyngitis: sore throat, throat pain, halsschmerzen, rachenentzundung, angine, faringitis
Oropharyngeal pain
Laryngitis
Tonsillitis: mandelentzundung, amigdalitis
Rhinitis: runny nose, rhinorrhoea
Allergic rhinitis
Bronchitis: bronchite, bronquitis
Pneumonia: lung infection, lungenentzundung, pneumonie, neumonia, polmonite
Pneumonia bacterial: bacterial pneumonia
Pneumonia fungal
Pneumocystis jirovecii pneumonia: pneumocystis pneumonia, pcp
Pneumonitis: alveolitis
Pulmonary alveolar haemorrhage: alveolar haemorrhage
Influenza: flu, grippe, gripe
COVID-19: covid, covid19, sars-cov-2 infection, coronavirus infection, corona infection, sars cov 2
COVID-19 pneumonia
Urinary tract infection: uti, urinary infection, harnwegsinfekt, harnwegsinfektion, hwi, infection urinaire, infeccion urinaria, infezione urinaria, infezione delle vie urinarie, itu
Cystitis: bladder infection, blasenentzundung, cistitis, cistite
Pyelonephritis: kidney infection, nierenbeckenentzundung
Urosepsis
Sepsis: septicaemia, blood poisoning, septic shock
Bacteraemia
Herpes zoster: shingles, zoster, gurtelrose, zona
Herpes zoster disseminated
Oral herpes: herpes labialis, cold sore, cold sores, lippenherpes, herpes oral
Genital herpes
Herpes simplex: herpes, herpes simplex infection, herpes infection, hsv infection
Herpes virus infection
Herpes simplex encephalitis: herpes encephalitis
Varicella: chickenpox, chicken pox, windpocken, varicela
Varicella zoster virus infection: vzv infection
Cytomegalovirus infection: cmv infection
Epstein-Barr virus infection: ebv infection
Infectious mononucleosis: mononucleosis, glandular fever
JC virus infection: jcv infection
Human papilloma virus infection: hpv infection
Cervical dysplasia: cervical intraepithelial neoplasia
Anogenital warts: genital warts
Skin papilloma: warts, wart, viral warts, warzen
Molluscum contagiosum
Listeriosis: listeria infection
Nocardiosis
Tuberculosis
Latent tuberculosis
Hepatitis B: hepatitis b reactivation
Hepatitis C
Hepatitis E
HIV infection
Candidiasis: candida infection, thrush, candida
Oral candidiasis: oral thrush
Oesophageal candidiasis
Vulvovaginal candidiasis: vaginal candidiasis, vaginal thrush, vaginal mycosis
Vaginal infection: vaginitis
Bacterial vaginosis
Fungal infection: mycosis
Fungal skin infection: tinea, tinea pedis, athlete's foot
Onychomycosis: nail fungus
Cryptococcal infection: cryptococcosis, cryptococcal meningitis
Aspergillosis
Toxoplasmosis
Cellulitis: erysipelas, erysipel
Skin infection
Impetigo
Abscess: abszess, absceso
Folliculitis
Furuncle: boil
Paronychia: nail infection
Wound infection
Tooth infection: dental infection, tooth abscess, dental abscess, zahninfektion
Periodontitis
Gingivitis: gum inflammation
Ear infection: otitis, otite
Otitis media: middle ear infection, mittelohrentzundung
Otitis externa
Conjunctivitis: bindehautentzundung, conjonctivite, conjuntivitis
Hordeolum: stye
Keratitis
Gastroenteritis: stomach flu, magen darm infekt, magendarminfekt, gastro enterite, gastroenterite
Viral gastroenteritis: gastroenteritis viral, norovirus infection
Gastrointestinal infection
Clostridium difficile colitis: clostridium difficile infection
Salmonellosis
Campylobacter infection
Helicobacter infection
Appendicitis: blinddarmentzundung
Diverticulitis
Bacterial infection
Viral infection: virus infection, virusinfekt
Infection: infections, infekt, infektion, infeccion, infezione
Opportunistic infection
Serious infection
Lyme disease: borreliosis, borreliose
Prostatitis
Pelvic inflammatory disease
Mastitis
Osteomyelitis
Spondylodiscitis
Endocarditis
Nausea: feeling sick, ubelkeit, nausee, nausees, nauseas, nudnosci
Vomiting: emesis, erbrechen, vomissement, vomissements, vomitos, vomito
Diarrhoea: diarrhee, durchfall, diarrea
Constipation: verstopfung, obstipation, estrenimiento, stitichezza
Abdominal pain: stomach ache, stomach pain, belly pain, bauchschmerzen, bauchschmerz, douleur abdominale, dolor abdominal, dolore addominale
Abdominal pain upper: upper abdominal pain, epigastric pain, epigastralgia
Abdominal pain lower: lower abdominal pain
Abdominal discomfort: stomach discomfort, gastrointestinal discomfort
Abdominal distension: bloating
Flatulence: blahungen
Dyspepsia: indigestion, heartburn, sodbrennen
Gastrooesophageal reflux disease: reflux, gerd, gord, acid reflux
Gastritis
Gastric ulcer: stomach ulcer, peptic ulcer
Duodenal ulcer
Colitis
Colitis ulcerative: ulcerative colitis
Crohn's disease
Irritable bowel syndrome
Pancreatitis
Gastrointestinal haemorrhage: gastrointestinal bleeding
Rectal haemorrhage: rectal bleeding
Haemorrhoids: hamorrhoiden
Anal fissure
Inguinal hernia: hernia
Hiatus hernia
Intestinal obstruction: ileus, bowel obstruction
Faecal incontinence: bowel incontinence
Dry mouth: mundtrockenheit
Stomatitis: mouth ulcer, mouth ulcers, mouth ulceration, mucositis
Aphthous ulcer: aphthae, aphthous stomatitis
Toothache: tooth ache, dental pain, zahnschmerzen
Decreased appetite: loss of appetite, appetitlosigkeit, anorexia
Cholelithiasis: gallstones, gallensteine
Cholecystitis: acalculous cholecystitis, acute cholecystitis
Biliary colic
Hepatitis
Autoimmune hepatitis: hepatitis autoimmune
Drug-induced liver injury: liver injury, toxic hepatitis, hepatotoxicity
Hepatic failure: liver failure
Hepatic steatosis: fatty liver
Jaundice: icterus
Hepatic enzyme increased: liver enzymes increased, elevated liver enzymes, raised liver enzymes, transaminases increased, elevated transaminases, raised transaminases, abnormal liver function tests, liver function test abnormal, liver function test increased, leberwerterhohung, erhohte leberwerte, transaminasenerhohung
Alanine aminotransferase increased: alt increased, elevated alt, raised alt, alat increased, gpt increased, sgpt increased
Aspartate aminotransferase increased: ast increased, elevated ast, asat increased, got increased
Gamma-glutamyltransferase increased: ggt increased, elevated ggt
Blood alkaline phosphatase increased: alkaline phosphatase increased
Blood bilirubin increased: bilirubin increased, hyperbilirubinaemia
Rash: skin rash, exanthema, exanthem, hautausschlag, ausschlag, eruption cutanee, erupcion cutanea, eruzione cutanea
Generalised rash: rash generalised, generalized rash
Maculopapular rash: rash maculopapular
Erythematous rash: rash erythematous
Pruritic rash: rash pruritic, itchy rash
Urticaria: hives, nesselsucht, urticaire, orticaria
Pruritus: itching, itch, juckreiz, demangeaisons, prurit, prurito, picor
Erythema: redness, skin redness
Dermatitis
Allergic dermatitis
Contact dermatitis: dermatitis contact
Atopic dermatitis: neurodermatitis
Seborrhoeic dermatitis
Eczema: ekzem, eccema
Psoriasis
Acne: akne
Rosacea
Dry skin
Alopecia: hair loss, haarausfall, alopecie, caida del cabello
Alopecia areata
Vitiligo
Hyperpigmentation: skin hyperpigmentation
Lichen planus
Skin lesion
Skin ulcer
Lipoatrophy
Lipodystrophy
Stevens-Johnson syndrome
Erythema multiforme
Erythema nodosum
Photosensitivity reaction: photosensitivity
Sunburn
Haematoma: bruise, bruising, contusion, hamatom, ecchymosis, prellung
Petechiae: petechia
Purpura
Sarcoidosis
Granuloma annulare
Livedo reticularis
Nail disorder
Ingrown nail
Actinic keratosis
Melanocytic naevus: naevus, mole
Arthralgia: joint pain, gelenkschmerzen, gelenkschmerz, arthralgie, artralgia, dolor articular
Arthritis
Rheumatoid arthritis
Osteoarthritis: arthrosis, arthrose
Gout
Back pain: backache, lumbago, low back pain, lower back pain, ruckenschmerzen, ruckenschmerz, mal de dos, dolor de espalda, mal di schiena, lumbalgia
Neck pain: nackenschmerzen
Pain in extremity: limb pain, leg pain, arm pain, pain in limb, pain in leg, pain in arm, extremity pain
Musculoskeletal pain
Bone pain
Myalgia: muscle pain, muscle ache, muscle aches, muskelschmerzen, muskelschmerz, myalgie, mialgia, dolor muscular
Muscle spasms: muscle cramps, muscle cramp, cramps, leg cramps, muskelkrampfe, krampfe, crampes, calambres, crampi
Muscle weakness: muscular weakness, muskelschwache
Muscle stiffness: stiffness
Rhabdomyolysis
Myositis
Tendonitis: tendinitis
Bursitis
Joint swelling
Joint injury
Intervertebral disc protrusion: herniated disc, disc herniation, slipped disc, bandscheibenvorfall
Osteoporosis: osteopenia
Osteonecrosis
Fracture: fraktur, bone fracture
Ankle fracture
Foot fracture
Hand fracture
Wrist fracture
Hip fracture
Rib fracture
Radius fracture
Ligament sprain: sprain, ankle sprain
Muscle strain
Laceration: wound
Burn: burns, thermal burn
Insect bite: bee sting, arthropod bite, tick bite
Head injury
Concussion
Accident: traffic accident, road traffic accident
Injury: trauma
Fibromyalgia
Systemic lupus erythematosus: lupus, sle
Sjogren's syndrome: sjogren syndrome
Antiphospholipid syndrome
Vasculitis
Still's disease: adult onset still's disease
Raynaud's phenomenon
Lymphopenia: lymphocytopenia, lymphocyte count decreased, decreased lymphocytes, low lymphocytes, lymphozytopenie, lymphopenie, linfopenia
Leukopenia: leucopenia, white blood cell count decreased, low white blood cells, leukozytopenie, leucopenie
Neutropenia: neutrophil count decreased, low neutrophils, neutropenie
Febrile neutropenia
Agranulocytosis
Leukocytosis: white blood cell count increased
Lymphocytosis
Monocytosis
Eosinophilia
Thrombocytopenia: platelet count decreased, low platelets, thrombozytopenie, thrombopenie, trombocitopenia, trombopenia, plaquetopenia
Immune thrombocytopenia: itp, immune thrombocytopenic purpura, idiopathic thrombocytopenic purpura, immunthrombozytopenie, autoimmune thrombocytopenia
Thrombotic thrombocytopenic purpura: ttp
Anaemia: anamie, anemie, haemoglobin decreased, low haemoglobin
Iron deficiency anaemia: anaemia iron deficiency
Iron deficiency: eisenmangel
Haemolytic anaemia
Autoimmune haemolytic anaemia: aiha
Pancytopenia: autoimmune pancytopenia, pancytopaenia
Aplastic anaemia
Acquired haemophilia: acquired haemophilia a, acquired hemophilia
Haemophagocytic lymphohistiocytosis: hlh
Lymphadenopathy: swollen lymph nodes, enlarged lymph nodes, lymphknotenschwellung
Splenomegaly
Deep vein thrombosis: dvt, deep venous thrombosis, venous thrombosis, tiefe venenthrombose
Thrombosis: thrombose
Thrombophlebitis: phlebitis
Pulmonary embolism: lung embolism, lungenembolie
Haemorrhage: bleeding, blutung
Epistaxis: nosebleed, nose bleed, nasenbluten
Hypertension: high blood pressure, blood pressure increased, arterial hypertension, bluthochdruck, hypertonie, hipertension, ipertensione, hta
Hypotension: low blood pressure, blood pressure decreased, hypotonie
Hypertensive crisis
Tachycardia: heart rate increased, fast heartbeat, tachykardie, taquicardia
Bradycardia: heart rate decreased, slow heartbeat, bradykardie
Palpitations: palpitation
Atrioventricular block: av block, av-block, atrioventricular block first degree, av block first degree
Atrioventricular block second degree: av block second degree
Atrial fibrillation: vorhofflimmern
Arrhythmia: cardiac arrhythmia
Extrasystoles
QT prolongation: electrocardiogram qt prolonged, qt interval prolonged
Electrocardiogram abnormal
Myocardial infarction: heart attack, acute myocardial infarction, herzinfarkt
Myocardial ischaemia: coronary ischaemia
Acute coronary syndrome
Angina pectoris: angina
Coronary artery disease
Cardiac failure: heart failure, herzinsuffizienz
Cardiomyopathy: takotsubo cardiomyopathy
Cardiac arrest
Pericarditis
Myocarditis
Ejection fraction decreased
Varicose vein: varicose veins, varicosis
Peripheral arterial disease
Dyspnoea: shortness of breath, breathlessness, atemnot, dyspnee, disnea
Cough: husten, toux, tos, tosse
Asthma
Bronchospasm: wheezing
Nasal congestion: blocked nose
Chronic obstructive pulmonary disease: copd
Pleural effusion
Pulmonary hypertension
Interstitial lung disease
Sleep apnoea syndrome: sleep apnoea
Hiccups
Graves' disease: basedow's disease, morbus basedow, basedow disease, graves disease, maladie de basedow, enfermedad de graves
Hyperthyroidism: thyrotoxicosis, hyperthyreose, hyperthyroidie, hipertiroidismo, ipertiroidismo
Hypothyroidism: hypothyreose, hypothyroidie, hipotiroidismo, ipotiroidismo
Autoimmune thyroiditis: thyroiditis, hashimoto thyroiditis, hashimoto's thyroiditis, hashimoto, autoimmunthyreoiditis
Autoimmune thyroid disease: autoimmune thyroid disorder
Autoimmune hypothyroidism
Thyroid disorder: thyroid dysfunction, schilddrusenerkrankung
Endocrine ophthalmopathy: thyroid eye disease, graves ophthalmopathy
Goitre: struma
Thyroid nodule
Thyroid cancer: thyroid carcinoma, papillary thyroid cancer, papillary thyroid carcinoma
Blood thyroid stimulating hormone decreased: tsh decreased, low tsh
Blood thyroid stimulating hormone increased: tsh increased, elevated tsh
Anti-thyroid antibody positive: thyroid antibodies positive
Diabetes mellitus: diabetes, type 2 diabetes, type 2 diabetes mellitus
Type 1 diabetes mellitus: type 1 diabetes
Hyperglycaemia: blood glucose increased
Hypoglycaemia
Adrenal insufficiency
Cushing's syndrome
Hyperlipidaemia
Hypercholesterolaemia: cholesterol increased, blood cholesterol increased
Hypertriglyceridaemia
Hypokalaemia
Hyperkalaemia
Hyponatraemia
Hypocalcaemia
Vitamin D deficiency
Vitamin B12 deficiency
Folate deficiency
Dehydration
Weight increased: weight gain, gewichtszunahme
Weight decreased: weight loss, gewichtsabnahme
Obesity
C-reactive protein increased: crp increased, elevated crp
Blood creatinine increased: creatinine increased, elevated creatinine
Blood creatine phosphokinase increased: ck increased, creatine kinase increased, cpk increased
Lipase increased
Amylase increased
Immunoglobulins decreased: hypogammaglobulinaemia, low immunoglobulins, blood immunoglobulin g decreased, igg decreased
Blood immunoglobulin M decreased: igm decreased
CD4 lymphocytes decreased
Antinuclear antibody positive: ana positive
Drug specific antibody present: antidrug antibody positive, neutralising antibodies positive
JC virus antibody positive: jcv antibody positive, jcv positive
Haematuria: blood in urine
Proteinuria: protein urine present
Leukocyturia
Asymptomatic bacteriuria: bacteriuria
Glomerulonephritis: nephritis
Anti-glomerular basement membrane disease: anti-gbm disease, goodpasture syndrome, goodpasture's syndrome
Membranous glomerulonephritis: membranous nephropathy
Nephropathy
Nephrotic syndrome
Renal failure: kidney failure, renal insufficiency
Acute kidney injury: acute renal failure
Chronic kidney disease
Renal impairment
Nephrolithiasis: kidney stone, kidney stones, renal colic, nierensteine
Hydronephrosis
Urinary retention
Urinary incontinence: incontinence
Urinary urgency: micturition urgency, urge incontinence, overactive bladder
Pollakiuria: urinary frequency
Nocturia
Dysuria: painful urination
Neurogenic bladder: bladder dysfunction
Erectile dysfunction
Sexual dysfunction
Menorrhagia: heavy menstrual bleeding, heavy periods
Metrorrhagia: intermenstrual bleeding
Dysmenorrhoea: period pain, menstrual pain
Amenorrhoea
Menstruation irregular: irregular menstruation, irregular periods, menstrual disorder
Menopausal symptoms: menopause
Vaginal haemorrhage: vaginal bleeding
Ovarian cyst
Endometriosis
Uterine leiomyoma: fibroids, uterine fibroids
Abortion spontaneous: spontaneous abortion, miscarriage, fehlgeburt
Abortion induced: induced abortion
Ectopic pregnancy
Pre-eclampsia
Premature delivery: preterm birth
Infertility
Breast mass: breast lump
Vision blurred: blurred vision, blurry vision, verschwommensehen
Visual impairment: visual disturbance, visual disorder, sehstorung, sehstorungen
Visual acuity reduced: reduced vision
Diplopia: double vision, doppelbilder
Eye pain: augenschmerzen
Dry eye: dry eyes
Macular oedema
Uveitis: iritis
Retinal detachment
Cataract
Glaucoma
Blepharitis
Photophobia
Nystagmus
Tinnitus: ringing in ears
Hearing loss: deafness, hypoacusis, sudden hearing loss
Ear pain: earache
Neoplasm: tumour, tumor
Malignant neoplasm: cancer, malignancy, krebs
Benign neoplasm: benign tumour
Breast cancer: breast carcinoma, mammakarzinom, brustkrebs
Basal cell carcinoma: basal cell cancer, basaliom, bcc
Squamous cell carcinoma: squamous cell carcinoma of skin
Malignant melanoma: melanoma, skin melanoma
Skin cancer
Lymphoma: non-hodgkin lymphoma, non hodgkin's lymphoma
Hodgkin's disease: hodgkin lymphoma
Leukaemia: acute myeloid leukaemia, acute leukaemia
Myelodysplastic syndrome
Multiple myeloma
Castleman's disease
Colon cancer: colorectal cancer, bowel cancer
Lung cancer: bronchial carcinoma
Prostate cancer
Bladder cancer
Cervix carcinoma: cervical cancer
Ovarian cancer
Endometrial cancer: uterine cancer
Gastric cancer: stomach cancer
Pancreatic carcinoma: pancreatic cancer
Renal cell carcinoma: kidney cancer, renal cancer
Hepatocellular carcinoma: liver cancer
Testicular cancer
Meningioma
Brain neoplasm: brain tumour
Haemangioma
Lipoma
Colon polyp: colonic polyp
Uterine polyp
Surgery: operation
Hospitalisation
Vaccination complication: vaccination reaction
Immunosuppression
Autoimmune disorder: autoimmune disease, autoimmune event, autoimmunerkrankung
Graft versus host disease
Veno-occlusive disease
Transfusion reaction
Withdrawal syndrome
Other: other adverse event, sonstiges, autre, otro, altro
None: no adverse event, no adverse events, keine
"""

# Words that may stand beside a known term and are kept: `acute sinusitis` is `Sinusitis, acute`.
_MODIFIERS = """
    mild moderate severe serious acute chronic recurrent recurring persistent transient intermittent worsening
    worsened new left right bilateral unilateral upper lower generalised generalized localised localized mucosal
    viral bacterial fungal allergic autoimmune suspected possible probable confirmed asymptomatic symptomatic
    reactivation exacerbation grade grad 1 2 3 4 5 i ii iii iv leicht mittel schwer akut chronisch rezidivierend links rechts beidseits
"""
MODIFIERS = frozenset(_MODIFIERS.split())
# Words without which a term means the same.
_FILLERS = "of the a an due to with in at by and on after post during nos unspecified syndrome"
FILLERS = frozenset(_FILLERS.split())

# Laboratory tests. What the seeds of the outcomes name (lymphocyte populations, antidrug antibodies, limits of
# normal) is published as written there, so that it is found; here are other ways to write it, and all others.
TESTS = """
lymphocytes: lymphocyte, lymphocyte count, absolute lymphocyte count, lymphocytes absolute, abs lymphocytes, lymphs, lymphozyten, lymphozyten absolut, lymphocytes absolus, linfocitos, linfociti, limfocyty, tlc, total lymphocytes, total lymphocyte count
leukocytes: leucocytes, wbc, white blood cells, white blood cell count, white cells, white cell count, leukocyte count, leukozyten, leuko, globules blancs, leucocitos, leucociti
neutrophils: neutrophil, neutrophil count, absolute neutrophil count, anc, neutrophile, neutrofilos, neutrofili, granulocytes
platelets: platelet count, plt, thrombocytes, thrombozyten, plaquettes, plaquetas, piastrine
monocytes: monocyte count, monozyten
eosinophils: eosinophile
basophils: basophile
haemoglobin: hgb, hb, hamoglobin, hemoglobine, hemoglobina
haematocrit: hct, hamatokrit
erythrocytes: rbc, red blood cells, erythrozyten, red cell count
mcv
mch
mchc
reticulocytes
alt: alat, gpt, sgpt, alanine aminotransferase, alanine transaminase, alt gpt, gpt alat
ast: asat, got, sgot, aspartate aminotransferase, aspartate transaminase, ast got, got asat
ggt: gamma gt, γ gt, gamma glutamyltransferase, y gt, ggtp
alkaline phosphatase: alp, ap, alk phos, alkalische phosphatase
total bilirubin: bilirubin, bilirubin total, bilirubin gesamt, gesamtbilirubin, t bili
direct bilirubin
conjugated bilirubin
indirect bilirubin
albumin
total protein: protein total
creatinine: serum creatinine, kreatinin, creatinina, creatinine serum, scr, krea
creatinine clearance: crcl
egfr: gfr, glomerular filtration rate, estimated gfr
urea: bun, blood urea nitrogen, harnstoff
uric acid: urate, harnsaure
cystatin c
sodium: na, natrium
potassium: k, kalium
calcium
chloride
magnesium
phosphate
glucose: blood glucose, fasting glucose, blutzucker
hba1c: glycated haemoglobin, a1c
cholesterol: total cholesterol
ldl: ldl cholesterol
hdl: hdl cholesterol
triglycerides: triglyceride
crp: c reactive protein, c-reaktives protein, hs crp
esr: erythrocyte sedimentation rate, bsg
procalcitonin
ldh: lactate dehydrogenase
ck: creatine kinase, cpk
lipase
amylase
ferritin
iron
transferrin saturation
vitamin d: 25 oh vitamin d, 25 hydroxyvitamin d, vitamin d3
vitamin b12: b12
folate: folic acid
inr
aptt: ptt
prothrombin time: quick
fibrinogen
d dimer
troponin
bnp: nt probnp
tsh: thyroid stimulating hormone, thyrotropin
free t4: ft4, t4 free, thyroxine
free t3: ft3, t3 free
total t3
total t4
tpo antibodies: anti tpo, tpo ab, tpo ak
tsh receptor antibodies: trab, trak
thyroglobulin antibodies: anti tg
ana: antinuclear antibodies, antinuclear antibody
dsdna antibodies: anti dsdna
anca
anticardiolipin antibodies
lupus anticoagulant
anti gbm antibodies: gbm antibodies
rheumatoid factor
complement c3: c3
complement c4: c4
igg: immunoglobulin g
iga: immunoglobulin a
igm: immunoglobulin m
ige: immunoglobulin e
igg index
oligoclonal bands: ocb
kappa free light chains: free light chains, kappa index
csf cell count
csf protein
neurofilament light chain: nfl, snfl, neurofilament, serum nfl, serum neurofilament light chain, neurofilament light
gfap: sgfap
aquaporin 4 antibodies: aqp4, aqp4 igg, aqp4 antibodies, nmo igg
mog antibodies: mog igg
jcv index: jc virus index, jcv antibody index, anti jcv antibody index
jcv antibodies: jcv antibody, anti jcv antibodies, jcv serology, jc virus antibodies
jcv dna
vzv igg: varicella zoster igg, varicella igg, vzv antibodies, varicella zoster antibodies
hbsag: hepatitis b surface antigen
anti hbc: hepatitis b core antibodies
anti hbs: hepatitis b surface antibodies
hbv dna
hcv antibodies: anti hcv
hcv rna
hiv test: hiv, hiv antibodies, hiv serology
quantiferon: igra, tb igra
syphilis serology: vdrl, tpha
cmv igg
cmv dna
ebv igg
measles igg
rubella igg
mumps igg
sars cov 2 antibodies: sars-cov-2 antibodies, covid antibodies
sars cov 2 pcr
pregnancy test: hcg, beta hcg, urine pregnancy test
urine protein: proteinuria
urine protein creatinine ratio: protein creatinine ratio, upcr
urine erythrocytes: haematuria, urine rbc
urine leukocytes
urine creatinine
urinalysis: urine dipstick, urine status
antidrug_antibodies: antidrug antibody, anti drug antibody, drug antibodies, anti-drug-antibodies, antidrug antibody titre, antidrug antibody titer, ada titre, ada titer
neutralizing_antibodies: neutralizing antibody, neutralising antibodies, neutralising antibody, nab, nabs
antinatalizumab antibodies: natalizumab antibodies, anti natalizumab antibodies
anti interferon beta antibodies: interferon antibodies, ifn antibodies, anti ifn antibodies
mxa
cd3: cd3 t cells, cd3 lymphocytes, t cells, t lymphocytes, cd3+, cd3+ t cells
cd4: cd4 cells, cd4 count, cd4 lymphocytes, cd4 absolute, cd4+, cd4+ t cells, cd4 zellen, t helper cells, cd4 t lymphocytes, cd3 cd4
cd8: cd8 cells, cd8 count, cd8 lymphocytes, cd8+, cd8+ t cells, cytotoxic t cells, cd8 t lymphocytes, cd3 cd8
cd19: cd19 cells, cd19 count, cd19+, cd19+ b cells, cd19 b cells, b lymphocytes, b zellen, cd19 lymphocytes
cd20: cd20 b cells, cd20+
nk: nk cells, natural killer cells, cd16 cd56, nk zellen
cd4 cd8 ratio: cd4/cd8, cd4/cd8 ratio
regulatory t cells: tregs, treg
memory b cells: cd19 cd27, cd27
naive b cells
plasmablasts
memory t cells
naive t cells
cd52
alemtuzumab concentration: alemtuzumab serum concentration
natalizumab concentration
"""

# Instruments' scales; `OCT` and tests of one hand or eye stand with the side and trial behind them.
SCALES = """
total: total_score, total score, overall, summary, gesamt, score
total_correct: correct, total correct, number correct, correct answers, raw score, raw, richtige
total_recall: total recall, immediate recall
delayed_recall: delayed recall
learning
recognition: recognition discrimination
percent_retained
trial_1
trial_2
trial_3
seconds: time, time in seconds, sec, s, duration
speed
mean
best
dominant_hand: dominant, dominant hand
non_dominant_hand: non dominant, nondominant, non dominant hand, nondominant hand
z_score: z
t_score: t, tscore
standard_score
percentile
physical: physical functioning, physical health, physical function
emotional: emotional functioning
social: social functioning
school: school functioning
work
psychosocial: psychosocial health
fatigue
general_fatigue
sleep_rest_fatigue
cognitive_fatigue
anxiety
depression
stigma
anger
stress
pain
communication
sleep_disturbance
positive_affect: positive affect and well being, positive_affect_and_well_being
cognitive_function: cognition function, applied_cognition, cognition
emotional_dyscontrol: emotional and behavioral dyscontrol, emotional and behavioural dyscontrol
lower_extremity_function: lower_extremity, lower extremity, mobility, lower extremity function mobility
upper_extremity_function: upper_extremity, upper extremity, fine motor adl, upper extremity function fine motor
satisfaction_with_social_roles: satisfaction_with_social_roles_and_activities
participation_in_social_roles: ability_to_participate_in_social_roles_and_activities
social_relations: social_relations_interaction_with_peers
rnfl_thickness: rnfl, prnfl, retinal nerve fibre layer thickness, retinal nerve fiber layer thickness
rnfl_temporal
rnfl_nasal
rnfl_superior
rnfl_inferior
gcipl_thickness: gcipl, gcip, gcl ipl
gcl_thickness: gcl
inl_thickness: inl
macular_volume: total_macular_volume
macular_thickness
"""
SCALE_SIDES = "left right od os ou both mean average dominant non_dominant trial_1 trial_2 trial_3 trial_4 z_score t_score"

# Parts of units; a unit is one of these, or two joined by `/` or `per`, with a power of ten and `x` in front.
_UNIT_PARTS = """
    g mg ug µg mcg ng pg fg kg dg l dl cl ml ul µl mcl nl pl fl mm3 mm^3 mm cm m m2 m^2 m3 um µm mol mmol umol µmol nmol pmol
    fmol meq eq u iu miu uiu µiu mu ku kiu ukat µkat nkat kat ie mie ui h hr hrs hour hours min minute minutes s sec second
    seconds d day days w wk week weeks month months mo y yr year years dose doses cell cells copies gpt giga tera tpt t mio
    mill million thou tsd k bpm mmhg % ‰ percent points point score ratio index titre titer kda 1 au bau rlu od z sd letters
    tablet tablets capsule capsules injection injections infusion infusions vial vials drop drops puff puffs course courses
    cycle cycles times fold hpf lpf field 24h 1.73m2 1.73 bw 100ml stunde stunden tag tage woche monat
"""
UNIT_PARTS = frozenset(_UNIT_PARTS.split())
# What may follow a dose: 44 µg s.c. three times a week.
_UNIT_WORDS = """
    daily weekly monthly yearly annually once twice three thrice every other per a x od bd bid tid qd qod qw q2w q4w eow biw tiw
    sc im iv po oral orally subcutaneous intramuscular intravenous taglich wochentlich monatlich
"""
UNIT_WORDS = frozenset(_UNIT_WORDS.split())
