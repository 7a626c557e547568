"""Words of protocols → terms of the constraint vocabulary: drugs and their classes, infections, laboratory measures.

Drug names come from the shared drug seeds (`pipeline/drugs.py`); the tables here add how protocols speak of classes and
of what is no drug. Which words make a constraint is decided by the rules.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import NamedTuple

from pipeline import drugs

# Abbreviations of the clinics' seed that mean something else in a protocol.
_AMBIGUOUS_WORDS = """
    nat ale alem evo fing mab ocr ofa pone teri tole clad cyc metho mito myco dexa dac mp pe pex hct gcs mpa lef litio msc mscs sct
    trf plc rix ara ubl sipo natz ocre clad gla inf laq fng atz alz taph tph study trial naive nil none no brak ohne keine aucun vit
    cart cya asct abmt gatir ritux cytox 6mp b12 drf tcz trial cop igev evo ozan
"""
_AMBIGUOUS = frozenset(_AMBIGUOUS_WORDS.split())
_SKIPPED_INN = frozenset({"no treatment", "placebo", "investigational drug", "immunosuppressant", "monoclonal antibody",
                          "chemotherapy", "estrogen", "oral contraceptive", "vaccine"})  # fmt: skip

# How protocols name classes. {a|b} are alternatives, [x] is optional.
_CLASSES: dict[str, str] = {
    "ms disease-modifying therapy": """[ms|multiple sclerosis] [approved] disease {modifying|modulating|modification} [ms|multiple sclerosis] {therapy|drug|treatment|agent|medication|therapeutic|product|compound}
        dmt; dmd; dmts; ms dmt; disease modifying; disease modifying {and|or|and or}
        ms {therapy|treatment|medication|drug}; {therapy|treatment|medication|drug} for {ms|multiple sclerosis}; multiple sclerosis {therapy|treatment|medication|drug}
        ms {specific|modifying} {therapy|treatment|medication|drug}
        {immunotherapy|immune therapy} for {ms|multiple sclerosis}
        {first|1st} line {therapy|treatment|dmt|drug|agent|ms therapy|ms treatment}""",
    "high-efficacy therapy": "{high|highly} {efficacy|effective} {therapy|treatment|dmt|drug|dmd|ms therapy}",
    "immunosuppressant": """immunosuppressant; immunosuppressive; immunosuppressive {therapy|treatment|drug|agent|medication}; immunosuppressant {therapy|treatment|drug|agent|medication}
        immuno suppressive [drug|agent|therapy|treatment|medication]; immune suppressive [drug|agent|therapy|treatment|medication]; immunosuppression therapy; immunosuppressor; immune suppressant
        immunosuppressive {or|and|and or} {chemotherapeutic|cytotoxic} {medication|agent|drug|therapy}""",
    "immunomodulator": """immunomodulator; immunomodulatory; immunomodulating; immune modulator; immunomodulatory {therapy|treatment|drug|agent|medication}
        immunomodulating {therapy|treatment|drug|agent|medication}; immune {modulating|modulatory} {therapy|treatment|drug|agent|medication}; immunologic {therapy|treatment}""",
    "interferon": "interferon; ifn; interferon {therapy|treatment}",
    "interferon alfa": "interferon {alfa|alpha|a|α}; ifn {alfa|alpha|α}; {alfa|alpha} interferon",
    "interferon beta": """interferon beta; beta interferon; interferon b; ifn beta; ifn b; ifnb; ifnbeta; interferon β; ifn β; ifnβ; inf beta; β interferon; β ifn; bifn; interferonbeta
        interferon β preparation; interferon beta preparation; b interferon; inf b; ifn beta product""",
    "interferon beta-1a": "interferon beta 1a; interferon β 1a; ifn beta 1a; ifn β 1a; ifnb 1a; ifnβ 1a; ifnβ1a; beta interferon 1a; beta 1a interferon; interferon b 1a; ifn b 1a; interferon beta1a; β 1a; avonex; rebif; im ifn beta 1a",
    "interferon beta-1b": "interferon beta 1b; interferon β 1b; ifn beta 1b; ifn β 1b; ifnb 1b; ifnβ 1b; ifnβ1b; beta interferon 1b; interferon b 1b; ifn b 1b; interferon beta1b; betaseron; betaferon; extavia; β 1b",
    "glatiramer acetate": "glatiramer; glatiramer acetate; ga; copaxone; glatirameracetate; glatimer acetate; copolymer 1",
    "fingolimod": "fty720; fty 720; fingolimod; gilenya",
    "dimethyl fumarate": "dmf; bg 12; bg00012; bg 00012; dimethyl fumarate; dimethylfumarate; tecfidera",
    "fumaric acid esters": "fumarate; fumaric acid ester; fumaric acid; fumaderm; fumaric acid derivative",
    "s1p receptor modulator": "s1p {modulator|receptor modulator|receptor modulating compound|receptor modulating agent|receptor agonist}; sphingosine 1 phosphate [receptor] {modulator|agonist}; s1p [receptor] {modulating|modulator} {compound|agent|drug|therapy}; sphingosine 1 phosphate {receptor} modulating agent",
    "monoclonal antibody": "monoclonal antibody; [therapeutic] monoclonal antibody {therapy|treatment}; mab therapy; monoclonal antibody drug",
    "anti-cd20 antibody": "anti cd20; anti cd20 {antibody|therapy|agent|treatment|monoclonal antibody}; anti cd 20 [antibody|therapy]",
    "b-cell-depleting therapy": "b cell {depleting|depletion} {therapy|agent|treatment|drug|medication}; b cell depleting; b lymphocyte depleting {therapy|agent}",
    "b cell-targeted therapy": "b cell therapy; b cell {targeted|targeting|directed} {therapy|agent|treatment|drug|medication}; b lymphocyte {targeted|directed} {therapy|agent|treatment|drug}",
    "cell-depleting therapy": "{lymphocyte|cell|leukocyte|t cell} depleting {therapy|agent|treatment|drug|antibody}; cell depletion therapy; {lympho|lymphocyte} {depletion|ablation} therapy",
    "anti-cd4 antibody": "anti cd4 {antibody|therapy|treatment|monoclonal antibody}; anti cd4; anti cd4 antibody treatment",
    "cytotoxic therapy": "cytotoxic [drug|agent|therapy|treatment|medication]; cytostatic [drug|agent|therapy|treatment|medication]; cytotoxic chemotherapy",
    "chemotherapy": "chemotherapy; chemotherapeutic [agent|drug|medication|therapy]; chemo therapy; antineoplastic [agent|drug|therapy]",
    "cytokine therapy": "cytokine therapy; anti cytokine therapy; cytokine treatment",
    "corticosteroid": """corticosteroid; corticoid; steroid; glucocorticoid; glucocorticosteroid; corticosteroid {therapy|treatment}; steroid {therapy|treatment}; methylprednisolone; methylprednisone; methyl prednisolone; prednisone; prednisolone; cortisone; dexamethasone; ivmp; solumedrol; solu medrol; hydrocortisone; betamethasone; triamcinolone; cortico steroid; cortisol""",
    "corticotropin": "acth; adrenocorticotropic hormone; adrenocorticotrophic hormone; adrenocorticotropin; adrenocorticotrophin; corticotropin; corticotrophin; acthar; repository corticotropin; adreno corticotrophic hormone; adrenocorticotropic",
    "immunoglobulin": "immunoglobulin; immune globulin; gammaglobulin; gamma globulin; immunglobulin",
    "intravenous immunoglobulin": "ivig; intravenous immunoglobulin; intravenous immune globulin; iv immunoglobulin; intravenous gammaglobulin; ivig therapy; i v immunoglobulin; iv immune globulin; iv ig; ig iv; intravenous ig; immunoglobulin g iv",
    "plasma exchange": "plasmapheresis; plasma exchange; plasmaphoresis; plasma pheresis; plex; therapeutic plasma exchange; apheresis",
    "cytapheresis": "cytapheresis; leukapheresis; lymphocytapheresis",
    "total lymphoid irradiation": "total lymphoid irradiation; lymphoid irradiation; total lymph node irradiation; tli; total lymphoid radiation",
    "total body irradiation": "total body irradiation; whole body irradiation; total body radiation; whole body radiation",
    "stem cell transplantation": "stem cell {transplant|transplantation|treatment|therapy|rescue}; [hematopoietic|haematopoietic] stem cell {transplant|transplantation}; hsct; ahsct; ahscts; {autologous or allogeneic|autologous and allogeneic|allogeneic or autologous|allogeneic} {hsct|stem cell transplantation|stem cell transplant|hematopoietic stem cell transplantation|haematopoietic stem cell transplantation}; autologous [hematopoietic|haematopoietic] stem cell {transplant|transplantation}; stem cell; bone marrow stem cell transplantation",
    "bone marrow transplantation+stem cell transplantation": "bone marrow {or|and|and or} [hematopoietic|haematopoietic] stem cell {transplant|transplantation}; [hematopoietic|haematopoietic] stem cell {or|and|and or} bone marrow {transplant|transplantation}",
    "total body irradiation+total lymphoid irradiation": "total body {or|and|and or} [total] lymphoid irradiation; total lymphoid {or|and|and or} [total] body irradiation",
    "autologous bone marrow transplantation+allogeneic bone marrow transplantation": "{autologous or allogeneic|autologous and allogeneic|allogeneic or autologous|autologous or allogenic|allogenic or autologous} bone marrow {transplant|transplantation}",
    "bone marrow transplantation": "bone marrow {transplant|transplantation}; bmt",
    "autologous bone marrow transplantation": "autologous bone marrow {transplant|transplantation}",
    "allogeneic bone marrow transplantation": "{allogeneic|allogenic} bone marrow {transplant|transplantation}",
    "bone marrow ablation": "ablation of the bone marrow; bone marrow ablation; myeloablation; radiation ablation of the bone marrow",
    "transplantation": "organ {transplant|transplantation}; transplantation; solid organ transplant; transplant",
    "anti-rejection therapy": "anti rejection {therapy|drug|treatment|medication}; antirejection {therapy|drug|treatment|medication}",
    "t cell vaccination": "t {cell|lymphocyte} vaccination; tcell vaccination; t cell vaccine",
    "t cell vaccination+t cell receptor vaccination": "{t cell|tcell|t lymphocyte} {or|and|and or} {t cell|tcell|t lymphocyte} receptor vaccination",
    "t cell receptor vaccination": "t cell receptor vaccination; tcr vaccination; t cell receptor vaccine; t cell receptor peptide vaccine; t cell receptor {therapy|peptide}",
    "vaccine": "vaccine; vaccination; immunization; immunisation; any vaccine; inactivated vaccine",
    "live vaccine": "live vaccine; live attenuated vaccine; live or {live attenuated|attenuated} vaccine; live [virus|viral] {vaccine|vaccination}; attenuated vaccine; live vaccination; live {or live attenuated|attenuated|and live attenuated} {vaccine|vaccination}; live attenuated virus vaccine; live attenuated",
    "cyp3a4 inhibitor": "cyp3a4 inhibitor; inhibitor of {cyp3a4|cyp 3a4|cyp3a|cytochrome p450 3a4|cytochrome p450 cyp 3a4|cytochrome p450 3a4 cyp3a4|cytochrome p450 cyp3a4|cytochrome p450 3a}; cyp 3a4 inhibitor; cyp3a inhibitor; cytochrome p450 3a4 inhibitor; strong cyp3a4 inhibitor",
    "fampridine": "fampridine; dalfampridine; 4 aminopyridine; aminopyridine; ampyra; fampyra; 4 ap; 4 ap fampridine; fampridine sr",
    "prasterone": "dhea; dehydroepiandrosterone; prasterone",
    "estrogen": "estrogen; oestrogen; estradiol; estrogen {therapy|replacement}",
    "androgen": "androgen; testosterone; anabolic steroid",
    "anti-estrogen": "anti estrogen; antiestrogen; anti oestrogen",
    "sex hormone": "sex hormone; hormone replacement therapy; sex steroid; hrt; hormonal replacement therapy; progesterone; sex steroid hormone; exogenous hormone therapy",
    "beta blocker": "beta blocker; β blocker; beta adrenergic blocker; beta adrenergic blocking agent; betablocker; beta blocking agent",
    "calcium channel blocker": "calcium channel blocker; calcium channel antagonist; calcium antagonist",
    "class ia antiarrhythmic+class iii antiarrhythmic": "class {ia or iii|ia and iii|1a or 3|ia or class iii|ia iii} {antiarrhythmic|anti arrhythmic} [drug|agent|medication]",
    "class ia antiarrhythmic": "class ia antiarrhythmic [drug|agent|medication]; class ia; class ia anti arrhythmic [drug|agent|medication]; class 1a antiarrhythmic [drug|agent|medication]; class 1a",
    "class iii antiarrhythmic": "class iii antiarrhythmic [drug|agent|medication]; class iii antiarrhythmic; class iii anti arrhythmic [drug|agent|medication]; class 3 antiarrhythmic [drug|agent|medication]",
    "qt-prolonging drug": "qt prolonging {drug|medication|agent}; {drug|medication|agent} that prolong {the qt interval|qt interval|the qt|qt|the qtc|the qtc interval}; drug known to prolong {the qt interval|qt interval|the qt|qt|qtc}; medication known to prolong {the qt interval|qt interval|the qt}",
    "antihypertensive": "antihypertensive [drug|agent|medication|treatment|therapy]; anti hypertensive [drug|medication]; medication for blood pressure; blood pressure medication",
    "cardiac medication+antihypertensive": "medication for {heart or blood pressure|heart and blood pressure|blood pressure or heart}",
    "cardiac medication": "cardiac medication; medication for heart; heart medication; cardiovascular medication",
    "diuretic": "diuretic",
    "anticholinergic": "anticholinergic [drug|agent|medication]; anti cholinergic [drug|agent|medication]",
    "benzodiazepine": "benzodiazepine; benzodiazepine medication",
    "antipsychotic": "antipsychotic [drug|medication]; neuroleptic; anti psychotic [drug|medication]",
    "antidepressant": "antidepressant; anti depressant; antidepressive [drug|medication]",
    "antispasticity medication": "antispasticity {medication|drug|agent|treatment|therapy}; anti spasticity {medication|drug|agent|treatment|therapy}; antispastic {medication|drug|agent|treatment|therapy}; spasticity medication",
    "medication affecting cognition": "medication judged to have the potential to impact cognitive function; medication {affecting|that affect|that may affect|known to affect|that could affect} {cognition|cognitive function}",
    "analgesic": "analgesic [drug|medication]; pain medication; pain killer; painkiller",
    "antipyretic": "antipyretic [drug|medication]",
    "nsaid": "nsaid; anti inflammatory {drug|medication}; nonsteroidal anti inflammatory {drug|agent|medication}; non steroidal anti inflammatory {drug|agent|medication}",
    "mycophenolate mofetil": "mycophenolate; mycophenolate mofetil; mmf",
    "green tea": "green tea; polyphenon e; green tea compound",
    "intraocular steroid": "{intraocular|intravitreal|periocular} {steroid|corticosteroid}",
    "intraocular anti-angiogenic drug": "{intraocular|intravitreal} {anti angiogenic|anti vegf|antiangiogenic} {drug|agent|therapy|treatment|injection}; anti vegf {drug|agent|therapy|treatment|injection}",
    "drug affecting the retina": "drug that may {directly affect|affect} {retinal structure|the retina|retinal function}; drug that {directly affect|affect} {retinal structure|the retina}; drug {affecting the retina|toxic to the retina|with retinal toxicity}; retinotoxic {drug|medication}; medication {affecting the retina|toxic to the retina|with retinal toxicity}; drug known to affect the retina; medication known to affect the retina",
    "iodide salt": "iodide salt; iodide; potassium iodide",
    "btk inhibitor": "btk inhibitor; btki; {bruton|bruton s} tyrosine kinase inhibitor",
    "jak inhibitor": "jak inhibitor; janus kinase inhibitor",
    "tnf inhibitor": "tnf inhibitor; anti tnf [therapy|agent|drug|treatment]; tnf {alpha|α} {inhibitor|blocker}; anti tnf {alpha|α}; tumor necrosis factor [alpha] {inhibitor|blocker}",
    "cyp3a4 inhibitor+cyp3a4 inducer": "cyp3a4 {inhibitor or inducer|inducer or inhibitor|inhibitor and inducer|inhibitor inducer}; inhibitor {or|and} inducer of {cyp3a4|cyp 3a4|cyp3a|cytochrome p450 3a4}",
    "cyp3a4 inducer+cyp2c8 inducer": "inducer of {cyp3a4|cytochrome p450 3a cyp3a|cytochrome p450 3a|cyp3a|cytochrome p450 3a4} or cyp2c8; cyp3a4 or cyp2c8 inducer",
    "cyp3a4 inducer": "cyp3a4 inducer; cyp 3a4 inducer; cyp3a inducer; inducer of {cyp3a4|cyp 3a4|cyp3a|cytochrome p450 3a|cytochrome p450 3a4}",
    "cyp2c8 inhibitor": "cyp2c8 inhibitor; inhibitor of cyp2c8",
    "mao inhibitor": "mao inhibitor; maoi; monoamine oxidase inhibitor; mao b inhibitor",
    "antidiabetic": "antidiabetic [drug|agent|medication]; {drug|medication|agent|treatment} for diabetes [mellitus]; glucose lowering {drug|agent|medication}; hypoglycemic agent",
    "anticoagulant": "anticoagulant; anti coagulant; anticoagulation; anticoagulant {therapy|treatment|medication}; anticoagulation {therapy|treatment}; {vitamin k|vit k} antagonist",
    "antiplatelet": "antiplatelet [drug|agent|therapy|treatment|medication]; anti platelet [drug|agent|therapy|treatment|medication]; platelet aggregation inhibitor",
    "fibrate": "fibrate",
    "barbiturate": "barbiturate",
    "digitalis": "digitalis; digitalis {glycoside|preparation}",
    "muscle relaxant": "{muscle|skeletal muscle} relaxant; muscle relaxing {drug|agent|medication}",
    "protease inhibitor": "{protease|hiv protease} inhibitor",
    "azole antifungal": "azole {antifungal|anti fungal} [drug|agent|preparation|medication]",
    "macrolide antibiotic": "macrolide [antibiotic]; macrolideantibiotic",
    "cholinesterase inhibitor": "{cholinesterase|acetylcholinesterase} inhibitor",
    "gene therapy": "gene therapy",
    "cell therapy": "{cell|cellular|cell based} therapy; mesenchymal {stem cell|stromal cell} therapy",
    "opioid": "opioid {analgesic|drug|medication|agonist|antagonist}; opiate {drug|medication|analgesic}; narcotic analgesic",
    "potassium supplement": "potassium {supplement|supplementation}",
    "statin": "statin; hmg coa reductase inhibitor",
    "cannabinoid": "cannabinoid; cannabidiol; {medical|medicinal} {cannabis|marijuana}; cannabis {product|preparation|extract|medication|based medication}; cannabis or cannabinoid",
    "anticonvulsant": "anticonvulsant; antiepileptic [drug|medication]; anti epileptic [drug|medication]",
    "antiarrhythmic": "antiarrhythmic [drug|agent|medication]; anti arrhythmic [drug|agent|medication]",
    "ssri": "ssri; ssris; selective serotonin reuptake inhibitor",
    "hormonal contraceptive": "hormonal contraceptive; oral contraceptive",
    "accelerated elimination": "accelerated elimination [procedure]",
    "investigational drug": """{investigational|experimental} {drug|agent|product|medication|treatment|therapy|compound|medicinal product|medicine|substance|new drug|device|procedure|drug therapy}; investigational {or|and|and or} experimental {drug|agent|product|medication|treatment|therapy}
        experimental {or|and|and or} investigational {drug|agent|product|medication|treatment|therapy}; study drug from another; unapproved {drug|agent}; unlicensed {drug|agent}; investigative {drug|agent|product|therapy}
        {investigational|experimental} {disease modifying|immunomodulatory|immunosuppressive|ms} {drug|agent|treatment|therapy|medication}
        investigational medicinal product; investigational {drug|agent|product} {or|and} {device|procedure|treatment}; {non registered|nonregistered} drug; investigational medical product; investigational {study drug|study medication}""",
}  # fmt: skip

_INFECTIONS: dict[str, str] = {
    "hiv": "hiv; human immunodeficiency virus; hiv 1; hiv 2; hiv antibody; hiv infection; human immune deficiency virus; human immunodeficiency virus hiv",
    "aids": "aids; acquired immunodeficiency syndrome; acquired immune deficiency syndrome",
    "hepatitis b": "hepatitis b; hbv; hbsag; hepatitis b virus; hbs antigen; hep b; hepatitis b surface antigen; hepatitis b core antibody; anti hbc",
    "hepatitis c": "hepatitis c; hcv; hepatitis c virus; hep c; hcv antibody; hepatitis c antibody",
    "hepatitis": "hepatitis; viral hepatitis",
    "htlv-1": "htlv 1; htlv i; htlv; human t lymphotropic virus",
    "tuberculosis": "tuberculosis; tb; mycobacterium tuberculosis",
    "syphilis": "syphilis",
    "lyme disease": "lyme disease; lyme; borreliosis; lyme borreliosis",
    "progressive multifocal leukoencephalopathy": "progressive multifocal leukoencephalopathy; pml; progressive multifocal leucoencephalopathy",
    "opportunistic infection": "opportunistic infection; [severe|serious] opportunistic infection; opportunistic infectious disease",
    "invasive fungal infection": "{invasive or systemic|systemic or invasive} fungal {infection|disease}; invasive fungal infection; invasive fungal disease; invasive mycosis",
    "systemic fungal infection": "systemic fungal disease; systemic fungal infection; fungal infection; systemic mycosis",
    "systemic bacterial infection": "systemic bacterial infection; bacterial infection",
    "systemic viral infection": "systemic viral infection; viral infection",
    "active systemic infection": "active systemic infection",
    "systemic infection": "systemic infection",
    "serious local infection": "serious local infection; local infection",
    "severe infection": "severe infection; serious infection; significant infection; major infection",
    "severe active infection": "severe active infection; active severe infection; clinically severe active infection; active serious infection; serious active infection",
    "active infection": "active infection; ongoing infection; current infection; uncontrolled infection; ongoing or active infection; active or ongoing infection; active or chronic infection; acute or chronic infection; chronic infection; active chronic infection; persistent infection",
    "acute infection": "acute infection; intercurrent infection",
    "infectious disease": "infectious disease; infectious illness",
    "any infection": "infection",
    "abscess": "abscess",
    "cellulitis": "cellulitis",
    "pneumonia": "pneumonia",
    "septicemia": "septicemia; septicaemia; sepsis",
    "covid-19": "covid 19; sars cov 2; covid; covid19; coronavirus disease",
    "varicella zoster": "varicella; varicella zoster; chickenpox; vzv; varicella zoster virus; herpes zoster; shingles; chicken pox",
    "cytomegalovirus": "cmv; cytomegalovirus",
    "epstein-barr virus": "epstein barr virus; ebv",
    "herpes": "herpes simplex; herpes",
}  # fmt: skip

_LABS: dict[str, str] = {
    "alt": "alt; sgpt; alanine aminotransferase; alanine transaminase; alanine amino transferase; alat; serum glutamic pyruvic transaminase; alt sgpt; sgpt alt",
    "ast": "ast; sgot; aspartate aminotransferase; aspartate transaminase; aspartate amino transferase; asat; serum glutamic oxaloacetic transaminase; ast sgot; sgot ast; asparate aminotransferase",
    "transaminases": "transaminase; transferase; aminotransferase; liver enzyme; hepatic enzyme; liver transaminase; liver function test; lft; hepatic transaminase",
    "alkaline phosphatase": "alkaline phosphatase; alp; ap; alk phos",
    "ggt": "ggt; gt; gamma gt; gammagt; gamma glutamyl transferase; gamma glutamyltransferase; γgt; gamma glutamyl transpeptidase",
    "total bilirubin": "total bilirubin; bilirubin; serum bilirubin; total serum bilirubin; serum total bilirubin; bilirubin total",
    "direct bilirubin": "direct bilirubin",
    "conjugated bilirubin": "conjugated bilirubin",
    "creatinine": "creatinine; serum creatinine; plasma creatinine; creatinine level",
    "creatinine clearance": "creatinine clearance; crcl; calculated creatinine clearance; estimated creatinine clearance; clcr",
    "egfr": "gfr; egfr; glomerular filtration rate; estimated glomerular filtration rate",
    "leukocytes": "leukopenia; leucopenia; leukocyte; wbc; white blood cell; white blood cell count; leucocyte; white cell count; white blood count; total leukocyte count; leukocyte count; wbc count",
    "lymphocytes": "lymphopenia; lymphocytopenia; lymphocyte; lymphocyte count; absolute lymphocyte count; alc; total lymphocyte count",
    "neutrophils": "neutropenia; neutrophil; neutrophil count; absolute neutrophil count; anc; granulocyte; absolute neutrophil; polymorphonuclear cell; absolute granulocyte count; segmented neutrophil; neutrophil granulocyte",
    "platelets": "thrombocytopenia; platelet; platelet count; thrombocyte; thrombocyte count; plt",
    "hemoglobin": "hemoglobin; haemoglobin; hgb; hb; hemoglobin level",
    "hematocrit": "hematocrit; haematocrit; hct",
    "hba1c": "hba1c; hemoglobin a1c; glycated hemoglobin; glycosylated hemoglobin; hb a1c; glycosylated hemoglobin a1c; haemoglobin a1c; a1c",
    "glucose": "glucose; fasting glucose; fasting plasma glucose; blood glucose; fasting blood glucose; plasma glucose",
    "cholesterol": "cholesterol; total cholesterol",
    "triglycerides": "triglyceride",
    "tsh": "tsh; thyroid stimulating hormone",
    "prolactin": "prolactin",
    "psa": "psa; prostate specific antigen",
    "albumin": "albumin; serum albumin",
    "inr": "inr; international normalized ratio; international normalised ratio",
    "cd4 t cells": "cd 4; cd4 [t] [cell|lymphocyte] [count]; cd3 cd4 [t] [cell|lymphocyte] [count]; absolute cd4 [t] [cell|lymphocyte] [count]",
    "cd8 t cells": "cd8 [t] [cell|lymphocyte] [count]; cd3 cd8 [t] [cell|lymphocyte] [count]",
    "b cells": "cd19 [b] [cell|lymphocyte] [count]; b {cell|lymphocyte} count; cd20 [b] [cell|lymphocyte] count",
    "eosinophils": "eosinophil; eosinophil count; absolute eosinophil count",
    "calcium": "serum calcium; calcium level; total calcium; corrected calcium; calcemia; hypercalcemia; hypercalcaemia",
    "sodium": "sodium; serum sodium",
    "ldh": "ldh; lactate dehydrogenase",
    "crp": "crp; c reactive protein",
    "urea": "urea; bun; blood urea nitrogen",
    "creatine kinase": "creatine kinase; creatine phosphokinase; ck; cpk; serum ck",
    "igg": "igg; immunoglobulin g; serum igg",
    "igm": "igm; immunoglobulin m; serum igm",
    "potassium": "serum potassium; potassium",
    "uric acid": "uric acid; serum uric acid; urate",
    "25-hydroxyvitamin d": "25 hydroxyvitamin d; 25 hydroxy vitamin d; 25 hydroxy vitamin d3; 25 hydroxyvitamin d3; vitamin d level; vitamin d concentration; decreased vitamin d; vitamin d deficiency; vitamin d; 25 oh d; 25 oh vitamin d; serum vitamin d",
    "amylase": "amylase",
    "lipase": "lipase",
    "interferon neutralising antibody titre (cpe assay)": "nab titre; nab titer; neutralising antibody titre; neutralizing antibody titer; neutralizing antibody titre; nab",
}  # fmt: skip

TOKEN = re.compile(r"[a-z0-9µβγ]+")


class Mention(NamedTuple):
    """A term where it stands in the canonical text."""

    start: int
    end: int
    term: str
    family: str


@lru_cache(maxsize=65536)
def stem(token: str) -> str:
    """Plural away: enough for nouns of this vocabulary."""
    if token.endswith("ies") and len(token) > 4:
        return token[:-3] + "y"
    if token.endswith("s") and len(token) > 3 and token != "aids" and not token.endswith(("ss", "us", "is")):
        return token[:-1]
    return token


_ALTERNATIVES = re.compile(r"\{([^}]*)\}|\[([^\]]*)\]|([^\s{}\[\]]+)")


def _spellings(pattern: str) -> list[tuple[str, ...]]:
    parts: list[list[str]] = []
    for match in _ALTERNATIVES.finditer(pattern):
        required, optional, word = match.groups()
        if required is not None:
            parts.append([option.strip() for option in required.split("|")])
        elif optional is not None:
            parts.append([option.strip() for option in optional.split("|")] + [""])
        else:
            parts.append([word])
    return [
        tuple(stem(t) for t in TOKEN.findall(" ".join(combination)))
        for combination in itertools.product(*parts)
    ]


Trie = dict


def _add(trie: Trie, tokens: tuple[str, ...], term: str, family: str) -> None:
    node = trie
    for token in tokens:
        node = node.setdefault(token, {})
    node.setdefault("", (term, family))


def _seeded() -> list[tuple[tuple[str, ...], str]]:
    groups = dict(drugs.drugs().select("inn", "groups").iter_rows())
    rename = {"autologous hematopoietic stem cell transplantation": "stem cell transplantation",
              "organ transplantation": "transplantation"}  # fmt: skip
    out = []
    for alias, inn, kind in drugs.aliases().select("alias", "inn", "kind").iter_rows():
        if inn in _SKIPPED_INN or kind == "language" or alias in _AMBIGUOUS or len(alias) < 3:
            continue
        of = (groups.get(inn) or "").split(";")
        term = rename.get(inn, inn)
        if "corticosteroid" in of and inn != "corticotropin":
            term = "corticosteroid"
        if inn == "tetracosactide":
            term = "corticotropin"
        out.append((tuple(stem(t) for t in TOKEN.findall(alias)), term))
    return out


@lru_cache(maxsize=1)
def trie() -> Trie:
    """All phrases: the tables of this module first, then the drug seeds."""
    root: Trie = {}
    for table, family in ((_CLASSES, "drug"), (_INFECTIONS, "infection"), (_LABS, "lab")):
        for term, phrases in table.items():
            for pattern in re.split(r"[;\n]", phrases):
                for tokens in _spellings(pattern):
                    if tokens:
                        _add(root, tokens, term, family)
    for tokens, term in _seeded():
        if tokens:
            _add(root, tokens, term, "drug")
    return root


def _phrases(node: Trie, before: tuple[str, ...] = ()):
    for token, child in node.items():
        if token == "":
            yield before, child[1]
        else:
            yield from _phrases(child, (*before, token))


@lru_cache(maxsize=8)
def openings(family: str) -> list[str]:
    """How phrases of a family begin in text of single words: one of them stands in every text with such a mention."""

    def cut(token: str) -> str:
        return token[:-1] if token.endswith("y") and len(token) > 3 else token

    out = set()
    for tokens, of in _phrases(trie()):
        if of != family:
            continue
        if len(tokens) == 1:
            out.add(" " + cut(tokens[0]))
            continue
        second = " " + cut(tokens[1])
        out.update((f" {tokens[0]}{second}", f" {tokens[0]}s{second}"))
        if tokens[0].endswith("y"):
            out.add(f" {tokens[0][:-1]}ies{second}")
    return sorted(out)


class _Beginnings(dict):
    """Printed word → where its phrases go on in the trie, None if none begins with it."""

    LIMIT = 50_000  # serial numbers are words too

    def __missing__(self, word: str) -> Trie | None:
        if len(self) >= self.LIMIT:
            self.clear()
        node = self[word] = trie().get(stem(word))
        return node


_beginnings = _Beginnings()


_PARTS = re.compile(r"[,;]")


def mentions(text: str) -> list[Mention]:
    """Terms of a canonical text from left to right, the longest phrase at each place, none overlapping."""
    words = TOKEN.findall(text)
    places: list[tuple[int, int]] = []
    out: list[Mention] = []
    free = 0  # the first word behind the last mention
    for position, word in enumerate(words):
        node = _beginnings[word]
        if node is None or position < free:
            continue
        best, end, ahead = node.get(""), position + 1, position + 1
        while ahead < len(words):
            node = node.get(stem(words[ahead]))
            if node is None:
                break
            # "interferon, gamma globulin" is two drugs
            places = places or [found.span() for found in TOKEN.finditer(text)]
            if _PARTS.search(text, places[ahead - 1][1], places[ahead][0]):
                break
            ahead += 1
            if "" in node:
                best, end = node[""], ahead
        if best is None:
            continue
        places = places or [found.span() for found in TOKEN.finditer(text)]
        out.append(Mention(places[position][0], places[end - 1][1], *best))
        free = end
    return out
