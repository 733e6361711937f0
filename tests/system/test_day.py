"""A day of three operators at once: 200 reports of every kind, a wave of phishing, a hospital under ransom, a secret of a partner's, an
expired key, cases merged, split and reopened; nothing leaks, clocks are met or breached as they had to be, and the journal says all of it."""
import datetime
import json
import pathlib
import re
import shutil
import subprocess
import threading
import time

import pytest

import keyring
from case_office import CaseOffice
from harness import Daemon, Ports, native, wait_for
from outbox import literal
from smtp_server import SmtpServer
from test_audit_owner import as_owner
from test_people_mail import letter

TOP = pathlib.Path(__file__).resolve().parents[2]
SECRET = "quokka-c2.secret.example"      # in the partner's question, TLP:RED
KIT = "login-wombat.example.net"         # of the phishing kit
STRICT = "203.0.113.222"                 # of a report that is AMBER+STRICT
FILES = {"stix": "stix", "idea": "idea", "eve": "eve", "xarf": "xarf", "intelmq": "intelmq", "zeek": "zeek"}


class Day(CaseOffice):
    """The desk of the day: doors for machines and people, operators by certificate, a mail server, keys, and what the law wants."""

    def __init__(self, programs, certificates):
        self.server = SmtpServer()
        self.ports = Ports()
        self.port = self.ports.take()
        self.certificates = certificates
        self.pairs = {name: certificates.issue(f"day-{name}", f"day-{name}.test") for name in ("anna", "ben", "lea")}
        subprocess.run(["chmod", "-R", "a+rX", certificates.folder], check=True)
        self.theirs = keyring.Keyring()
        daemon = Daemon(programs, certificates, sections={
            "desk": {"listen": [f"127.0.0.1:{self.port}"], "certificate": certificates.door[2], "key": certificates.door[3], "ca": certificates.ca[2]},
            "mail_out": {"server": f"smtp://127.0.0.1:{self.server.port}", "tls": "off", "from": "cirt@cirt.example", "name": "CIRT Exampleland"},
            "spam": {"trusted_hops": ["mx.cirt.example", "127.0.0.1"]}, "reply": {"tag": "CIRT-XX", "acknowledge": False},
            "keeper": {"anchor_interval": "1s", "case_cap": 500}})
        for kind in ("regimes", "playbooks"):
            shutil.copytree(TOP / "etc" / kind, daemon.folder / kind)
        daemon.sections["clocks"] = {"time_zone": "Europe/Vienna", "hours": "Mon-Sun 00:00-24:00", "regimes": daemon.folder / "regimes",
                                     "playbooks": daemon.folder / "playbooks"}
        daemon.write_conf()
        self.daemon, self.count = daemon, 0
        daemon.start()
        daemon.add_sensor()
        self.furnish()

    def furnish(self):
        """Who is served, who works here, and a partner whose word is secret."""
        org = lambda name, kind, sector, prefix, domain, *more: self.daemon.cirt(
            "org", "new", name, "--kind", kind, "--sector", sector, "--prefix", prefix, "--domain", domain, *more)
        org("Wombat Bank", "bank", "finance", "198.51.100.0/27", "wombat.example", "--brand", "wombat")
        org("Quoll Hospital", "hospital", "health", "198.51.100.64/27", "quoll.example", "--criticality", "critical")
        org("Ministry of Rain", "government", "government", "198.51.100.128/26", "rain.example")
        for name, role in (("anna", "analyst"), ("ben", "analyst"), ("lea", "lead")):
            self.daemon.cirt("operator", "new", name, "--role", role, "--certificate", self.pairs[name][2])
        self.daemon.cirt("contact", "new", "Wombat Bank", "--role", "security", "--name", "SOC", "--email", "soc@wombat.example")
        self.theirs.make("it@quoll.example", expire="2d", clock="20260101T000000!")
        (self.daemon.folder / "quoll.asc").write_bytes(self.theirs.public("it@quoll.example"))
        self.daemon.cirt("key", "import", self.daemon.folder / "quoll.asc", check=False)
        self.daemon.cirt("contact", "new", "Quoll Hospital", "--role", "security", "--name", "IT", "--email", "it@quoll.example", "--phone", "+99 555 0101",
                         "--policy", "required", "--pgp", self.theirs.fingerprint("it@quoll.example"))
        self.daemon.cirt("source", "add", "partner", "--kind", "mailbox", "--match", "partner@cirt.example", "--tlp", "red", "--trust", 90,
                         "--ask-before-notice", "--contact", "duty@partner.example")
        self.daemon.cirt("source", "add", "strict", "--kind", "desk", "--tlp", "amber+strict", "--ask-before-notice", "--contact", "duty@partner.example")
        wait_for(lambda: self.daemon.cirt("regime", "list")["items"], 60, "the regimes")
        wait_for(lambda: "partner" in self.sql("SELECT name FROM source"), 30, "the sources")

    def close(self):
        self.daemon.remove()
        self.server.close()
        self.theirs.remove()
        self.ports.release()

    def run(self, who, *arguments, stdin=None):
        """cirt as this operator, from elsewhere; the finished process."""
        pair = self.pairs[who]
        return subprocess.run([str(self.daemon.programs.cirt), "--server", f"localhost:{self.port}", "--certificate", str(pair[2]), "--key", str(pair[3]),
                               "--ca", str(self.certificates.ca[2]), *map(str, arguments)], capture_output=True, text=True, timeout=90, check=False,
                              input=stdin, env=dict(self.daemon.environment(), XDG_STATE_HOME=f"{self.daemon.folder}/state-{who}"))

    def ask(self, who, *arguments, stdin=None):
        done = self.run(who, "--json", *arguments, stdin=stdin)
        assert done.returncode == 0, (who, arguments, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def at_once(self, **acts):
        """Each operator's act, begun at the same time; what each came to."""
        came, gate = {}, threading.Barrier(len(acts))

        def play(who, act):
            gate.wait(60)
            try:
                came[who] = act()
            except BaseException as error:  # the test's thread shall see it  # noqa: BLE001
                came[who] = error

        threads = [threading.Thread(target=play, args=pair) for pair in acts.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
        for error in came.values():
            if isinstance(error, BaseException):
                raise error
        return came

    def out(self):
        """Every byte that left, mails decoded too."""
        self.hurry()
        wait_for(lambda: self.sql("SELECT count(*) FROM outbox WHERE state = 'queued'") == "0", 90, "all mails to be sent")
        parts = []
        for _, recipient, data, _ in self.server.mails:
            parts.append((recipient, data.decode("utf-8", "replace")))
        for message in self.server.messages():
            for part in message.walk():
                if not part.is_multipart():
                    parts.append((message["To"] or "", (part.get_payload(decode=True) or b"").decode("utf-8", "replace")))
        return parts


@pytest.fixture(scope="module")
def day(programs, certificates):
    day = Day(programs, certificates)
    yield day
    day.close()


def ago(**span):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_two_hundred_reports_of_every_kind_come_in(day):
    """Sensors of all types, every format that has a golden input, citizens, and a list that is AMBER+STRICT; the books balance."""
    types = day.sql("SELECT unnest(enum_range(NULL::rsit_type))").split()
    lines = [dict(native(1000 + n), id=f"day-{n}", type=types[n % len(types)], severity=30, identifier=f"day-{n % 7}",
                  source={"ip": f"198.51.100.{n % 200}", "port": 2000 + n}) for n in range(120)]
    lines += [dict(native(2000 + n), id=f"day-i-{n}", type="infected-system", severity=60, identifier="day-bot", malware="daybot",
                   source={"ip": f"198.51.100.{130 + n}", "port": 4000 + n}) for n in range(10)]
    day.daemon.send_lines(lines)
    day.daemon.cirt("source", "add", "files", "--kind", "desk")
    time.sleep(0.5)
    for folder, form in FILES.items():
        for path in sorted((TOP / "tests/golden" / folder).glob("*")):
            if path.suffix not in (".expected", ".envelope", ".py", ".md"):
                day.daemon.cirt("submit", path, "--source", "files", "--format", form, "--again", check=False)
    strict = day.daemon.folder / "strict.ndjson"
    strict.write_text(json.dumps({"v": 1, "type": "c2-server", "identifier": "day-strict", "source": {"ip": STRICT}, "tlp": "amber+strict"}) + "\n")
    day.daemon.cirt("submit", strict, "--source", "strict", "--format", "native")
    for n in range(30):
        day.daemon.send_mail(letter(f"Odd call number {n} about my modem", f"citizen{n}@people.example", f"odd-{n}@people.example",
                                    text=f"They said they are support {n}, call 555{n:04}"))
    ledger = day.daemon.settle(120)
    items = ledger["items"]
    assert items["found"] == sum(items[name] for name in ("reports", "folded", "correspondence", "context", "spam", "quarantined", "discarded"))
    assert items["reports"] >= 150 and items["found"] >= 200
    assert len(day.sql("SELECT DISTINCT type FROM report").split()) >= 30


def test_a_wave_against_a_bank_is_one_case(day):
    """Forty citizens send the same parcel; anna makes one case of it while ben and lea do something else, and tells the bank."""
    for n in range(40):
        day.daemon.send_mail(letter("Your parcel of Wombat Bank", f"victim{n}@people.example", f"wave-{n}@people.example",
                                    text=f"Dear customer, confirm at http://{KIT}/a/{n} today. Wombat Bank"))
    day.daemon.settle(120)
    of_wave = ("SELECT DISTINCT c.number FROM cases c JOIN case_report cr ON cr.case_id = c.id AND cr.ended IS NULL JOIN report r ON r.id = cr.report "
               "WHERE r.title = 'Your parcel of Wombat Bank'")
    wait_for(lambda: day.sql(of_wave), 60, "a case of the wave")
    wave = day.sql(of_wave).split()
    loose = day.sql("SELECT report_number(r.id) FROM report r LEFT JOIN case_report cr ON cr.report = r.id AND cr.ended IS NULL "
                    "WHERE r.title = 'Your parcel of Wombat Bank' AND cr.report IS NULL").split()
    assert len(wave) == 1, "forty mails of one kit are one case"
    number = wave[0]
    day.at_once(anna=lambda: day.ask("anna", "case", "take", number), ben=lambda: day.ask("ben", "search", KIT), lea=lambda: day.ask("lea", "today"))
    if loose:
        day.ask("anna", "report", "link", number, *loose)
    day.ask("anna", "party", "add", number, "imitated", "--org", "Wombat Bank")
    assert day.ask("anna", "case", "show", number)["assignee"] == "anna"
    sent = day.ask("anna", "reply", number, "--to", "imitated", "--text", "-", "--yes", stdin=f"Please look at http://{KIT}/a/1\n")
    assert sent["state"] == "queued", sent
    message = day.sent(sent["number"])
    text = "".join(part.get_content() for part in message.walk() if not part.is_multipart())
    assert KIT not in text and "login-wombat[.]example[.]net" in text and "victim" not in text
    day.answer(message, "Thanks, we know it. Ticket 5512.")
    wait_for(lambda: [mail for mail in day.ask("anna", "case", "show", number)["mails"] if "soc@wombat.example" in str(mail)], 60, "the bank's answer")


def test_ransomware_by_phone_with_a_filing(day):
    """The law's clocks run from what the caller says; ours is met, another's is breached and raises an alarm."""
    done = day.ask("ben", "case", "open", "--phone", "--from", "IT head, +99 555 0101", "--org", "Quoll Hospital", "--class",
                   "unauthorised-information-modification", "--tag", "ransomware", "--severity", "critical", "--title", "Files encrypted", "--aware", ago(hours=2))
    number = done["case"]
    filing = wait_for(lambda: day.ask("ben", "filing", "list", "--case", number)["items"], 30, "the filing that its playbook begins")[0]
    rows = day.ask("ben", "clock", "list", "--case", number)["items"]
    assert [row for row in rows if row["whose"] == "ours"] and [row for row in rows if row["whose"] == "theirs"], rows
    assert day.ask("ben", "task", "list", "--case", number)["items"], "its playbook adds tasks"
    assert day.run("ben", "case", "close", number, "--outcome", "resolved").returncode == 1, "tasks and our answer are open"
    day.ask("ben", "filing", "answer", filing["filing"], "--note", "first advice by phone")
    shown = day.ask("lea", "filing", "show", filing["filing"])
    assert shown["stages"][0]["state"] == "on time" and "on time" in json.dumps(shown["stages"][0].get("answer_state", ""))
    late = day.ask("ben", "case", "open", "--phone", "--from", "CISO", "--org", "Wombat Bank", "--class", "system-compromise", "--severity", "high",
                   "--title", "An old intrusion")["case"]
    day.ask("ben", "filing", "new", late, "--regime", "NIS", "--stage", "early-warning", "--aware", ago(hours=90), "--received", ago(hours=30),
            "--from", "CISO, phone")
    wait_for(lambda: [row for row in day.ask("lea", "clock", "list", "--breached")["items"] if row["case"] == late], 90, "the breach")
    wait_for(lambda: late in json.dumps(day.ask("lea", "alarm", "list")), 90, "an alarm for the breach")
    assert not [row for row in day.ask("lea", "clock", "list", "--breached")["items"] if row["case"] == number]


def test_a_partners_red_question_stays_red(day):
    day.daemon.send_mail(letter("TLP:RED question about a server", "duty@partner.example", "red-1@partner.example",
                                text=f"Do you see {SECRET} at Quoll Hospital? TLP:RED"), ["partner@cirt.example"], sender="duty@partner.example")
    day.daemon.settle(60)
    report = wait_for(lambda: day.sql("SELECT report_number(id) FROM report WHERE title LIKE 'TLP:RED question%'"), 30, "the question")
    assert day.ask("anna", "report", "show", report)["tlp"] == "red"
    # Nobody else is told, by whatever way an operator tries.
    day.run("anna", "notice", "oneshot", report)
    hospital = day.sql("SELECT number FROM cases WHERE title = 'Files encrypted'")
    refused = day.run("anna", "mail", "--to", "soc@wombat.example", "--case", hospital, "--text", "-", "--yes", stdin=f"Do you see {SECRET}?\n")
    assert refused.returncode != 0 or json.loads(day.run("anna", "--json", "approve", "list").stdout)["items"], refused.stdout
    day.ask("anna", "tlp", "ask", report, "--note", "the hospital is hit")
    assert report in json.dumps(day.ask("lea", "tlp", "list"))


def test_an_expired_key_is_a_phone_call_and_never_silence(day):
    report = day.sql("SELECT report_number(r.id) FROM report r JOIN organisation o ON o.id = r.organisation WHERE o.name = 'Quoll Hospital' "
                     "AND r.exercise = 0 ORDER BY r.id LIMIT 1")
    day.ask("ben", "notice", "oneshot", report)
    waits = wait_for(lambda: day.sql("SELECT state || ' ' || kind || ' ' || why FROM outbox WHERE address = 'it@quoll.example'"), 60, "a mail or its hold")
    wait_for(lambda: re.search(r"it@quoll|Quoll", json.dumps(day.ask("lea", "alarm", "list"))) or "key-waits" in day.sql(
        "SELECT kind FROM outbox WHERE address = 'it@quoll.example'"), 90, f"somebody to be told: {waits}")
    assert not [one for one in day.server.messages() if "it@quoll.example" in (one["To"] or "") and report in one.as_string()]


def test_merged_split_and_reopened_while_others_work(day):
    first, second = (day.ask("lea", "case", "open", "--in-person", "--from", "a colleague", "--title", f"Twin {n}")["case"] for n in (1, 2))
    day.ask("lea", "case", "note", second, "of the second")
    came = day.at_once(lea=lambda: day.ask("lea", "case", "merge", second, first, "--reason", "one incident"),
                       anna=lambda: [day.ask("anna", "case", "note", first, f"anna {n}") for n in range(5)],
                       ben=lambda: [day.ask("ben", "case", "note", first, f"ben {n}") for n in range(5)])
    assert came["lea"]["state"] == "merged"
    day.ask("lea", "case", "split", second)
    assert day.ask("lea", "case", "show", second)["state"] == "open"
    assert len(day.sql(f"SELECT n.id FROM note n JOIN cases c ON c.id = n.case_id WHERE c.number = '{first}'").split()) == 10
    day.ask("lea", "case", "close", second, "--outcome", "duplicate", "--text", "see the first")
    reopened = day.ask("anna", "case", "reopen", second, "--reason", "it is not")
    assert reopened["state"] == "open"


def test_the_second_of_two_is_shown_what_changed(day):
    number = day.ask("lea", "case", "open", "--phone", "--from", "x", "--title", "For two at once")["case"]
    day.ask("anna", "case", "show", number)
    revision = day.ask("ben", "case", "show", number)["revision"]
    day.ask("anna", "case", "set", number, "--severity", "critical", "--if", revision)
    second = day.run("ben", "case", "set", number, "--severity", "low", "--if", revision)
    assert second.returncode != 0 and "anna" in second.stderr and "severity" in second.stderr, second.stderr
    assert day.ask("lea", "case", "show", number)["severity"] == "critical"


def test_nothing_leaked(day):
    """All bytes that left, as sent and decoded: neither the partner's secret, but to the partner, nor the strict address, nor a citizen."""
    for recipient, text in day.out():
        if "partner.example" not in recipient:
            assert SECRET not in text and SECRET.replace(".", "[.]") not in text, recipient
        assert STRICT not in text and STRICT.replace(".", "[.]") not in text, recipient
        assert not re.search(r"victim\d+@people|citizen\d+@people", text) or "people.example" in recipient, recipient


def test_all_of_it_stands_in_the_journal(day):
    assert day.ask("lea", "audit", "verify")["ok"]
    for who in ("anna", "ben", "lea"):
        assert day.ask("lea", "journal", "--by", who)["items"]
    ledger = day.daemon.settle(60)
    assert ledger["balanced"]


def problems(day):
    done = day.daemon.cirt_text("--json", "audit", "verify", check=False)
    return json.loads(done.stdout)




@pytest.mark.parametrize("edit, undo", [
    ("UPDATE cases SET title = 'harmless' WHERE title = 'Files encrypted'", "UPDATE cases SET title = 'Files encrypted' WHERE title = 'harmless'"),
    ("UPDATE note SET text = 'of nobody' WHERE text = 'of the second'", "UPDATE note SET text = 'of the second' WHERE text = 'of nobody'"),
    ("UPDATE operator SET role = 'admin' WHERE name = 'anna'", "UPDATE operator SET role = 'analyst' WHERE name = 'anna'"),
    ("UPDATE journal SET after = replace(after, 'Twin 1', 'Twin X') WHERE after LIKE '%Twin 1%'",
     "UPDATE journal SET after = replace(after, 'Twin X', 'Twin 1') WHERE after LIKE '%Twin X%'")])
def test_what_the_owner_edits_is_found(day, edit, undo):
    as_owner(day.daemon, "SET search_path = cirt; " + edit)
    found = problems(day)
    assert not found["ok"], edit
    as_owner(day.daemon, "SET search_path = cirt; " + undo)
    assert problems(day)["ok"], undo


def test_what_the_owner_deletes_and_cuts_off_is_found(day):
    """Rows of a table, and the end of a chain with its head set back: the anchor outside the database knows better."""
    anchors = lambda: sum(path.stat().st_size for path in (day.daemon.folder / "state" / "anchors").glob("*"))
    before = anchors()
    day.ask("lea", "case", "note", day.sql("SELECT number FROM cases WHERE title = 'Twin 1'"), "the last word")
    wait_for(lambda: anchors() > before, 60, "an anchor")
    as_owner(day.daemon, "DELETE FROM cirt.note WHERE text = 'the last word'")
    assert not problems(day)["ok"]
    as_owner(day.daemon, """SET search_path = cirt;
        CREATE TEMP TABLE cut AS SELECT object, max(n) AS n FROM journal WHERE object = (SELECT 'case/' || number FROM cases WHERE title = 'Twin 1')
            GROUP BY object;
        DELETE FROM journal j USING cut c WHERE j.object = c.object AND j.n = c.n;
        UPDATE journal_head h SET n = c.n - 1, hash = (SELECT j.hash FROM journal j WHERE j.object = c.object AND j.n = c.n - 1)
            FROM cut c WHERE h.object = c.object""")
    found = problems(day)
    assert not found["ok"] and "Twin 1" not in json.dumps(found.get("items", [])) and re.search(r"anchor|shorter|missing|cut", json.dumps(found)), found
