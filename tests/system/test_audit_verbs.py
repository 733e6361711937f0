"""Every act is in the journal: each verb of the verb table that changes something is done once, and what it left there is looked at."""
import ast
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from harness import Daemon, native, wait_for
from terminal import Terminal

MODEL = pathlib.Path(__file__).resolve().parents[2] / "daemon" / "model"


def changing_verbs():
    """"noun verb" of each row of the verb table that changes something."""
    rows = re.findall(r'^\s*\{"([a-z-]+)", "([a-z-]*)",\s*ROLE_\w+, true', "".join(path.read_text() for path in MODEL.glob("verb_*.c")), re.M)
    return {f"{noun} {verb}".strip() for noun, verb in rows}


# What needs a secret key, a letter, or a store that stands still: the test that does it, and looks into the journal for it.
ELSEWHERE = {"inbox answer": ("test_inbox_people.py", "test_many_who_write_the_same_are_people_of_one_line_and_answered_by_one_act"),
             "inbox done": ("test_inbox_people.py", "test_many_who_write_the_same_are_people_of_one_line_and_answered_by_one_act"),
             "key unlock": ("test_keys.py", "test_an_unlocked_key_is_in_the_journal"),
             "case read": ("test_people_mail.py", "test_answers_to_closed_and_merged_cases_are_seen"),
             "rules stop": ("test_rescan.py", "test_it_is_stopped_and_keeps_what_it_found"),
             "spam rescue": ("test_people_mail.py", "test_spam_is_kept_reviewed_and_rescued")}

# In the order in which they are done: verb, the words behind it, the object of its act in the journal. {name} is what `keep` noted before;
# the fourth, where there is one, is what to note of the answer: name and member.
ACTS = [
    ("org new", ["Walk Bank", "--kind", "bank", "--prefix", "192.0.2.64/28"], "organisation/"),
    ("org new", ["Run Bank", "--kind", "bank"], "organisation/"),
    ("org set", ["Walk Bank", "--note", "by the river"], "organisation/"),
    ("contact new", ["Walk Bank", "--email", "soc@walk.example"], "contact/", ("contact", "id")),
    ("contact set", ["{contact}", "--language", "fr"], "contact/{contact}"),
    ("group new", ["walkers"], "group/"),
    ("group set", ["walkers", "--title", "Who walks"], "group/"),
    ("group add", ["walkers", "Walk Bank"], "group/"),
    ("group remove", ["walkers", "Walk Bank"], "group/"),
    ("group delete", ["walkers"], "group/"),
    ("operator new", ["walt", "--role", "analyst", "--uid", "54321"], "operator/walt"),
    ("operator set", ["walt", "--role", "trainee"], "operator/walt"),
    ("operator disable", ["walt"], "operator/walt"),
    ("operator enable", ["walt"], "operator/walt"),
    ("source add", ["walk-feed", "--kind", "mailbox", "--match", "walk@cirt.example", "--tlp", "green"], "source/walk-feed"),
    ("source set", ["walk-feed", "--trust", "30"], "source/walk-feed"),
    ("source disable", ["walk-feed"], "source/walk-feed"),
    ("source enable", ["walk-feed"], "source/walk-feed"),
    ("exercise open", ["walk-drill", "--title", "All walk"], "rows/exercise"),
    ("exercise set", ["walk-drill", "--title", "All run"], "rows/exercise"),
    ("exercise close", ["walk-drill"], "rows/exercise"),
    ("tag new", ["walk-tag", "--meaning", "on foot"], "tag/walk-tag"),
    ("tag set", ["walk-tag", "--meaning", "by foot"], "tag/walk-tag"),
    ("case open", ["--phone", "--from", "Ms Walker", "--title", "walked in"], "case/", ("case", "case")),
    ("case open", ["--chat", "--from", "Mr Walker", "--title", "walked in twice"], "case/", ("other", "case")),
    ("case take", ["{case}", "--for", "walt"], "case/{case}"),
    ("case take", ["{case}"], "case/{case}"),
    ("case set", ["{case}", "--severity", "high"], "case/{case}"),
    ("case note", ["{case}", "they run"], "case/{case}"),
    ("case tag", ["{case}", "walk-tag"], "case/{case}"),
    ("case untag", ["{case}", "walk-tag"], "case/{case}"),
    ("case watch", ["{case}"], "case/{case}"),
    ("case unwatch", ["{case}"], "case/{case}"),
    ("case move", ["{case}", "contained"], "case/{case}"),
    ("case wait", ["{case}", "--for", "vendor", "--until", "2d"], "case/{case}"),
    ("case restrict", ["{case}"], "case/{case}"),
    ("case unrestrict", ["{case}"], "case/{case}"),
    ("note edit", ["{note}", "they ran"], "case/{case}"),
    ("note pin", ["{note}"], "case/{case}"),
    ("note unpin", ["{note}"], "case/{case}"),
    ("party add", ["{case}", "police", "--name", "Sgt Walk"], "case/{case}", ("party", "id")),
    ("party set", ["{party}", "--note", "by phone"], "case/{case}"),
    ("party remove", ["{party}"], "case/{case}"),
    ("ref add", ["{case}", "police", "WALK-1"], "case/{case}"),
    ("ref remove", ["{case}", "WALK-1"], "case/{case}"),
    ("event add", ["{case}", "the door was open"], "case/{case}", ("event", "id")),
    ("event set", ["{event}", "--at", "2026-10-01 10:00"], "case/{case}"),
    ("event remove", ["{event}"], "case/{case}"),
    ("task new", ["{case}", "look behind the door"], "case/{case}", ("task", "id")),
    ("task set", ["{task}", "--due", "4h"], "case/{case}"),
    ("task take", ["{task}"], "case/{case}"),
    ("task done", ["{task}", "--text", "nobody"], "case/{case}"),
    ("task reopen", ["{task}", "--reason", "somebody"], "case/{case}"),
    ("task drop", ["{task}", "--reason", "it is shut"], "case/{case}"),
    ("measure new", ["dns-block", "walk.example", "--case", "{case}", "--review", "30d"], "measure/", ("measure", "id")),
    ("measure set", ["{measure}", "--reason", "it walks"], "measure/{measure}"),
    ("measure review", ["{measure}", "--next", "30d"], "measure/{measure}"),
    ("measure end", ["{measure}", "--reason", "it sat down"], "measure/{measure}"),
    ("campaign new", ["Long walk", "{case}"], "case/", ("campaign", "number")),
    ("campaign add", ["{campaign}", "{other}"], "case/{other}"),
    ("campaign remove", ["{other}"], "case/{other}"),
    ("clock new", ["{case}", "--what", "call back", "--within", "2 hours"], "case/{case}", ("clock", "id")),
    ("clock pause", ["{clock}", "--reason", "lunch"], "case/{case}"),
    ("clock resume", ["{clock}"], "case/{case}"),
    ("clock met", ["{clock}"], "case/{case}"),
    ("report link", ["{case}", "{report}"], "case/{case}"),
    ("report unlink", ["{report}"], "case/{case}"),
    ("report reject", ["{report}", "--reason", "false-alarm"], "rows/report_status"),
    ("report reopen", ["{report}"], "rows/report_status"),
    ("report reclassify", ["phishing", "{report}"], "rows/report"),
    ("report retag", ["{report}", "--add", "walk-tag"], "rows/report"),
    ("report reassign", ["Run Bank", "{report}"], "rows/report_status"),
    ("undo", [], "rows/act"),
    ("report answered", ["{second}"], "rows/report_status"),
    ("spam allow", ["@walk.example"], "spam-sender/"),
    ("spam deny", ["@run.example"], "spam-sender/"),
    ("spam forget", ["@walk.example"], "spam-sender/"),
    ("rule new", ["walk-rule", "--type", "phishing", "--suppress"], "rows/notify_rule"),
    ("rule set", ["walk-rule", "--note", "slowly"], "rows/notify_rule"),
    ("rule move", ["walk-rule", "--after", "constituents"], "rows/notify_rule"),
    ("rule set", ["walk-rule", "--note", "fast", "--draft"], "rows/notify_rule"),
    ("rule apply", [], "rule/"),
    ("rule set", ["walk-rule", "--note", "slow", "--draft"], "rows/notify_rule"),
    ("rule discard", [], "rows/notify_rule"),
    ("rule delete", ["walk-rule"], "rows/notify_rule"),
    ("approve give", ["{approval}"], "approval/{approval}"),
    ("approve refuse", ["{approval2}", "--reason", "not on foot"], "approval/{approval2}"),
    ("evidence add", ["{case}", "{file}", "--from", "Ms Walker"], "evidence/"),
    ("evidence get", ["{digest}", "--output", "{copy}"], "evidence/"),
    ("evidence hold", ["{digest}", "--reason", "police file 7"], "hold/"),
    ("evidence unhold", ["{digest}", "--reason", "they have it"], "hold/"),
    ("evidence export", ["{case}", "--output", "{folder}"], "case/{case}"),
    ("note erase", ["{note}", "--reason", "she asked"], "approval/"),
    ("report link", ["{case}", "{report}"], "case/{case}"),
    ("case split", ["{case}", "{report}"], "case/{case}"),
    ("case merge", ["{other}", "{case}"], "case/{other}"),
    ("case close", ["{case}", "--outcome", "resolved", "--impact", "minor"], "case/{case}"),
    ("case reopen", ["{case}", "--reason", "they walk again"], "case/{case}"),
    ("inquiry new", ["{other2}", "--to", "soc@walk.example", "--question", "Who walks?", "--due", "2d"], "inquiry/", ("inquiry", "id")),
    ("sql", ["UPDATE cirt.outbox SET state = 'sent', sent = now() WHERE inquiry IS NOT NULL"], ""),
    ("inquiry remind", ["{inquiry}", "--due", "1d"], "inquiry/{inquiry}"),
    ("inquiry answered", ["{inquiry}", "--note", "we all do"], "inquiry/{inquiry}"),
    ("inquiry new", ["{other2}", "--to", "soc@walk.example", "--question", "Who runs?", "--due", "2d"], "inquiry/", ("inquiry", "id")),
    ("inquiry drop", ["{inquiry}"], "inquiry/{inquiry}"),
    ("ask", ["askers", "--question", "{question}", "--until", "2d"], "ask/", ("ask", "ask")),
    ("ask set", ["{ask}", "Walk Bank", "no"], "inquiry/"),
    ("ask remind", ["{ask}"], "ask/"),
    ("ask close", ["{ask}"], "ask/"),
    ("case brief", ["{other2}"], "brief/{other2}"),
    ("filing new", ["{other2}", "--regime", "NIS", "--stage", "early-warning", "--aware", "1h", "--from", "Walk Bank"], "case/{other2}", ("filing", "filing")),
    ("filing set", ["{filing}", "--aware", "2h"], "case/{other2}"),
    ("filing extend", ["{filing}", "--stage", "notification", "--by", "24h", "--ground", "sec. 12"], "case/{other2}"),
    ("filing answer", ["{filing}", "--note", "first advice"], "case/{other2}"),
    ("filing close", ["{filing}", "--outcome", "done"], "case/{other2}"),
    ("clock new", ["{other2}", "--what", "call again", "--within", "2 hours"], "case/{other2}", ("clock", "id")),
    ("clock extend", ["{clock}", "--by", "2h", "--ground", "long way"], "case/{other2}"),
    ("notice oneshot", ["{second}"], "outbox/"),
    ("notice hold", ["{notice}", "--reason", "they move"], "outbox/{notice}"),
    ("notice cancel", ["{notice}", "--reason", "they moved"], "outbox/{notice}"),
    ("inbox link", ["{line}", "--case", "{other2}"], "case/{other2}"),
    ("inbox open", ["{line2}"], "case/"),
    ("inbox reject", ["{line3}", "--reason", "false-alarm"], "rows/report_status"),
    ("inbox notice", ["{line4}"], "rows/report_status"),
    ("notice send", ["--all"], "outbox/"),
    ("report new", ["--phone", "--from", "Ms Walker", "--class", "phishing", "--text", "it walked"], "rows/by_hand"),
    ("spam heed", ["phish"], "source/phish"),
    ("spam ignore", ["phish"], "source/phish"),
    ("org import", ["{csv}"], "organisation/"),
    ("alarm ack", ["{alarm}"], "rows/alarm"),
    ("quarantine release", ["{bad}"], "rows/ledger_act"),
    ("quarantine discard", ["{worse}", "--reason", "noise"], "rows/ledger_act"),
    ("playbook apply", ["{other2}", "website-defacement"], "case/{other2}"),
    ("mail", ["--to", "soc@walk.example", "--case", "{other2}", "--text", "{question}"], "rows/outbox"),
    ("reply", ["{other2}", "--to", "soc@walk.example", "--text", "{question}"], "rows/outbox"),
    ("sql", ["UPDATE cirt.outbox SET state = 'held', approvals = 2, approved_by = '{}', waits_for = 'approval' WHERE id = (SELECT max(id) FROM cirt.outbox)"], ""),
    ("notice approve", ["{held}"], "outbox/{held}"),
    ("contact test", ["{contact}"], "contact/{contact}"),
    ("org registry", ["{registry}"], "register/"),
    ("submit", ["{letter}"], "submission/{letter_digest}"),
    ("submit", ["{letter}"], "submission/{letter_digest}"),
    ("rules reload", [], "rules/files"),
    ("rules rescan", ["--since", "1d"], "rescan/"),
    ("key import", ["{pem}"], "keyring", ("key", "keys")),
    ("key remove", ["{key}", "--break-glass", "it walks"], "keyring"),
    ("key lock", [], "keyring"),
    ("report unfold", ["{folded}"], "report/"),
    ("source set", ["sensor-1", "--contact", "ask@partner.example"], "source/sensor-1"),
    ("tlp ask", ["{second}"], "release/"),
    ("tlp grant", ["{second}", "--form", "full", "--note", "by phone"], "release/"),
    ("tlp refuse", ["{report}", "--note", "by phone"], "release/"),
    ("contact close", ["{contact}"], "contact/{contact}"),
    ("org close", ["Walk Bank"], "organisation/"),
]


# What an act needs that no answer says.
NEWEST = {"note": "SELECT max(id) FROM cirt.note", "notice": "SELECT number FROM cirt.outbox ORDER BY id DESC LIMIT 1",
          "held": "SELECT number FROM cirt.outbox ORDER BY id DESC LIMIT 1"}


class Walk:
    """A desk at which each act is done, and what they are called that acts need."""

    def __init__(self, programs, certificates, house):
        self.daemon = daemon = Daemon(programs, certificates, sections={
            "mail_out": {"from": "cirt@cirt.example"}, "reply": {"tag": "CIRT-WV"}, "clocks": {"regimes": f"{house}/regimes", "playbooks": f"{house}/playbooks"}})
        daemon.start()
        daemon.add_sensor()
        daemon.send_lines([native(number, identifier=f"walk-{number}", source={"ip": f"192.0.2.{64 + number}"}, severity=30) for number in range(6)])
        daemon.send_lines([b'{"v":1,"type":"no-such-type","source":{"ip":"203.0.113.1"}}', b"{no json"])
        daemon.send_lines([native(6, identifier="walk-folds")] * 3)
        daemon.settle()
        wait_for(lambda: daemon.cirt("regime", "list")["items"], 30, "the regimes")
        self.me = daemon.cirt("whoami")["operator"]
        first = lambda sql: daemon.psql(sql)[-1][0]  # noqa: E731
        question, csv = daemon.folder / "question.txt", daemon.folder / "walk.csv"
        question.write_text("Do you walk?\n")
        csv.write_text("organisation,kind\nWalk Isp,isp\n")
        registry, letter = daemon.folder / "delegated", daemon.folder / "letter.eml"
        registry.write_text("test|LV|ipv4|198.18.4.0|256|20200101|allocated|x\n")
        letter.write_text("From: ms@walker.example\nTo: cirt@cirt.example\nSubject: steps\nMessage-ID: <steps@walker.example>\n\nI hear steps.\n")
        evidence = daemon.folder / "walk.bin"
        evidence.write_bytes(b"footprints")
        wait_for(lambda: len(daemon.psql("SELECT id FROM cirt.inbox_line")) >= 6, 30, "the inbox")
        self.names = {"file": evidence, "copy": daemon.folder / "copy.bin", "folder": daemon.folder / "sealed", "question": question, "csv": csv, "registry": registry, "letter": letter, "pem": certificates.sensor[2],
                      "letter_digest": hashlib.sha256(letter.read_bytes()).hexdigest(),
                      "bad": first("SELECT min(id) FROM cirt.quarantine"), "worse": first("SELECT max(id) FROM cirt.quarantine"),
                      "folded": first("SELECT cirt.report_number(id) FROM cirt.report WHERE identifier = 'walk-folds'"),
                      "digest": hashlib.sha256(b"footprints").hexdigest(),
                      "approval": first("SET cirt.actor = 'zoe'; SELECT cirt.approval_ask('mail', 'case/1', 'a letter')"),
                      "approval2": first("SET cirt.actor = 'zoe'; SELECT cirt.approval_ask('mail', 'case/2', 'another')"),
                      "alarm": first("SELECT cirt.alarm_raise('clock', 'walk', NULL, 'it is late'); SELECT id FROM cirt.alarm WHERE subject = 'walk'"),
                      "other2": daemon.cirt("case", "open", "--chat", "--from", "Dr Walker", "--title", "walked in thrice")["case"]}
        daemon.cirt("group", "new", "askers", "--kind", "bank")
        rows = daemon.psql("SELECT cirt.report_number(r.id), i.line FROM cirt.report r JOIN cirt.inbox i ON i.report = r.id ORDER BY r.id")
        self.names.update(report=rows[0][0], second=rows[1][0], line=rows[2][1], line2=rows[3][1], line3=rows[4][1], line4=rows[5][1])
        self.done, self.refused = [], []

    def act(self, verb, words, wanted, keep=None):
        if verb == "sql":
            self.daemon.psql(words[0])
            return
        for name, newest in NEWEST.items():
            if "{" + name + "}" in words and name not in self.names:
                self.names[name] = self.daemon.psql(newest)[0][0]
        began = time.time()
        try:
            done = self.daemon.cirt(*verb.split(), *(str(word).format(**self.names) for word in words), check=False)
        except KeyError as what:
            self.refused.append((verb, f"no {what}"))
            return
        if done.returncode != 0:
            self.refused.append((verb, done.stdout, done.stderr))
            return
        answer = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        if keep:
            said = next((answer[key] for key in (keep[1], verb.split()[0], "id", "number") if answer.get(key)), None)
            self.names[keep[0]] = said[0] if isinstance(said, list) else said
        self.done.append((verb, began, time.time(), wanted.format(**self.names), answer))

    def journal(self):
        """Object, or rows/TABLE for what is there by sums, actor and time of all that the journal holds, the oldest first."""
        return [(one[0], one[1], float(one[2])) for one in self.daemon.psql("""SELECT CASE WHEN j.action = 'rows' THEN 'rows/' || k ELSE j.object END, j.actor,
            j.at / 1e6 FROM cirt.journal j LEFT JOIN LATERAL jsonb_object_keys(CASE WHEN j.action = 'rows' THEN j.after::jsonb END) k ON true ORDER BY j.id""")]


def test_every_changing_verb_is_walked_once():
    walked = {verb for verb, *_ in ACTS} - {"sql"}
    assert changing_verbs() - walked - ELSEWHERE.keys() == set(), "a verb that changes something and of which nobody looks whether the journal has it"
    assert (walked | ELSEWHERE.keys()) - changing_verbs() == set() and walked & ELSEWHERE.keys() == set()
    for verb, (file, test) in ELSEWHERE.items():
        source = (pathlib.Path(__file__).parent / file).read_text()
        body = next((ast.get_source_segment(source, one) for one in ast.parse(source).body if isinstance(one, ast.FunctionDef) and one.name == test), "")
        words = ", ".join(f'"{word}"' for word in verb.split())
        assert words in body and re.search(r'assert .*(cirt\("journal", |FROM cirt\.journal WHERE object)', body[body.find(words):]), (verb, file, test)


def test_what_each_verb_did_is_in_the_journal(programs, certificates):
    """Under who did it, when, of what it was done to."""
    house = tempfile.mkdtemp(prefix="cirtd-h-")
    for kind in ("regimes", "playbooks"):
        shutil.copytree(MODEL.parents[1] / "etc" / kind, f"{house}/{kind}")
    subprocess.run(["chmod", "-R", "a+rX", house], check=True)
    walk = Walk(programs, certificates, house)
    try:
        for act in ACTS:
            walk.act(*act)
        journal = walk.journal()
        missing = []
        for verb, began, ended, wanted, answer in walk.done:
            mine = {what for what, actor, at in journal if actor == walk.me and began <= at <= ended}
            if not any(what.startswith(wanted) for what in mine):
                missing.append((verb, wanted, sorted(mine), str(answer)[:200]))
        assert walk.refused == [], "\n".join(map(str, walk.refused))
        assert missing == [], "\n".join(map(str, missing))
        assert walk.daemon.cirt("audit", "verify")["ok"]
        with Terminal(walk.daemon, "audit", "verify") as terminal:
            terminal.expect("sums")
            assert terminal.end() == 0, "whoever waits sees how far it is"
    finally:
        walk.daemon.remove()
        shutil.rmtree(house)
