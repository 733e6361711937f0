"""A restricted case and all that came to it, as whoever is no member of it reads the desk: nothing of it is told, by any verb that reads."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading

import pytest

from harness import native, wait_for
from numbers_asked import ALSO, ASKED, NONE, PLAIN, numbered_places
from test_operators import Desk
from test_people_mail import letter

MODEL = pathlib.Path(__file__).resolve().parents[2] / "daemon" / "model"
SENDER = "whistle@zanzibar.example"
# What nobody may read who is no member: words of title, mails, notes, tasks, parties, files; who wrote; the number.
SECRETS = ["kakapo", "zanzibar", "198.51.100.233", "winter-lock"]


def reading_verbs():
    """(noun, verb) of each row of the verb table that changes nothing and that an analyst may use."""
    rows = re.findall(r'^\s*\{"([a-z-]+)", "([a-z-]*)",\s*ROLE_(\w+), false', "".join(path.read_text() for path in MODEL.glob("verb_*.c")), re.M)
    return {(noun, verb) for noun, verb, role in rows if role not in ("LEAD", "ADMIN")}


# Verbs that read, and of which there is nothing to be asked that could tell of a case: programs, rules, the register, keys.
NO_CASE = {("help", ""), ("version", ""), ("whoami", ""), ("key", "list"), ("plugin", "list"), ("rules", "list"), ("rules", "check"), ("rules", "show"), ("source", "pull"),
           ("group", "show"), ("playbook", "show"), ("regime", "show"), ("rule", "show"), ("source", "show"), ("spam", "show"), ("quarantine", "show"),
           ("tlp", "list"), ("ask", "show"), ("exercise", "list"), ("exercise", "show")}


class Secret:
    """A case by mail, restricted to ben and tom, with one of everything in it. Beside it a case that all see."""

    def __init__(self, desk):
        self.desk, daemon = desk, desk.daemon
        daemon.send_mail(letter("Kakapo ledger of Zanzibar", SENDER, "kakapo-1@zanzibar.example", text="The kakapo host is 198.51.100.233."))
        self.number = wait_for(lambda: desk.first("SELECT c.number FROM cirt.cases c WHERE c.title ILIKE '%kakapo%'"), 30, "the case")
        self.other = desk.case("in the open")
        daemon.send_mail(letter("Kakapo ledger of Zanzibar", "parrot@zanzibar.example", "kakapo-3@zanzibar.example", text="The kakapo host is 198.51.100.233."))
        self.group = wait_for(lambda: desk.first("SELECT l.id FROM cirt.inbox_line l WHERE l.subject LIKE '=%' AND l.n > 0"), 30, "its line of the inbox")
        self.report = desk.first("SELECT cirt.report_number(id) FROM cirt.report WHERE title ILIKE '%kakapo%'")
        daemon.send_lines([native(7, identifier="winter-lock", source={"ip": "198.51.100.233"})])
        self.row = wait_for(lambda: desk.first("SELECT cirt.report_number(id) FROM cirt.report WHERE identifier = 'winter-lock'"), 30, "the row")
        ben = lambda *words: desk.ask("ben", *words)
        ben("case", "restrict", self.number, "--to", "ben,tom", "--reason", "a kakapo")
        ben("case", "take", self.number)
        ben("report", "link", self.number, self.row)
        ben("case", "note", self.number, "the kakapo is asleep")
        self.note = self.newest("note")
        ben("party", "add", self.number, "affected", "--name", "Zanzibar Holding", "--contact", "kakapo@holding.example")
        ben("task", "new", self.number, "feed the kakapo", "--due", "1h")
        ben("event", "add", self.number, "the kakapo flew")
        ben("ref", "add", self.number, "police", "KAKAPO-77")
        ben("measure", "new", "dns-block", "kakapo.zanzibar.example", "--case", self.number, "--review", "1d")
        self.measure = self.newest("measure")
        ben("clock", "new", self.number, "--what", "call the kakapo", "--within", "2 hours")
        ben("filing", "new", self.number, "--regime", "NIS", "--stage", "early-warning", "--aware", "1h", "--from", "kakapo desk")
        self.filing = self.newest("filing")
        ben("inquiry", "new", self.number, "--to", SENDER, "--question", "Which kakapo?", "--due", "2d")
        self.inquiry = self.newest("inquiry")
        self.campaign = ben("campaign", "new", "Zanzibar kakapos", self.number, self.other)["number"]
        ben("case", "restrict", self.campaign, "--to", "ben")
        file = daemon.folder / "kakapo.bin"
        file.write_bytes(b"of a kakapo")
        file.chmod(0o644)
        ben("evidence", "add", self.number, file, "--from", "Zanzibar")
        self.digest = desk.first("SELECT encode(digest, 'hex') FROM cirt.case_evidence")
        ben("note", "erase", self.note, "--reason", "the kakapo asked")
        self.approval = self.newest("approval")
        self.mail = ben("inquiry", "show", self.inquiry)["number"]
        file.with_suffix(".txt").write_text("Has anybody seen a kakapo?\n")
        ben("ask", "birds", "--question", file.with_suffix(".txt"), "--until", "2d", "--case", self.number, "--subject", "kakapo")
        address = ben("case", "show", self.number)["reply_address"]
        daemon.send_mail(letter("Kakapo again", SENDER, "kakapo-2@zanzibar.example", text="kakapo, kakapo"), [address], sender=SENDER)
        self.letter = wait_for(lambda: [one["id"] for one in ben("case", "show", self.number)["mails"]], 30, "the answer")[0]
        daemon.psql(f"SELECT cirt.alarm_raise('clock', 'case/{self.number}', NULL, '{self.number}: our kakapo is late')")
        self.entry = desk.first("SELECT cirt.entry_number(l.day, l.spool, l.sequence) FROM cirt.ledger l JOIN cirt.report r USING (spool, sequence) "
                                "WHERE r.title ILIKE '%kakapo%'")
        self.line = desk.first("SELECT min(id) FROM cirt.inbox_line") or "1"

    def numbers(self):
        """One of each kind that is of the case, by the names of numbers_asked.py."""
        return {"case": self.number, "report": self.row, "letter": self.letter, "note": self.note, "party": self.newest("party"), "task": self.newest("task"),
                "event": self.newest("case_event"), "measure": self.measure, "clock": self.newest("clock"), "filing": f"F{self.filing}",
                "inquiry": self.inquiry, "ask": self.newest("ask"), "digest": self.digest, "approval": self.approval, "mail": self.mail,
                "group": self.group, "act": self.desk.first("SELECT max(id) FROM cirt.act WHERE actor = 'ben'"),
                "alarm": self.desk.first("SELECT max(id) FROM cirt.alarm WHERE text LIKE '%kakapo%'")}

    def newest(self, table):
        return self.desk.first(f"SELECT max(id) FROM cirt.{table}")

    def questions(self):
        """What is asked: words behind cirt, and the exit codes that may be."""
        yes, no, any_ = (0,), (3, 4), (0, 3, 4)
        return [
            (["today"], yes), (["status"], yes), (["ledger"], yes), (["inbox"], yes), (["inbox", "people"], yes), (["inbox", "show", self.line], any_), (["inbox", "show", self.group], no),
            (["report", "list", "--limit", "1000"], yes), (["report", "list", "--identifier", "winter-lock"], yes), (["report", "list", "--state", "linked"], yes),
            (["report", "show", self.report], no), (["report", "show", self.row, "--why"], no), (["report", "search", "kakapo"], yes),
            (["report", "search", "198.51.100.0/24"], yes), (["report", "search", "winter-lock"], yes),
            (["search", "Zanzibar"], yes), (["search", SENDER], yes), (["search", "198.51.100.233"], yes), (["search", self.number], yes),
            (["search", self.report], yes), (["search", self.mail], yes), (["search", "KAKAPO-77"], yes), (["search", "kakapo@holding.example"], yes),
            (["mail", "search", "kakapo"], yes), (["mail", "search", SENDER], yes), (["mail", "show", self.letter], no),
            (["case", "list", "--all", "--limit", "1000"], yes), (["case", "list", "--order", "due"], yes), (["case", "list", "--campaign", self.campaign], any_),
            (["case", "show", self.number], no), (["case", "show", self.other], yes),
            (["clock", "list", "--all"], yes), (["clock", "list", "--case", self.number], no), (["filing", "list"], yes), (["filing", "show", self.filing], no),
            (["regime", "list"], yes), (["playbook", "list"], yes), (["task", "list", "--all"], yes), (["task", "list", "--case", self.number], no),
            (["measure", "list", "--all"], yes), (["measure", "show", self.measure], no), (["inquiry", "list", "--all"], yes),
            (["inquiry", "show", self.inquiry], no), (["ask", "list"], yes), (["event", "list", self.number], no), (["party", "list", self.number], no),
            (["note", "show", self.note], no), (["ref", "find", "KAKAPO"], yes), (["tag", "list"], yes),
            (["campaign", "list"], yes), (["campaign", "show", self.campaign], no), (["campaign", "show", self.other], yes),
            (["evidence", "list"], yes), (["evidence", "list", "--case", self.number], no), (["evidence", "show", self.digest], no),
            (["rule", "list"], yes), (["rule", "why", self.row], no), (["rule", "test"], any_), (["notice", "list", "--all"], yes), (["notice", "preview"], yes),
            (["notice", "effect"], yes), (["notice", "show", self.mail], no), (["approve", "list", "--all"], yes), (["approve", "list"], yes),
            (["approve", "show", self.approval], no), (["journal", "--limit", "1000"], yes), (["journal", self.number], no), (["journal", self.report], yes),
            (["journal", "evidence/" + self.digest], yes), (["journal", self.other], yes), (["journal", "--by", "ben", "--limit", "1000"], yes),
            (["journal", "outbox/" + self.mail], yes), (["journal", "inquiry/" + self.inquiry], yes), (["journal", "measure/" + self.measure], yes),
            (["journal", "approval/" + self.approval], yes), (["journal", "ask/" + self.newest("ask")], yes),
            (["audit", "verify"], yes), (["alarm", "list", "--all"], yes), (["receipt", self.entry], any_), (["operator", "list"], yes),
            (["operator", "show", "ben"], yes), (["org", "list"], yes), (["org", "who", "198.51.100.233"], yes), (["org", "domains"], yes), (["org", "export"], yes),
            (["org", "show", "City Bank"], yes), (["contact", "list"], yes), (["group", "list"], yes), (["spam", "list"], yes), (["spam", "review"], yes),
            (["quarantine", "list"], yes), (["tlp", "list", "--all"], yes), (["source", "list"], yes), (["undo", "--list", "--all"], yes),
        ]


@pytest.fixture(scope="module")
def regimes():
    """Those of the repository, where the daemon may read them."""
    with tempfile.TemporaryDirectory(prefix="cirtd-r-") as folder:
        shutil.copytree(MODEL.parents[1] / "etc" / "regimes", folder, dirs_exist_ok=True)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        yield folder


@pytest.fixture(scope="module")
def desk(programs, certificates, regimes):
    desk = Desk(programs, certificates, mail_out={"from": "cirt@cirt.example"}, reply={"tag": "CIRT-XX", "acknowledge": False},
                spam={"trusted_hops": ["mx.cirt.example", "127.0.0.1"]}, clocks={"regimes": regimes})
    desk.first = lambda sql: next((row[0] for row in desk.daemon.psql(sql) if row and row[0]), None)
    desk.daemon.add_sensor()
    desk.ask("lea", "org", "new", "City Bank", "--kind", "bank")
    desk.ask("lea", "contact", "new", "City Bank", "--email", "soc@citybank.example")
    desk.ask("lea", "group", "new", "birds")
    desk.ask("lea", "group", "add", "birds", "City Bank")
    wait_for(lambda: desk.daemon.cirt("regime", "list")["items"], 30, "the regimes")
    yield desk
    desk.remove()


@pytest.fixture(scope="module")
def secret(desk):
    return Secret(desk)


def told(secret, words, output):
    """What of the secret is in an answer, beside what was asked with."""
    for word in map(str, words):
        output = output.replace(word, "")
    return [one for one in [*SECRETS, secret.number, secret.campaign] if one.lower() in output.lower()]


def test_every_verb_that_reads_is_asked(desk, secret):
    """So that a new one is not forgotten here."""
    asked = {(words[0], words[1] if (words[0], words[1] if len(words) > 1 else "") in reading_verbs() else "") if len(words) > 1 else (words[0], "")
             for words, _ in secret.questions()}
    assert reading_verbs() - asked - NO_CASE - {("watch", "")} == set()


@pytest.mark.parametrize("who", ["anna", "vic"])
def test_who_is_no_member_reads_nothing_of_it(desk, secret, who):
    wrong = []
    for words, codes in secret.questions():
        if who == "vic" and words[:2] in (["rule", "test"], ["undo", "--list"]):
            continue
        forms = ([], ["--json"]) if who == "anna" and words[0] in ("today", "inbox", "search", "receipt") else (["--json"],)
        for done in (desk.run(who, *form, *words) for form in forms):
            said = done.stdout + done.stderr
            if done.returncode not in codes or told(secret, words, said):
                wrong.append((words, done.returncode, told(secret, words, said), said[:1000]))
    assert not wrong, "\n".join(map(str, wrong))


def test_members_and_the_lead_read_all_of_it(desk, secret):
    """The same questions, so that it is not their being wrong that hides it. The campaign names ben alone."""
    for who in ("ben", "lea"):
        for words, codes in secret.questions():
            if codes == (3, 4):
                done = desk.run(who, "--json", *words)
                assert done.returncode == 0, (who, words, done.stderr)
    assert secret.row in json.dumps(desk.ask("tom", "report", "list", "--limit", "1000"))
    assert secret.number in json.dumps(desk.ask("tom", "search", "198.51.100.233"))
    assert desk.ask("tom", "mail", "show", secret.letter)["case"] == secret.number
    assert secret.number in json.dumps(desk.ask("tom", "alarm", "list"))
    assert desk.ask("tom", "case", "show", secret.other)["campaign"] is None
    assert desk.ask("ben", "case", "show", secret.other)["campaign"]["number"] == secret.campaign


def test_a_stream_says_nothing_of_it(desk, secret):
    """`cirt watch`."""
    watches = {}
    for who in ("anna", "ben"):
        seen = []
        process = subprocess.Popen(desk.command(desk.pairs[who], "--json", "watch"), stdout=subprocess.PIPE, text=True, env=desk.daemon.environment())
        reader = threading.Thread(target=lambda pipe=process.stdout, seen=seen: [seen.append(line) for line in pipe], daemon=True)
        reader.start()
        watches[who] = (process, reader, seen)
    try:
        def both():
            desk.ask("ben", "case", "note", secret.number, "kakapo watched")
            desk.ask("ben", "case", "note", secret.other, "all may know")
            return all(any(secret.other in line for line in seen) for _, _, seen in watches.values()) and secret.number in "".join(watches["ben"][2])
        wait_for(both, 30, "the stream", every=0.5)
    finally:
        for process, reader, _ in watches.values():
            process.terminate()
            process.wait(20)
            reader.join(20)
            process.stdout.close()
    assert not told(secret, [], "".join(watches["anna"][2]))


def test_completion_offers_no_case_that_is_not_for_you(desk, secret, open_folder):
    (open_folder / "cirt").mkdir()
    environment = {key: value for key, value in desk.daemon.environment().items() if key not in ("CIRT_SOCKET", "CIRT_SERVER")}
    for who, sees in (("anna", False), ("ben", True)):
        pair = desk.pairs[who]
        (open_folder / "cirt" / "cirt.conf").write_text(f"server = localhost:{desk.port}\ncertificate = {pair[2]}\nkey = {pair[3]}\n"
                                                        f"ca = {desk.certificates.ca[2]}\n")
        offered = subprocess.run([str(desk.daemon.programs.cirt), "--complete", "--", "case", "show", ""], capture_output=True, text=True, timeout=60,
                                 check=False, env=dict(environment, XDG_CONFIG_HOME=str(open_folder))).stdout
        assert secret.other in offered and (secret.number in offered) is sees, (who, offered)


def test_acts_on_its_reports_are_not_for_others(desk, secret):
    """By number they are not there; a filter passes over them."""
    for words in (["report", "reject", secret.row, "--reason", "test"], ["report", "unlink", secret.row], ["report", "retag", secret.row, "--add", "x"],
                  ["report", "reclassify", "scanner", secret.row], ["report", "unfold", secret.row], ["tlp", "ask", secret.row, "--phone"],
                  ["report", "reassign", "City Bank", secret.row]):
        done = desk.run("anna", *words)
        assert done.returncode in (3, 4) and not told(secret, words, done.stdout + done.stderr), (words, done)
    looked = desk.ask("anna", "report", "unlink", "--identifier", "winter-lock", "--dry-run")
    assert looked["reports"] == 0 and not told(secret, [], json.dumps(looked)), looked
    assert desk.ask("ben", "report", "unlink", "--identifier", "winter-lock", "--dry-run")["reports"] == 1


def test_every_place_for_a_number_is_asked():
    """So that a new verb or option that takes one is not forgotten here."""
    places, unknown = numbered_places()
    assert unknown == set(), "words of the manual of which nobody said whether they are numbers of what may be a case's: numbers_asked.py"
    assert places == set(ASKED) | set(PLAIN) and not set(ASKED) & set(PLAIN)


def test_by_number_it_is_as_if_it_were_not_there(desk, secret):
    """Each such verb says of what is the case's what it says of what there is not; only the case itself is said to be restricted."""
    desk.daemon.send_lines([native(8, identifier="nobodys", source={"ip": "203.0.113.77"})])
    report = wait_for(lambda: desk.first("SELECT cirt.report_number(id) FROM cirt.report WHERE identifier = 'nobodys'"), 30, "the report")
    file = desk.daemon.folder / "words.txt"
    file.write_text("words\n")
    inquiry = desk.ask("anna", "inquiry", "new", secret.other, "--to", "a@citybank.example", "--question", "Who?", "--due", "2d")
    known = {"case": secret.other, "report": report, "file": file, "inquiry": inquiry["inquiry"], "own": inquiry["number"], "line": secret.line}
    numbers, wrong, before = secret.numbers(), [], desk.first("SELECT max(id) FROM cirt.journal")
    assert numbers.keys() == NONE.keys() and all(numbers.values())
    for place, (kind, words) in {**ASKED, **ALSO}.items():
        said = []
        for it in (numbers[kind], NONE[kind]):
            done = desk.run("anna", *(word.format(**{**known, "it": it}) for word in words.split()))
            said.append((done.returncode, (done.stdout + done.stderr).replace(it, "IT")))
        if kind == "case" and said[0][0] == 4 and "that case is restricted" in said[0][1]:
            continue
        if said[0] != said[1] or said[0][0] == 0 or kind != "case" and not re.search("there is (no|nothing)", said[0][1]):
            if "needs the role" not in said[0][1]:
                wrong.append((place, *said))
    assert not wrong, "\n".join(map(str, wrong))
    assert desk.daemon.psql(f"SELECT object, action FROM cirt.journal WHERE actor = 'anna' AND id > {before}") == []


def test_members_reach_it_by_number(desk, secret):
    """The same numbers, so that it is not their being wrong that hides it."""
    numbers = secret.numbers()
    for kind in sorted(NONE.keys() - {"alarm"}):
        place = next(place for place, (of_kind, words) in ASKED.items() if of_kind == kind and "{" not in words.replace("{it}", ""))
        done = desk.run("ben", *ASKED[place][1].format(it=numbers[kind]).split())
        assert not re.search("there is (no|nothing)", done.stderr) and "restricted:" not in done.stderr, (place, done)


def test_merging_does_not_open_it(desk, secret):
    """What is restricted goes only into what is; what goes into it is closed with it; and back."""
    desk.ask("ben", "campaign", "remove", secret.other)
    plain = desk.case("merged into a secret")
    done = desk.run("ben", "case", "merge", secret.number, plain)
    assert done.returncode == 1 and f"cirt case restrict {plain} first" in done.stderr, done
    desk.ask("ben", "case", "merge", plain, secret.number)
    assert "restricted" in desk.refused("anna", "case", "show", plain)
    assert plain not in [row["number"] for row in desk.ask("anna", "case", "list", "--all", "--limit", "1000")["items"]]
    desk.ask("ben", "undo")
    assert desk.ask("anna", "case", "show", plain)["state"] == "new"
    closed = desk.case("a second secret")
    desk.ask("ben", "case", "restrict", closed, "--to", "ben")
    desk.ask("ben", "case", "merge", closed, secret.number)
    assert f"cirt case split {closed}" in desk.run("lea", "case", "unrestrict", secret.number).stderr


READS = {"vic": 3, "tom": 3, "anna": 4, "lea": 4, "ada": 4}
COLOURS = ["clear", "green", "amber", "amber+strict", "red"]


@pytest.fixture(scope="module")
def coloured(desk):
    """A report of each TLP, by number."""
    desk.daemon.send_lines([native(300 + n, identifier=f"colour-{n}", tlp=word, source={"ip": f"203.0.113.{100 + n}"}) for n, word in enumerate(COLOURS)])

    def landed():
        rows = desk.daemon.psql("SELECT identifier, cirt.report_number(id) FROM cirt.report WHERE identifier LIKE 'colour-%' ORDER BY 1")
        return [row[1] for row in rows if len(row) == 2] if len([row for row in rows if len(row) == 2]) == len(COLOURS) else None
    return wait_for(landed, 30, "the reports")


@pytest.mark.parametrize("who", READS)
def test_each_role_reads_up_to_its_tlp(desk, coloured, who):
    """TLP:RED is for named persons: no viewer and no trainee finds it, whichever way he looks."""
    may = coloured[:READS[who] + 1]
    for verb in (["report", "list", "--limit", "1000"], ["report", "search", "203.0.113.0/24"]):
        found = {row["id"] for row in desk.ask(who, *verb)["items"]}
        assert [one for one in coloured if one in found] == may, verb
    for word, number in zip(COLOURS, coloured):
        done = desk.run(who, "--json", "report", "show", number)
        assert (done.returncode == 0) is (number in may), (who, word, done)
        assert done.returncode in (0, 3) and ("colour" in done.stdout) is (number in may)
    assert desk.ask(who, "search", "203.0.113.104")["reports"]["count"] == (1 if len(may) == 5 else 0)
    lines = {row.get("identifier") for row in wait_for(lambda: [row for row in desk.ask("lea", "inbox", "--limit", "200")["items"] if row.get("identifier") == "colour-4"]
                                                   and desk.ask(who, "inbox", "--limit", "200")["items"], 30, "the inbox")}
    assert ("colour-4" in lines) is (len(may) == 5)


def test_who_is_named_in_its_case_reads_red(desk, coloured):
    """As a member or as whose case it is; watching is not being named, and ends with it."""
    number = desk.case("of red")
    desk.ask("tom", "case", "watch", number)
    desk.ask("anna", "report", "link", number, coloured[4])
    assert "TLP:RED" in desk.refused("tom", "case", "show", number) and "TLP:RED" in desk.refused("vic", "journal", number)
    assert number not in json.dumps(desk.ask("tom", "case", "list", "--all", "--limit", "1000"))
    assert desk.run("tom", "report", "show", coloured[4]).returncode == 3
    desk.ask("anna", "case", "take", number, "--for", "tom")
    assert desk.ask("tom", "report", "show", coloured[4])["case"] == number
    assert [row["id"] for row in desk.ask("tom", "case", "show", number)["report_items"]] == [coloured[4]]
    desk.ask("anna", "case", "take", number)
    assert desk.run("tom", "report", "show", coloured[4]).returncode == 3
    # A case that is less strict than one of its reports shows the others.
    desk.ask("anna", "case", "set", number, "--tlp", "amber", "--reason", "its source lets it")
    desk.ask("anna", "report", "link", number, coloured[1])
    assert [row["id"] for row in desk.ask("vic", "case", "show", number)["report_items"]] == [coloured[1]]
