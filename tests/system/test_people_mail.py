"""Mail that people send: which case it answers, and what of it is spam."""
import contextlib
import os
import signal
import smtplib
import subprocess

import pytest

from desk_relay import DeskRelay
from harness import Daemon, wait_for

HOPS = {"spam": {"trusted_hops": ["mx.cirt.example", "127.0.0.1"]}, "reply": {"tag": "CIRT-XX"}}
TO_US = "Received: from x (x [203.0.113.9]) by mx.cirt.example (Postfix) with ESMTP id 1; Mon, 23 Nov 2026 08:00:00 +0000\r\n"


@pytest.fixture(scope="module")
def desk(programs, certificates):
    daemon = Daemon(programs, certificates, sections=HOPS)
    daemon.start()
    yield daemon
    daemon.remove()


def letter(subject, sender="citizen@provider.example", ident=None, text="See 198.51.100.23.", **fields):
    lines = [f"From: {sender}", "To: report@cirt.example", f"Subject: {subject}", "Date: Mon, 23 Nov 2026 08:00:00 +0000"]
    lines += [f"Message-ID: <{ident}>"] if ident else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines) + "\r\n\r\n" + text + "\r\n"


def new_case(desk, subject, ident, sender="soc@bank.example", **how):
    """A mail opens a case; its number."""
    desk.send_mail(letter(subject, sender, ident, text=f"{subject}: see {ident.split('@')[0]}.bank.example"), **how)
    return wait_for(lambda: [case["number"] for case in desk.all_pages("case", "list") if subject in case["title"]], 30, "the case")[0]


def mails(desk, number, count):
    return wait_for(lambda: (lambda found: found if len(found) == count else None)(desk.cirt("case", "show", number)["mails"]), 30,
                    f"{count} mails in {number}")


def balanced(desk):
    ledger = desk.settle()
    items = ledger["items"]
    assert items["found"] == sum(items[name] for name in ("reports", "folded", "correspondence", "context", "spam", "quarantined",
                                                          "discarded"))
    return items


def test_answers_find_their_case(desk):
    """By a mail that we have, by the sealed address, by our tag from a party: they are the case's, shown and found."""
    number = new_case(desk, "Kit upload", "kit1@bank.example")
    case = desk.cirt("case", "show", number)
    assert case["subject_tag"] == f"[CIRT-XX {number}]" and case["reply_address"].startswith(f"case+{number}-")
    before = balanced(desk)
    queued = desk.send_mail(letter("AW: Kit upload", "abuse@hoster.example", "h1@hoster.example", text="It is taken down: orangeade",
                                   In_Reply_To="<kit1@bank.example>")).split()[-1]
    desk.send_mail(letter("no subject of ours", "someone@else.example", "e1@else.example"), [case["reply_address"].upper()])
    desk.send_mail(letter(f"Fwd: [CIRT-XX {number}] [BANK #5512] more", "SOC@bank.example", "b2@bank.example"))
    found = mails(desk, number, 3)
    assert [(mail["way"], mail["known"], mail["new"]) for mail in found] == [
        ("reference", False, True), ("address", False, True), ("tag", True, True)]
    after = balanced(desk)
    assert after["correspondence"] == before["correspondence"] + 3 and after["reports"] == before["reports"]
    # Their ticket is kept, so that it is found and named in our answers; and from then on it finds the case.
    assert {"party": None, "system": "BANK", "value": "5512"} in desk.cirt("case", "show", number)["references"]
    desk.send_mail(letter("[BANK #5512] and more", "soc@bank.example", "b3@bank.example"))
    assert mails(desk, number, 4)[3]["way"] == "ticket"
    # Searched by what they mention and by words, and shown with their texts.
    for what in ("orangeade", "abuse@hoster.example"):
        assert [mail["case"] for mail in desk.cirt("mail", "search", what)["items"]] == [number], what
    assert desk.cirt("mail", "search", "orangeade", "--case", number)["items"]
    assert desk.cirt("mail", "show", found[0]["id"])["evidence"][0]["name"] == "message.eml"
    assert "orangeade" in desk.cirt("case", "show", number, "--mail")["mails"][0]["text"]
    assert "orangeade" in desk.cirt_text("case", "show", number, "--mail").stdout
    assert desk.cirt("case", "show", number)["mails"][0]["text"] is None
    receipt = desk.cirt("receipt", queued)["items"][0]
    assert (receipt["became"], receipt["kind"], receipt["case"]) == ("correspondence", "reply", number)
    assert any("mail from abuse@hoster.example" in row["what"] for row in desk.cirt("case", "show", number)["journal"])
    assert desk.cirt("audit", "verify")


def test_forged_tag_and_seal_get_into_no_case(desk):
    """A stranger's tag makes a report that says so; a seal that is guessed is no mailbox here."""
    number = new_case(desk, "Sealed wave", "seal1@bank.example")
    desk.send_mail(letter(f"Re: [CIRT-XX {number}] please close", "evil@stranger.example", "s1@stranger.example", text="See 203.0.113.66."))
    desk.send_mail(letter(f"Re: [CIRT-YY {number}] not ours", "soc@bank.example", "s2@bank.example", text="See 203.0.113.67."))
    desk.settle()
    reports = {report["title"]: report for report in desk.reports()}
    assert reports[f"Re: [CIRT-XX {number}] please close"]["probably"] == number
    assert reports[f"Re: [CIRT-YY {number}] not ours"]["probably"] is None
    own = wait_for(lambda: desk.cirt("report", "show", reports[f"Re: [CIRT-XX {number}] please close"]["id"]).get("case"), 30, "its own case")
    assert "PERHAPS OF" in desk.cirt_text("case", "show", own).stdout and number in desk.cirt_text("case", "show", own).stdout.split("PERHAPS OF")[1]
    case = desk.cirt("case", "show", number)
    assert case["mails"] == [] and [one["sender"] for one in case["perhaps"]] == ["evil@stranger.example"]
    good = case["reply_address"]
    local, domain = good.split("@")
    for forged in (local[:-1] + ("a" if local[-1] != "a" else "b") + "@" + domain, f"report+{number}-aaaaaaaaaaaaaaaa@cirt.example"):
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            desk.send_mail(letter("guessed"), [forged])
        assert refused.value.smtp_code == 550
    # Any mailbox of ours may carry the seal.
    desk.send_mail(letter("through report@", "x@y.example", "s3@y.example"), ["report+" + good.split("+")[1]])
    assert mails(desk, number, 1)[0]["way"] == "address"


def test_answers_to_closed_and_merged_cases_are_seen(desk):
    """A closed case with a new mail is in the list until somebody has read it; a merge is followed."""
    first, second = new_case(desk, "Old story", "old1@bank.example"), new_case(desk, "Newer story", "new1@bank.example")
    desk.cirt("case", "take", first)
    desk.cirt("case", "close", first, "--outcome", "resolved")
    assert first not in [case["number"] for case in desk.all_pages("case", "list")]
    desk.send_mail(letter("thanks", "soc@bank.example", "old2@bank.example", References="<old1@bank.example>"))
    mails(desk, first, 1)
    row = [case for case in desk.all_pages("case", "list") if case["number"] == first]
    assert row and row[0]["state"] == "closed" and row[0]["mails_new"] == 1
    assert any("to a case that is closed" in line["what"] for line in desk.cirt("case", "show", first)["journal"])
    desk.cirt("case", "read", first)
    assert "read" in desk.cirt("journal", first)["items"][0]["what"]
    assert first not in [case["number"] for case in desk.all_pages("case", "list")]
    third = new_case(desk, "Third story", "third1@bank.example")
    desk.cirt("case", "merge", third, second)
    desk.send_mail(letter("after the merge", "soc@bank.example", "third2@bank.example", In_Reply_To="<third1@bank.example>"))
    assert mails(desk, second, 1)[0]["title"] == "after the merge"


def test_cases_with_unread_mail_are_listed(desk):
    """What opened a case that nobody has taken up, and what came into one: counted in the list, and what `cirt today` counts."""
    before = desk.cirt("today")["people"]
    unread = lambda: {case["number"]: case["mails_new"] for case in desk.all_pages("case", "list", "--unread")}  # noqa: E731
    number = new_case(desk, "Unread story", "unread1@bank.example")
    assert unread()[number] == 1
    people = desk.cirt("today")["people"]
    assert people["unread"] == before["unread"] + 1 and people["inbox"] == before["inbox"]
    shown = desk.cirt_text("today").stdout
    assert "cirt case list --unread" in shown, shown
    assert number in desk.cirt_text("case", "list", "--unread").stdout
    desk.cirt("case", "take", number)
    assert number not in unread() and desk.cirt("today")["people"]["unread"] == before["unread"]
    desk.send_mail(letter("one more thing", "soc@bank.example", "unread2@bank.example", References="<unread1@bank.example>"))
    mails(desk, number, 1)
    assert unread()[number] == 1
    desk.cirt("case", "close", number, "--outcome", "resolved")
    assert unread()[number] == 1, "closed, and still unread"
    desk.cirt("case", "read", number)
    assert number not in unread()


def test_spam_is_kept_reviewed_and_rescued(desk):
    """Verdicts of our own servers make spam; what a stranger writes into his header does not; a rescue runs it as a report."""
    before = balanced(desk)
    spam = "X-Spamd-Result: default: True [17.40 / 15.00]; BAYES_SPAM(5.10)\r\n"
    desk.send_mail("X-Spam: Yes\r\n" + TO_US + letter("Cheap toner", "s@bulk.example", "t1@bulk.example", text="velvet 192.0.2.99"))
    desk.send_mail(TO_US + spam + letter("Cheaper toner", "s@bulk.example", "t2@bulk.example", text="See 192.0.2.98"))
    desk.send_mail(TO_US + "Received: from a by b.example\r\n" + spam +
                   letter("Honest report", "c@provider.example", "t3@provider.example", text="See 192.0.2.97"))
    desk.send_mail(TO_US + spam + letter("Sample for you", "c@provider.example", "t4@provider.example", text="See 192.0.2.96"),
                   ["phish@cirt.example"])
    after = balanced(desk)
    assert after["spam"] == before["spam"] + 2
    titles = {report["title"] for report in desk.reports()}
    assert {"Honest report", "Sample for you"} <= titles and "Cheap toner" not in titles
    review = desk.cirt("spam", "review", "--sender", "@bulk.example")
    assert [row["reason"] for row in review["items"]] == ["rspamd 17.40 of 15.00", "rspamd"] and review["kept"] >= 2
    assert desk.cirt("mail", "search", "velvet")["items"][0]["kind"] == "spam"
    assert desk.cirt("mail", "search", "192.0.2.98")["items"][0]["title"] == "Cheaper toner"
    shown = desk.cirt("spam", "show", review["items"][1]["id"])
    assert "velvet" in shown["text"] and shown["state"] == "kept"
    rescued = desk.cirt("spam", "rescue", review["items"][1]["id"], "--reason", "a partner")
    assert rescued["items"][0]["entry"]
    end = balanced(desk)
    assert end["spam"] == after["spam"] - 1 and end["reports"] == after["reports"] + 1 and end["found"] == after["found"]
    assert "Cheap toner" in {report["title"] for report in desk.reports()}
    assert desk.cirt("spam", "show", review["items"][1]["id"])["state"] == "rescued"
    assert desk.psql("SELECT act, reason FROM cirt.ledger_act WHERE act = 'rescue'") == [["rescue", "a partner"]]
    assert desk.cirt("spam", "rescue", review["items"][1]["id"], check=False).returncode != 0
    assert any("rescue" in one["what"] for one in desk.cirt("journal", "--limit", "50")["items"]), desk.cirt("journal", "--limit", "50")["items"]


def test_senders_are_listed_and_mailboxes_may_welcome_spam(desk):
    desk.cirt("spam", "deny", "@Denied.example", "--reason", "newsletter")
    desk.cirt("spam", "allow", "partner@denied.example")
    assert [(row["pattern"], row["rule"]) for row in desk.cirt("spam", "list")["items"]] == [
        ("@denied.example", "deny"), ("partner@denied.example", "allow")]
    before = balanced(desk)
    for name in ("a@sub.denied.example", "partner@denied.example", "x@notdenied.example"):
        desk.send_mail(letter(f"listed {name}", name, f"l-{name}", text=f"See {name.split('@')[1]}"), sender=name)
    assert balanced(desk)["spam"] == before["spam"] + 1
    desk.cirt("spam", "forget", "@denied.example")
    assert desk.cirt("spam", "deny", "not an address", check=False).returncode == 2
    assert desk.cirt("spam", "forget", "@denied.example", check=False).returncode == 3
    assert desk.cirt("source", "show", "phish")["spam_counts"] is False
    desk.cirt("spam", "ignore", "report")
    desk.send_mail(TO_US + "X-Spam: Yes\r\n" + letter("welcome here", "w@bulk.example", "w1@bulk.example", text="See 192.0.2.95"))
    assert balanced(desk)["spam"] == before["spam"] + 1
    desk.cirt("spam", "heed", "report")
    desk.send_mail(TO_US + "X-Spam: Yes\r\n" + letter("not here", "w@bulk.example", "w2@bulk.example", text="See 192.0.2.94"))
    assert balanced(desk)["spam"] == before["spam"] + 2
    assert desk.cirt("audit", "verify")


def test_answers_of_a_case_are_never_spam(desk):
    """They quote the phish, and score for it."""
    number = new_case(desk, "Quoted phish", "q1@bank.example")
    desk.send_mail(TO_US + "X-Spam: Yes\r\n" + letter("Re: Quoted phish", "soc@bank.example", "q2@bank.example",
                                                      In_Reply_To="<q1@bank.example>"))
    desk.send_mail(TO_US + "X-Spam: Yes\r\n" + letter("to the address", "z@z.example", "q3@z.example"),
                   [desk.cirt("case", "show", number)["reply_address"]])
    mails(desk, number, 2)


def test_mail_of_a_drill_stays_in_the_drill(desk):
    """A real answer to a drill's sealed address is the drill's; a drill's mail comes into no real case."""
    real = new_case(desk, "Real thing", "real1@bank.example")
    desk.cirt("source", "add", "drill", "--kind", "mailbox", "--match", "drill+blue@", "--exercise", "blue", "--format", "mail")

    def drill_case():
        return [case for case in desk.all_pages("case", "list") if case["exercise"] == "blue"]

    def send():
        try:
            return desk.send_mail(letter("Played thing", "p@player.example", "p1@player.example", text="See p1.player.example"),
                                  ["drill+blue@cirt.example"])
        except smtplib.SMTPResponseException:
            return None

    wait_for(send, 20, "the door to know the drill", every=0.5)
    played = wait_for(drill_case, 30, "the drill's case")[0]["number"]
    desk.send_mail(letter(f"[CIRT-XX {real}] from the drill", "soc@bank.example", "p2@player.example", In_Reply_To="<real1@bank.example>"),
                   ["drill+blue@cirt.example"])
    desk.send_mail(letter("answer", "outside@world.example", "p3@world.example"), [desk.cirt("case", "show", played)["reply_address"]])
    mail = mails(desk, played, 1)[0]
    desk.settle()
    assert desk.cirt("mail", "show", mail["id"])["exercise"] == "blue"
    assert desk.cirt("case", "show", real)["mails"] == []
    assert {report["title"]: report for report in desk.reports()}[f"[CIRT-XX {real}] from the drill"]["exercise"] == "blue"


def test_a_reply_that_came_first_finds_its_case(desk):
    """It lands before the mail that it answers, and so as a report; it is linked once that has a case, or told where it has one of its own."""
    desk.send_mail(letter("Your question", "abuse@hoster.example", "early2@hoster.example", In_Reply_To="<early1@bank.example>"))
    desk.settle()
    [early] = [report["id"] for report in desk.reports() if report["title"] == "Your question"]
    number = new_case(desk, "Kit of the late mail", "early1@bank.example")

    def linked():
        report = desk.cirt("report", "show", early)
        return number in (report["case"], report["probably"])

    wait_for(linked, 60, "the reply to be linked", every=0.5)
    balanced(desk)


def test_spam_expires_by_itself(make_daemon):
    """What is kept for an hour and came long ago goes, and the books say so."""
    desk = make_daemon(sections=dict(HOPS, spam={**HOPS["spam"], "keep": "1h", "sender_limit": 2})).start()
    for number in range(4):
        desk.send_mail(letter(f"bulk {number}", "n@bulk.example", f"n{number}@bulk.example", text=f"See 192.0.2.{number}"))
    items = balanced(desk)
    assert items["spam"] == 2 and items["reports"] == 2
    assert "more than 2 mails" in desk.cirt("spam", "review")["items"][0]["reason"]
    desk.psql("UPDATE cirt.spam SET received = received - interval '2 hours'")
    assert desk.stop() == 0
    desk.start()
    wait_for(lambda: desk.cirt("spam", "review")["kept"] == 0, 60, "the spam to go")
    assert desk.psql("SELECT sum(spam), sum(spam_expired) FROM cirt.ledger_day") == [["2", "2"]]
    assert desk.psql("SELECT count(*) FROM cirt.item WHERE kind = 'spam'") == [["0"]]
    assert balanced(desk)["spam"] == 2
    assert desk.cirt("ledger")["spam_expired"] == 2


def archive(count, large=0, year=2026):
    """An mbox of so many mails, one of them of `large` bytes, each about another address."""
    for number in range(count):
        text = f"Seen: 10.{number >> 16}.{number >> 8 & 255}.{number & 255}\n\n>From here on nothing, from archive {year}.\n"
        if large and number == count // 2:
            text += "From the log, one of very many lines\n" * (large // 37)
        yield (f"From a{number}@archive{year}.example Mon Nov 23 08:00:00 {year}\nFrom: a{number}@archive{year}.example\n"
               f"Message-ID: <{number}@archive{year}.example>\nSubject: archived {year} {number}\n"
               f"Date: Mon, 23 Nov {year} 08:00:00 +0000\n\n{text}\n")


def test_trap_01_an_import_goes_on_where_it_stopped(make_daemon, open_folder):
    """A client and a spool that are killed, and a mail of 17 MB: each mail is there once."""
    desk = make_daemon().start()
    path = open_folder / "old.mbox"
    path.write_text("".join(archive(3000, large=17_000_000)))

    def entries():
        return desk.cirt("ledger")["entries"]["received"]

    for n, stop in enumerate(("client", "spool"), 1):
        with contextlib.closing(DeskRelay(desk.socket, 60)) as relay:
            client = subprocess.Popen([str(desk.programs.cirt), "--socket", str(relay.path), "submit", str(path)], env=desk.environment(),
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for(lambda: entries() == n * 60, 120, "some mails to be taken in")
            if stop == "client":
                client.kill()
            else:
                os.kill(desk.room_pid("spool"), signal.SIGKILL)
            assert client.wait(60) != 0
        wait_for(lambda: desk.cirt_try("status"), 30, "the desk")
    assert entries() == 120
    wait_for(lambda: desk.cirt("submit", path, check=False, timeout=200).returncode == 0, 250, "the rest", every=1)
    assert desk.settle(120)["entries"]["received"] == 3000
    assert desk.psql("SELECT count(*), count(DISTINCT title) FROM cirt.report WHERE title LIKE 'archived%'") == [["3000", "3000"]]
    assert desk.psql("SELECT max(size) > 17000000 FROM cirt.ledger") == [["t"]]
    assert desk.cirt("submit", path)["items"][0]["entries"] == []
    assert desk.psql("SELECT count(*) FROM cirt.report WHERE text LIKE '%From here on nothing%' AND text NOT LIKE '%>From%'") == [["3000"]]


def test_trap_11_ten_years_of_old_mail_are_clamped(desk, open_folder):
    """Old mail is not of ten years ago for folding and retention; its own date stays in the mail."""
    path = open_folder / "ancient.mbox"
    path.write_text("".join(archive(3, year=2016)))
    desk.cirt("submit", path)
    desk.settle()
    assert desk.psql("SELECT count(*), bool_and(first_seen > received - interval '31 days') FROM cirt.report"
                     " WHERE title LIKE 'archived 2016%'") == [["3", "t"]]


def test_maildir_is_taken_in_once_whatever_its_flags(desk, open_folder):
    """new/ and cur/ in order of time; mails that were read meanwhile are still known, new ones are taken."""
    box = open_folder / "box"
    for part in ("new", "cur", "tmp"):
        (box / part).mkdir(parents=True)
    for number, name in enumerate(("cur/1795000002.M1.host:2,S", "new/1795000001.M2.host", "new/999999999.M3.host", "tmp/1.M4.host")):
        (box / name).write_text(letter(f"maildir {number}", f"m{number}@box.example", f"m{number}@box.example", text=f"See 10.9.9.{number}"))
    before = desk.settle()["entries"]["received"]
    first = desk.cirt("submit", box)["items"]
    assert len(first) == 1 and len(first[0]["entries"]) == 3 and first[0]["known"] == 0
    desk.settle()
    assert [row[0] for row in desk.psql("SELECT title FROM cirt.report WHERE title LIKE 'maildir%' ORDER BY sequence")] == [
        "maildir 2", "maildir 1", "maildir 0"]
    (box / "new/1795000001.M2.host").rename(box / "cur/1795000001.M2.host:2,RS")
    (box / "new/1795000005.M9.host").write_text(letter("maildir 9", "m9@box.example", "m9@box.example", text="See 10.9.9.9"))
    again = desk.cirt_text("submit", box)
    assert "1 mails taken in, 3 were taken in before, 0 failed" in again.stdout
    assert desk.settle()["entries"]["received"] == before + 4
    assert desk.cirt("submit", open_folder, check=False).returncode == 1


def test_what_was_answered_is_read(desk):
    """Our own address is a mailbox too; a mail that was answered is not unread though nobody has taken its case."""
    before = desk.cirt("today")["people"]["unread"]
    desk.send_mail(letter("Answered story", "own@bank.example", "own1@bank.example"), ["cirt@cirt.example"])
    number = wait_for(lambda: next((case["number"] for case in desk.all_pages("case", "list", "--unread") if case["title"] == "Answered story"), None))
    assert desk.cirt("today")["people"]["unread"] == before + 1
    desk.psql("UPDATE cirt.report_status s SET state = 'answered' FROM cirt.case_report c JOIN cirt.cases x ON x.id = c.case_id"
              f" WHERE c.report = s.report AND x.number = '{number}'")
    assert desk.cirt("today")["people"]["unread"] == before
    assert number not in [case["number"] for case in desk.all_pages("case", "list", "--unread")] and desk.cirt("case", "show", number)["state"] == "new"
