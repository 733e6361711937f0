"""Every place in the verbs of cirt(1) at which a number of something is said, and words to ask there: by the number of what is a restricted
case's, and by one that there is not."""
import pathlib
import re

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "doc" / "cirt.1"
# Words of the manual that stand for the number of something that may be a case's.
NUMBERS = {"NUMBER", "CASE", "INTO", "ID", "REPORT", "CLOCK", "FILING", "INQUIRY", "ASK", "DIGEST", "NOTICE", "APPROVAL", "ACT", "GROUP", "WHAT", "MAIL",
           "OBJECT", "RESCAN"}
# Words that stand for something else. A new one belongs into one of the two.
OTHERS = {"NAME", "URL", "CLASS", "ORGANISATION", "TEXT", "TAG", "STATE", "PART", "SYSTEM", "VALUE", "KIND", "TARGET", "TITLE", "REGIME", "ANSWER", "SENDER",
          "SOURCE", "FILE", "RULE", "KEY", "WORD", "N", "WHEN", "CURSOR", "TYPE", "WHO", "DAY", "TIME", "UNTIL", "TLP", "LIST", "REVISION", "REASON",
          "FORMAT", "CC", "WHOM", "SECTOR", "SECONDS", "ROLE", "LANGUAGE", "ADDRESS", "TAGS", "STAGE", "SECRET", "PATTERN", "PAP", "DRILL", "COLUMNS",
          "ADDRESSES", "ZONE", "VALUES", "UID", "RECIPIENTS", "PREFIX", "POLICY", "NAMES", "MATCH", "HANDLE", "FILTER", "CERTIFICATE", "PATH", "HOST:PORT",
          "DIR", "COLUMN"}

# Where such a word says nothing of a case, and why.
PLAIN = {
    "contact set ID": "of a contact", "contact close ID": "of a contact", "contact test ID": "of a contact", "ask GROUP": "a group of organisations",
    "org who WHAT": "an address", "help WHAT": "a verb", "rule new --group": "a group of organisations", "rule set --group": "a group of organisations",
    "org list --group": "a group of organisations",
    "case open --callback": "of a telephone", "report new --callback": "of a telephone", "contact new --phone": "of a telephone",
    "contact set --phone": "of a telephone", "search WHAT": "words; asked in test_restriction", "report search WHAT": "words; asked in test_restriction",
    "mail search WHAT": "words; asked in test_restriction", "inbox WHAT": "which part of it",
    "receipt ID": "who has it has sent it: what it tells of the rest is asked in test_restriction",
    "spam show ID": "spam is in no case", "spam rescue ID": "spam is in no case", "quarantine show ID": "what could not be read is in no case",
    "quarantine release ID": "what could not be read is in no case", "quarantine discard ID": "what could not be read is in no case",
    "rules show RESCAN": "its matches are asked in test_rescan", "rules stop RESCAN": "a rescan is of no case",
    "journal OBJECT": "asked in test_restriction",
}

# What there is of each kind, but not by these numbers.
NONE = {"case": "2026-987654", "report": "202611-9876543", "letter": "202611-9876543", "note": "987654", "party": "987654", "task": "987654", "event": "987654",
        "measure": "987654", "clock": "987654", "filing": "F987654", "inquiry": "987654", "ask": "987654", "digest": "ab" * 32, "approval": "987654",
        "mail": "N2026-987654", "group": "987654", "act": "987654", "alarm": "987654"}

# Kind of what is asked for, and words behind cirt. {it} is its number, {case} one that everybody sees, {report} one of nobody's, {file} a file.
ASKED = {
    "case show NUMBER": ("case", "case show {it}"), "case take NUMBER": ("case", "case take {it}"), "case set NUMBER": ("case", "case set {it} --severity low"),
    "case note NUMBER": ("case", "case note {it} words"), "case tag NUMBER": ("case", "case tag {it} ransomware"),
    "case untag NUMBER": ("case", "case untag {it} ransomware"), "case watch NUMBER": ("case", "case watch {it}"),
    "case unwatch NUMBER": ("case", "case unwatch {it}"), "case move NUMBER": ("case", "case move {it} contained"),
    "case wait NUMBER": ("case", "case wait {it} --for vendor --until 2d"), "case merge NUMBER": ("case", "case merge {it} {case}"),
    "case merge INTO": ("case", "case merge {case} {it}"), "case split NUMBER": ("case", "case split {it}"),
    "case split REPORT": ("report", "case split {case} {it}"), "case split --into": ("case", "case split {case} {report} --into {it}"),
    "case close NUMBER": ("case", "case close {it} --outcome resolved --impact none"), "case reopen NUMBER": ("case", "case reopen {it} --reason why"),
    "case read NUMBER": ("case", "case read {it}"), "case restrict NUMBER": ("case", "case restrict {it}"),
    "case unrestrict NUMBER": ("case", "case unrestrict {it}"), "case brief NUMBER": ("case", "case brief {it}"),
    "case list --campaign": ("case", "case list --campaign {it}"),
    "note show ID": ("note", "note show {it}"), "note edit ID": ("note", "note edit {it} other words"), "note pin ID": ("note", "note pin {it}"),
    "note unpin ID": ("note", "note unpin {it}"), "note erase ID": ("note", "note erase {it} --reason why"),
    "party list NUMBER": ("case", "party list {it}"), "party add NUMBER": ("case", "party add {it} police --name Somebody"),
    "party set ID": ("party", "party set {it} --note words"), "party remove ID": ("party", "party remove {it}"),
    "ref add NUMBER": ("case", "ref add {it} police P-1"), "ref remove NUMBER": ("case", "ref remove {it} P-1"),
    "event list NUMBER": ("case", "event list {it}"), "event add NUMBER": ("case", "event add {it} words"),
    "event set ID": ("event", "event set {it} --text words"), "event remove ID": ("event", "event remove {it}"),
    "task list --case": ("case", "task list --case {it}"), "task new NUMBER": ("case", "task new {it} words"),
    "task set ID": ("task", "task set {it} --due 4h"), "task take ID": ("task", "task take {it}"), "task done ID": ("task", "task done {it}"),
    "task drop ID": ("task", "task drop {it} --reason why"), "task reopen ID": ("task", "task reopen {it} --reason why"),
    "measure list --case": ("case", "measure list --case {it}"), "measure show ID": ("measure", "measure show {it}"),
    "measure new --case": ("case", "measure new dns-block a.example --review 1d --case {it}"),
    "measure set ID": ("measure", "measure set {it} --reason why"), "measure review ID": ("measure", "measure review {it} --next 3d"),
    "measure end ID": ("measure", "measure end {it} --reason why"),
    "campaign show NUMBER": ("case", "campaign show {it}"), "campaign new CASE": ("case", "campaign new Words {it}"),
    "campaign add NUMBER": ("case", "campaign add {it} {case}"), "campaign add CASE": ("case", "campaign add {case} {it}"),
    "campaign remove CASE": ("case", "campaign remove {it}"),
    "clock list --case": ("case", "clock list --case {it}"), "clock new CASE": ("case", "clock new {it} --what words --within 2h"),
    "clock pause CLOCK": ("clock", "clock pause {it} --reason why"), "clock resume CLOCK": ("clock", "clock resume {it}"),
    "clock extend CLOCK": ("clock", "clock extend {it} --by 2h --ground why"), "clock met CLOCK": ("clock", "clock met {it}"),
    "filing new CASE": ("case", "filing new {it} --regime NIS --aware 1h"), "filing list --case": ("case", "filing list --case {it}"),
    "filing show FILING": ("filing", "filing show {it}"), "filing set FILING": ("filing", "filing set {it} --aware 2h"),
    "filing answer FILING": ("filing", "filing answer {it}"), "filing extend FILING": ("filing", "filing extend {it} --by 2h --ground why"),
    "filing close FILING": ("filing", "filing close {it} --outcome done"), "playbook apply CASE": ("case", "playbook apply {it} website-defacement"),
    "reply WHAT": ("case", "reply {it} --to reporter --text {file}"), "mail --case": ("case", "mail --to a@b.example --text {file} --case {it}"),
    "inquiry new CASE": ("case", "inquiry new {it} --to a@b.example --question Who? --due 2d"),
    "inquiry list --case": ("case", "inquiry list --case {it}"), "inquiry show INQUIRY": ("inquiry", "inquiry show {it}"),
    "inquiry answered INQUIRY": ("inquiry", "inquiry answered {it} --note words"), "inquiry answered --mail": ("letter", "inquiry answered {inquiry} --mail {it}"),
    "inquiry drop INQUIRY": ("inquiry", "inquiry drop {it}"), "inquiry remind INQUIRY": ("inquiry", "inquiry remind {it} --due 1d"),
    "ask --case": ("case", "ask asked --question {file} --until 2d --case {it}"), "ask show ASK": ("ask", "ask show {it}"),
    "ask set ASK": ("ask", "ask set {it} Somebody no"), "ask remind ASK": ("ask", "ask remind {it}"), "ask close ASK": ("ask", "ask close {it}"),
    "inbox link --case": ("case", "inbox link {line} --case {it}"),
    "inbox show GROUP": ("group", "inbox show {it}"), "inbox open GROUP": ("group", "inbox open {it}"), "inbox link GROUP": ("group", "inbox link {it} --case {case}"),
    "inbox reject GROUP": ("group", "inbox reject {it} --reason test"), "inbox notice GROUP": ("group", "inbox notice {it}"),
    "inbox answer GROUP": ("group", "inbox answer {it}"), "inbox done GROUP": ("group", "inbox done {it}"),
    "report show ID": ("report", "report show {it}"), "report unfold ID": ("report", "report unfold {it}"),
    "report link CASE": ("case", "report link {it} {report}"), "report link REPORT": ("report", "report link {case} {it}"),
    "report unlink REPORT": ("report", "report unlink {it}"), "report reject REPORT": ("report", "report reject {it} --reason test"),
    "report answered REPORT": ("report", "report answered {it}"), "report reopen REPORT": ("report", "report reopen {it}"),
    "report reclassify REPORT": ("report", "report reclassify phishing {it}"), "report retag REPORT": ("report", "report retag {it} --add ransomware"),
    "report reassign REPORT": ("report", "report reassign - {it}"),
    "report new --case": ("case", "report new --phone --from Ms --class phishing --text words --case {it}"),
    "mail search --case": ("case", "mail search words --case {it}"), "mail show ID": ("letter", "mail show {it}"),
    "evidence list --case": ("case", "evidence list --case {it}"), "evidence list --report": ("report", "evidence list --report {it}"),
    "evidence show DIGEST": ("digest", "evidence show {it}"), "evidence get DIGEST": ("digest", "evidence get {it} --output {file}.got"),
    "evidence add CASE": ("case", "evidence add {it} {file}"), "evidence hold DIGEST": ("digest", "evidence hold {it} --reason why"),
    "evidence unhold DIGEST": ("digest", "evidence unhold {it} --reason why"), "evidence export CASE": ("case", "evidence export {it} --output {file}.folder"),
    "rule why REPORT": ("report", "rule why {it}"), "notice show NOTICE": ("mail", "notice show {it}"), "notice hold NOTICE": ("mail", "notice hold {it}"),
    "notice send NOTICE": ("mail", "notice send {it}"), "notice oneshot REPORT": ("report", "notice oneshot {it}"),
    "notice cancel NOTICE": ("mail", "notice cancel {it}"), "notice approve NOTICE": ("mail", "notice approve {it}"),
    "tlp ask REPORT": ("report", "tlp ask {it} --phone"), "tlp grant REPORT": ("report", "tlp grant {it} --form full --note words"),
    "tlp grant --evidence": ("letter", "tlp grant {report} --form full --evidence {it}"),
    "tlp refuse REPORT": ("report", "tlp refuse {it} --note words"), "tlp refuse --evidence": ("letter", "tlp refuse {report} --evidence {it}"),
    "approve show APPROVAL": ("approval", "approve show {it}"), "approve give APPROVAL": ("approval", "approve give {it}"),
    "approve refuse APPROVAL": ("approval", "approve refuse {it} --reason why"),
    "alarm ack ID": ("alarm", "alarm ack {it}"), "undo ACT": ("act", "undo {it}"),
}
# The same places, asked by what else may be said there.
ALSO = {
    "reply to a mail of ours": ("mail", "reply {it} --text {file}"), "reply to a mail": ("letter", "reply {it} --text {file}"),
    "approve show a mail": ("mail", "approve show {it}"), "approve give a mail": ("mail", "approve give {it}"),
    "approve refuse a mail": ("mail", "approve refuse {it} --reason why"), "notice send several": ("mail", "notice send {own} {it}"),
    "spam show a mail": ("letter", "spam show {it}"),
}


def numbered_places():
    """"noun verb WORD" and "noun verb --option" for each word of the manual that is a number; and words that are in neither list."""
    places, unknown = set(), set()
    for section in re.split(r"^\.SS cirt ", MANUAL.read_text(), flags=re.M)[1:]:
        heading, _, body = section.partition("\n")
        words = heading.replace("\\&", "").split()
        verb = " ".join(word for word in words if word == word.lower())
        for word in (re.sub(r"[\[\].]", "", word) for word in words if word != word.lower()):
            (places.add(f"{verb} {word}") if word in NUMBERS else None if word in OTHERS else unknown.add(f"{verb} {word}"))
        for option, word in re.findall(r'^\.BI \\-\\-(\S+) " ([A-Z:]+)"', re.split(r"^\.SH ", body, flags=re.M)[0], re.M):
            option = option.replace("\\-", "-")
            (places.add(f"{verb} --{option}") if word in NUMBERS else None if word in OTHERS else unknown.add(f"{verb} --{option} {word}"))
    return places, unknown
