"""A day of three operators at once: 200 reports of every kind, a wave of phishing, a hospital under ransom, a secret of a partner's, an
expired key, cases merged, split and reopened; nothing leaks, clocks are met or breached as they had to be, and the journal says all of it."""
import datetime
import json
import re

import pytest

import keyring
from day_office import OURS, TOP, Day
from feed_servers import Host
from harness import native, wait_for
from outbox import literal
from test_audit_owner import as_owner

SECRET = "quokka-c2.secret.example"      # in the partner's question, TLP:RED
KIT = "login-wombat.example.net"         # of the phishing kit
REGRET = "numbats-never-said"         # in a mail that was taken back
STRICT = "203.0.113.222"                 # of a report that is AMBER+STRICT
FILES = {"stix": "stix", "idea": "idea", "eve": "eve", "xarf": "xarf", "intelmq": "intelmq", "zeek": "zeek", "misp": "misp",
         "shadowserver": "shadowserver"}


@pytest.fixture(scope="module")
def day(programs, certificates):
    day = Day(programs, certificates)
    yield day
    day.web.close()
    day.close()


def ago(**span):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def by_socket(day):
    """Sensors of all types, from 130 addresses, over mutual TLS."""
    types = day.sql("SELECT unnest(enum_range(NULL::rsit_type))").split()
    lines = [dict(native(1000 + n), id=f"day-{n}", type=types[n % len(types)], severity=30, identifier=f"day-{n % 7}",
                  source={"ip": f"198.51.100.{n % 200}", "port": 2000 + n}) for n in range(120)]
    lines += [dict(native(2000 + n), id=f"day-i-{n}", type="infected-system", severity=60, identifier="day-bot", malware="daybot",
                   source={"ip": f"198.51.100.{130 + n}", "port": 4000 + n}) for n in range(10)]
    day.daemon.send_lines(lines)


def by_file(day):
    """Every format that has a golden input, the bad ones too; and a list that is AMBER+STRICT."""
    for folder, form in FILES.items():
        good = [str(path) for path in sorted((TOP / "tests/golden" / folder).glob("*")) if path.suffix not in (".expected", ".envelope", ".py", ".md")]
        day.daemon.cirt("submit", *good, "--source", "files", "--format", form, "--again", check=False)
    strict = day.daemon.folder / "strict.ndjson"
    strict.write_text(json.dumps({"v": 1, "type": "c2-server", "identifier": "day-strict", "source": {"ip": STRICT}, "tlp": "amber+strict"}) + "\n")
    day.daemon.cirt("submit", strict, "--source", "strict", "--format", "native")


def by_mail(day):
    """Citizens, programs (feedback reports, X-ARF), a sealed and a signed one."""
    for n in range(30):
        day.write_in(f"Odd call number {n} about my modem", f"citizen{n}@people.example", f"odd-{n}@people.example", f"They said they are support {n}, call 555{n:04}")
    for name in ("arf-abuse.eml", "xarf-4.eml", "xarf-3.eml"):
        day.daemon.send_mail((TOP / "tests/golden/mail" / name).read_bytes(), sender="auto@reporter.example")
    sealed = day.theirs.encrypt(keyring.part("The botnet day-sealed speaks to 198.51.100.201\n"), OURS, sign="duty@rain.example")
    day.daemon.send_mail(keyring.encrypted("Sealed words", sealed, "duty@rain.example"))
    authority = keyring.Authority()
    authority.issue("signer", "signer@people.example")
    body = keyring.part("Somebody scans us from 198.51.100.202\n")
    day.daemon.send_mail(keyring.signed("Signed words", body, authority.sign(body, "signer"), "signer@people.example", "smime"))
    authority.remove()


def by_feed(day):
    """A list that is fetched by HTTPS."""
    body = "when,host\n" + "".join(f"2026-11-22T10:00:0{n}Z,198.51.100.{210 + n}:80\n" for n in range(5))
    day.web = Host(day.certificates, {"/list.csv": lambda _: (200, {"Content-Type": "text/csv"}, body.encode())})
    day.daemon.cirt("source", "add", "blocklist", "--kind", "feed", "--match", day.web.url("/list.csv"), "--tlp", "green", "--interval", 1,
                    "--format", "csv", "--columns", "when=time host=endpoint", "--type", "c2-server")


def test_two_hundred_reports_of_every_kind_come_in(day):
    """By socket, feed, file, mail and hand, while all three look on; the books balance, and none is lost."""
    day.daemon.cirt("source", "add", "files", "--kind", "desk")
    came = day.at_once(
        anna=lambda: [by_mail(day), day.ask("anna", "report", "new", "--phone", "--from", "A. Caller", "--class", "phishing", "--title", "By hand", "--about",
                                            "http://by-hand.example.net/x")],
        ben=lambda: [by_file(day), day.ask("ben", "today")], lea=lambda: [by_socket(day), by_feed(day), day.ask("lea", "inbox")])
    assert all(came.values())
    wait_for(lambda: len(day.daemon.reports("--source", "blocklist")) == 5, 60, "the feed's five")
    day.daemon.cirt("source", "disable", "blocklist")
    ledger = day.daemon.settle(120)
    items = ledger["items"]
    assert items["found"] == sum(items[name] for name in ("reports", "folded", "correspondence", "context", "spam", "quarantined", "discarded"))
    assert items["reports"] >= 200 and items["spam"] == 0, items
    assert len(day.sql("SELECT DISTINCT type FROM report").split()) >= 30
    kinds = set(day.sql("SELECT DISTINCT format FROM ledger").split())
    assert {"native", "mail", "csv", "stix", "idea", "eve", "xarf", "intelmq", "zeek", "misp", "shadowserver"} <= kinds, kinds
    for title in ("Sealed words", "Signed words", "By hand"):
        assert day.sql(f"SELECT count(*) FROM report WHERE title = '{title}'") == "1", title
    assert "day-sealed" in day.sql("SELECT text FROM report WHERE title = 'Sealed words'")
    assert day.sql("SELECT count(*) FROM report WHERE identifier = 'login-attack'") != "0", "X-ARF by mail"
    assert all(row["reason"] for row in day.daemon.all_pages("quarantine", "list")), "what is set apart says why"


def test_a_wave_against_a_bank_is_one_case(day):
    """Forty citizens send the same parcel; anna makes one case of it while ben and lea do something else, and tells the bank."""
    for n in range(40):
        day.write_in("Your parcel of Wombat Bank", f"victim{n}@people.example", f"wave-{n}@people.example",
                     f"Dear customer, confirm at http://{KIT}/a/{n} today. Wombat Bank")
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
    text = "".join(day.opened(message))
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
    day.write_in("TLP:RED question about a server", "duty@partner.example", "red-1@partner.example", f"Do you see {SECRET} at Quoll Hospital? TLP:RED",
                 ["partner@cirt.example"])
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
    wishes = {"anna": "critical", "ben": "low"}
    came = day.at_once(**{who: lambda who=who, wish=wish: day.run(who, "case", "set", number, "--severity", wish, "--if", revision)
                          for who, wish in wishes.items()})
    first, = [who for who, done in came.items() if done.returncode == 0]
    second, = set(wishes) - {first}
    said = came[second].stderr
    assert first in said and "severity" in said, said
    assert day.ask("lea", "case", "show", number)["severity"] == wishes[first]
    assert day.ask(second, "case", "set", number, "--severity", wishes[second])["severity"] == wishes[second], "said again it holds"


def test_all_are_asked_and_the_silent_one_is_named(day):
    """One answers in the clear, one sealed both ways, one cannot be reached by mail; each sector is counted, and the case has a page."""
    hospital = day.sql("SELECT number FROM cases WHERE title = 'Files encrypted'")
    day.daemon.cirt("group", "new", "served")
    day.daemon.cirt("group", "add", "served", "Wombat Bank", "Quoll Hospital", "Ministry of Rain")
    ask = str(day.ask("lea", "ask", "served", "--question", "-", "--until", "4h", "--case", hospital, stdin="Have you seen a note of numbat?")["ask"])
    numbers = dict(row.split("|") for row in day.sql(f"SELECT i.name || '|' || o.number FROM inquiry i JOIN outbox o ON o.id = i.outbox WHERE i.ask = {ask}").splitlines())
    mails = {name: day.sent(numbers[name]) for name in ("Wombat Bank", "Ministry of Rain")}
    assert mails["Ministry of Rain"].get_content_type() == "multipart/encrypted"
    day.answer(mails["Wombat Bank"], "NO.")
    sealed = day.theirs.encrypt(keyring.part("YES. Two machines.\n"), OURS, sign="duty@rain.example")
    back = f"In-Reply-To: {mails['Ministry of Rain']['Message-ID']}\r\n".encode() + keyring.encrypted("Re: question", sealed, "duty@rain.example")
    day.daemon.send_mail(back, [re.search(r"[^<\s]+@[^>\s]+", mails["Ministry of Rain"]["Reply-To"]).group()])
    shown = wait_for(lambda: (lambda one: one if one["silent"] == 1 else None)(day.ask("ben", "ask", "show", ask)), 60, "two answers")
    assert {one["organisation"]: one["word"] for one in shown["items"]} == {"Wombat Bank": "no", "Ministry of Rain": "yes", "Quoll Hospital": "no answer"}
    assert {one["sector"]: one["silent"] for one in shown["sectors"]} == {"finance": 0, "health": 1, "government": 0}
    brief = day.ask("ben", "case", "brief", hospital, "--lang", "fr")["text"]
    assert brief.startswith("TLP:AMBER · ") and "Quoll Hospital" in brief and SECRET not in brief and STRICT not in brief
    assert "3 interrogés : 1 oui, 1 non" in brief


def test_a_mail_is_taken_back(day):
    number = day.sql("SELECT number FROM cases WHERE title = 'Twin 1'")
    queued = day.ask("anna", "mail", "--to", "soc@wombat.example", "--case", number, "--subject", "too soon", "--text", "-", "--yes", stdin=f"{REGRET}\n")
    assert day.run("ben", "undo", str(queued["act"])).returncode != 0, "only who did it takes it back"
    assert "does not go" in day.ask("anna", "undo")["said"]
    day.hurry()
    assert day.sql(f"SELECT state FROM outbox WHERE number = {literal(queued['number'])}") == "cancelled"


def test_nothing_leaked(day):
    """All bytes that left, as sent and decoded: neither the partner's secret, but to the partner, nor the strict address, nor a citizen."""
    out = day.out()
    assert any("Have you seen a note of numbat?" in text for recipient, text in out if recipient == "duty@rain.example"), "what was sealed is searched too"
    for recipient, text in out:
        assert REGRET not in text
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


def test_nothing_was_lost(day):
    """Each line of a sensor is a sighting, and each mail that was taken stands in the register of mails."""
    assert day.sql("SELECT sum(s.count) FROM sighting s JOIN report r ON r.id = s.report JOIN source o ON o.id = r.source "
                   "WHERE r.identifier LIKE 'day-%' AND o.kind = 'sensor'") == "130"
    known = set(day.sql("SELECT DISTINCT message_id FROM letter").split())
    assert len(day.sent_ids) == 71 and not [one for one in day.sent_ids if one not in known]


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
