"""Mail out: what the courier makes of the outbox, and what it does when servers, couriers and keys misbehave."""
import csv
import email
import email.policy
import io
import json
import os
import signal
import subprocess
import zipfile

import pytest

import keyring
from harness import wait_for
from outbox import Outbox
from smtp_server import SmtpServer


def mail_out(server, **more):
    return {"server": f"smtp://127.0.0.1:{server.port}", "tls": "off", "from": "cirt@cirt.example", "name": "CIRT Exampleland",
            "timeout": "2s", "backoff": "200ms", **more}


@pytest.fixture
def server():
    server = SmtpServer()
    yield server
    server.close()


@pytest.fixture
def make_office(make_daemon, server):
    def make(conf=None, **options):
        daemon = make_daemon(sections={"mail_out": mail_out(server, **(conf or {})), **options})
        daemon.start()
        daemon.add_sensor()
        return Outbox(daemon)
    return make


@pytest.fixture
def office(make_office):
    return make_office()


def parts(message):
    return [part for part in message.walk() if not part.is_multipart()]


def text_of(message):
    return parts(message)[0].get_content().replace("\r\n", "\n")


def attachment(message):
    found = [part for part in parts(message) if part.get_filename()]
    assert len(found) == 1, message
    return found[0].get_filename(), found[0].get_payload(decode=True)


def test_a_notice_is_sent_once_and_told(office, server):
    contact = office.contact(name="Zoë Müller", organisation="Spital »Süd«")
    reports = office.reports(3)
    mail = office.mail(contact, reports=reports)
    row = office.wait(mail, "sent")
    message, = server.messages()
    assert row["number"].startswith("N2") and row["reply"].startswith("250 2.0.0")
    assert message["Message-ID"] == row["message_id"]
    assert message["Subject"].startswith(f"[TLP:AMBER] [{row['number']}] Security findings")
    assert message["X-TLP"] == "TLP:AMBER" and message["Auto-Submitted"] == "auto-generated"
    assert message["To"].addresses[0].display_name == "Zoë Müller"
    assert message["From"].addresses[0].display_name == "CIRT Exampleland"
    assert message["Reply-To"].addresses[0].addr_spec.startswith(f"case+{row['number']}-")
    sender, recipient, _, _ = server.mails[0]
    assert sender.startswith(f"bounce+{row['number']}-") and sender.endswith("@cirt.example") and recipient == "soc@hospital.example"
    text = text_of(message)
    assert text.startswith("TLP:AMBER\n") and "Spital »Süd«" in text and "{" not in text
    name, data = attachment(message)
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert name == f"{row['number']}.csv" and {one["ip"] for one in rows} == {"203.0.113.1", "203.0.113.2", "203.0.113.3"}
    assert all(one["last"].endswith("Z") and one["report"] for one in rows)
    assert office.one(f"SELECT count(*) FROM disclosure WHERE outbox = {mail} AND told IS NOT NULL") == "3"
    assert "sent" in office.sql(f"SELECT action FROM journal WHERE object = 'outbox/{row['number']}'")


def test_languages_formats_and_classes(office, server):
    reports = office.reports(2)
    french = office.mail(office.contact(email="a@fr.example", language="fr-CA"), "a@fr.example", reports, language="fr-CA", format="inline")
    office.wait(french, "sent")
    spanish = office.mail(office.contact(email="a@es.example", language="es"), "a@es.example", reports, language="es", format="xarf")
    office.wait(spanish, "sent")
    other = office.mail(office.contact(email="a@fi.example", language="fi"), "a@fi.example", reports, language="fi")
    office.wait(other, "sent")
    first, second, third = server.messages()
    assert "203.0.113.1" in text_of(first) and "Répondez" in text_of(first) and len(parts(first)) == 1
    assert "Responda" in text_of(second) and "Answer this mail" in text_of(third)
    files = [json.loads(part.get_payload(decode=True)) for part in parts(second) if part.get_filename()]
    assert {one["source_identifier"] for one in files} == {"203.0.113.1", "203.0.113.2"}
    assert all(one["xarf_version"] == "4.2.0" and one["reporter"]["domain"] == "cirt.example" for one in files)


def test_header_injection_by_names_and_subjects(office, server):
    """Line feeds cannot come in by the register; by the fields of a mail they can, and end as blanks."""
    contact = office.contact(name='x" <evil@evil.example>, "y', organisation="=?UTF-8?B?Zm9v?= Ltd")
    mail = office.mail(contact, kind="mail", fields={"subject": "hello\r\nBcc: evil@evil.example\r\n\r\nbody " + "x" * 2000, "text": "a\r\n.\r\nQUIT"})
    office.wait(mail, "sent")
    (_, recipient, data, _), = server.mails
    message, = server.messages()
    head = data.split(b"\r\n\r\n")[0]
    assert recipient == "soc@hospital.example" and message["Bcc"] is None and len(message["To"].addresses) == 1
    assert message["To"].addresses[0].addr_spec == "soc@hospital.example"
    assert sorted(name.lower() for name in message.keys()) == sorted({name.lower() for name in message.keys()})
    assert all(len(line) <= 78 for line in head.split(b"\r\n")) and all(len(line) <= 998 for line in data.split(b"\r\n"))
    assert "\n.\nQUIT" in text_of(message)


def test_one_refused_recipient_does_not_keep_the_others(office, server):
    server.refused = {"gone@hospital.example"}
    reports = office.reports(1)
    contact = office.contact(email="gone@hospital.example")
    bad = office.mail(contact, "gone@hospital.example", reports)
    good = [office.mail(office.contact(email=f"a{n}@x.example", organisation=f"Org {n}"), f"a{n}@x.example", reports) for n in range(5)]
    row = office.wait(bad, "failed")
    for mail in good:
        office.wait(mail, "sent")
    assert "550 5.1.1" in row["why"] and row["attempts"] == 1
    assert row["number"] in office.alarms("notice-failed")
    assert office.one(f"SELECT bounced IS NOT NULL FROM contact WHERE id = {contact}") == "t"
    assert len(server.taken()) == 5 and server.sessions <= 4


def test_later_is_tried_again_and_content_is_not(office, server):
    server.plan = ["later", "later", "take", "content"]
    reports = office.reports(1)
    contact = office.contact()
    row = office.wait(office.mail(contact, reports=reports), "sent")
    assert row["attempts"] == 3 and len(server.mails) == 1 and row["why"] == ""
    row = office.wait(office.mail(contact, reports=reports), "failed")
    assert "554" in row["why"] and office.one(f"SELECT bounced IS NULL FROM contact WHERE id = {contact}") == "t"


def test_given_up_when_its_time_is_over(make_office, server):
    office = make_office({"retry": "2s"})
    server.otherwise = "later"
    row = office.wait(office.mail(office.contact(), reports=office.reports(1)), "failed")
    assert "given up" in row["why"] and row["attempts"] >= 2
    assert "given up" in office.alarms("notice-failed")


@pytest.mark.parametrize("how", ["hang", "drop"])
def test_no_answer_to_a_mail_sends_the_same_bytes_again(office, server, how):
    server.plan = [how, how, "take"]
    row = office.wait(office.mail(office.contact(), reports=office.reports(2)), "sent", 60)
    assert len(server.mails) == 3 and len({data for _, _, data, _ in server.mails}) == 1
    assert "sent again" in row["reply"] and row["message_id"].encode() in server.mails[0][2]
    assert office.one(f"SELECT count(*) FROM disclosure WHERE outbox = {row['id']} AND told IS NOT NULL") == "2"


def kill_courier(daemon):
    os.kill(daemon.room_pid("courier"), signal.SIGKILL)


def test_kill_between_the_mail_and_its_commit(office, server):
    """The server has it, and the courier dies before the database knows: the same bytes come again, under one Message-ID."""
    server.gate.clear()
    mail = office.mail(office.contact(), reports=office.reports(2))
    wait_for(lambda: server.mails, 30, "the mail at the server")
    kill_courier(office.daemon)
    server.gate.set()
    row = office.wait(mail, "sent", 60)
    assert len({data for _, _, data, _ in server.mails}) == 1 and len(server.mails) == 2
    assert "sent again" in row["reply"] and row["attempts"] == 2


def test_kills_at_any_moment_lose_and_change_nothing(office, server):
    reports = office.reports(40)
    contacts = [office.contact(email=f"k{n}@x.example", organisation=f"Org {n}") for n in range(20)]
    mails = [office.mail(contact, f"k{n}@x.example", reports) for n, contact in enumerate(contacts)]
    for seen in (1, 4, 8, 13):
        wait_for(lambda: len(server.mails) >= seen, 60, f"{seen} mails")
        pid = office.daemon.room_pid("courier")
        kill_courier(office.daemon)
        wait_for(lambda: office.daemon.room_pid("courier") not in (None, pid), 30, "the courier")
    for mail in mails:
        office.wait(mail, "sent", 90)
    by_recipient = {}
    for _, recipient, data, _ in server.mails:
        by_recipient.setdefault(recipient, set()).add(data)
    assert len(by_recipient) == 20 and all(len(versions) == 1 for versions in by_recipient.values())
    assert office.one("SELECT count(*) FROM disclosure WHERE told IS NULL") == "0"


def test_what_may_not_leave_any_more_is_left_out(office, server):
    first, second, third = office.reports(3)
    mail = office.mail(office.contact(), reports=[first, second, third], state="ready")
    office.daemon.psql(f"UPDATE report SET tlp = 'red' WHERE id = {second}")
    office.daemon.psql(f"UPDATE outbox SET state = 'queued' WHERE id = {mail}")
    office.wait(mail, "sent")
    rows = list(csv.DictReader(io.StringIO(attachment(server.messages()[0])[1].decode())))
    assert len(rows) == 2
    assert office.one(f"SELECT left_out FROM disclosure WHERE outbox = {mail} AND report = {second}") == "it may leave in its sanitised form only"
    alone = office.mail(office.contact(), reports=[first], state="ready")
    office.daemon.psql(f"UPDATE report SET tlp = 'red' WHERE id = {first}; UPDATE outbox SET state = 'queued' WHERE id = {alone}")
    assert "may leave" in office.wait(alone, "held")["why"]


def test_made_and_then_forbidden_is_held(office, server):
    server.otherwise = "later"
    report, = office.reports(1)
    mail = office.mail(office.contact(), reports=[report])
    wait_for(lambda: office.row(mail)["attempts"] > 0, 30, "an attempt")
    office.daemon.psql(f"UPDATE report SET tlp = 'red' WHERE id = {report}")
    row = office.wait(mail, "held")
    assert "may not leave" in row["why"] and not server.mails and row["number"] in office.alarms("notice-held")


def test_nothing_is_sent_where_no_server_is_named(make_daemon):
    daemon = make_daemon().start()
    daemon.add_sensor()
    office = Outbox(daemon)
    mail = office.mail(office.contact(), kind="mail", fields={"subject": "s", "text": "t"})
    courier, = [room for room in daemon.cirt("status")["rooms"] if room["name"] == "courier"]
    wait_for(lambda: [room for room in daemon.cirt("status")["rooms"] if room["name"] == "courier"][0]["counters"].get("not_configured") == 1,
             20, "the courier to say so")
    assert courier["state"] == "running" and office.row(mail)["state"] == "queued"
    assert "not configured" in daemon.cirt_text("status").stdout


def test_a_server_that_is_not_there_is_an_alarm_until_it_is(make_office, server):
    office = make_office()
    port = server.port
    server.close()
    mail = office.mail(office.contact(), reports=office.reports(1))
    wait_for(lambda: "no mail can be sent" in office.alarms("mail-server"), 30, "the alarm")
    assert office.row(mail)["state"] == "queued"
    again = SmtpServer(port)
    try:
        office.wait(mail, "sent", 60)
        wait_for(lambda: not office.alarms("mail-server"), 10, "the alarm to be over")
    finally:
        again.close()


def test_exercise_is_marked_everywhere(office, server):
    office.daemon.psql("INSERT INTO exercise (id, name) VALUES (7, 'Winter Storm')")
    office.daemon.psql("INSERT INTO exercise_directory VALUES (7, 'blue@drill.example')")
    mail = office.mail(address="blue@drill.example", kind="mail", exercise=7, fields={"subject": "inject 1", "text": "Servers are down."})
    office.wait(mail, "sent")
    message, = server.messages()
    assert message["Subject"].startswith("[EXERCISE Winter Storm] [TLP:AMBER]") and message["X-Exercise"] == "Winter Storm"
    assert text_of(message).count("EXERCISE EXERCISE EXERCISE: Winter Storm") == 2


def test_a_bad_template_is_named_by_file_and_line(make_daemon, open_folder):
    folder = open_folder / "templates"
    (folder / "en").mkdir(parents=True)
    (folder / "en" / "notice.txt").write_text("Subject: {number}\n\nHello\n{organization}\n")
    daemon = make_daemon(sections={"mail_out": {"templates": str(folder)}})
    done = subprocess.run([*daemon.command(), "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{folder}/en/notice.txt:4: {{organization}}: a field of a mail of kind notice was expected: number" in done.stderr


def test_a_notice_of_100000_rows_is_zipped_in_bounded_memory(office, server):
    """The rows are put there by SQL: it is their number that matters."""
    template, = office.reports(1)
    mail = office.mail(office.contact(), state="ready", reports=[template])
    office.daemon.psql(f"""ALTER TABLE disclosure DISABLE TRIGGER USER;
        DO $do$ DECLARE others text := (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = 'report'::regclass AND attnum > 0 AND attname <> 'id' AND NOT attisdropped);
        BEGIN EXECUTE format('INSERT INTO report (id, %1$s) SELECT id + n, %1$s FROM report, generate_series(1, 99999) AS n WHERE id = {template}', others); END $do$;
        INSERT INTO disclosure (report, outbox, cause, recipient, form, tlp, version, content)
            SELECT d.report + n, d.outbox, d.cause, d.recipient, d.form, d.tlp, d.version, d.content || jsonb_build_object('port', n % 65536)
            FROM disclosure d, generate_series(1, 99999) AS n WHERE d.outbox = {mail};
        ALTER TABLE disclosure ENABLE TRIGGER USER""")
    office.daemon.psql(f"UPDATE outbox SET state = 'queued' WHERE id = {mail}")
    office.wait(mail, "sent", 240)
    name, data = attachment(server.messages()[0])
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert name.endswith(".csv.zip") and archive.testzip() is None
    rows = archive.read(archive.namelist()[0]).decode().splitlines()
    assert len(rows) == 100001
    with open(f"/proc/{office.daemon.room_pid('courier')}/status", encoding="ascii") as file:
        peak = int([line for line in file if line.startswith("VmHWM")][0].split()[1])
    assert len("\r\n".join(rows)) > 8 << 20
    assert peak < 400_000  # kB, with a sanitizer's shadow


needs_gpg = pytest.mark.skipif(not os.path.exists("/usr/bin/gpg"), reason="GnuPG is not installed")


@needs_gpg
def test_encrypted_to_who_has_a_key_and_held_for_who_must_have_one(make_office, server):
    """GnuPG on the other side: it decrypts, the signature is ours, and nothing of the rows stands outside."""
    ring = keyring.Keyring()
    try:
        ring.make("CIRT <cirt@cirt.example>")
        ours, theirs = ring.fingerprint("cirt@cirt.example"), ring.make("SOC <soc@hospital.example>")
        old = ring.make("Old <old@bank.example>", expire="2d", clock="20260101T000000")
        office = make_office({"pgp_key": ours})
        for key in (ring.public("soc@hospital.example"), ring.public("old@bank.example"), ring.secret("cirt@cirt.example")):
            office.daemon.cirt_text("key", "import", "-", stdin=key.decode())
        reports = office.reports(2)
        locked = office.mail(office.contact(pgp=theirs, policy="required"), reports=reports)
        wait_for(lambda: "locked" in office.row(locked)["why"], 30, "the mail to wait for our key")
        office.daemon.cirt_text("key", "unlock", stdin=keyring.PASSPHRASE + "\n")
        office.daemon.psql(f"UPDATE outbox SET next_try = now() WHERE id = {locked}")
        row = office.wait(locked, "sent", 60)
        message, = server.messages()
        data = server.mails[0][2]
        assert row["sealed"] == f"openpgp {theirs}" and message.get_content_type() == "multipart/encrypted"
        assert b"203.0.113" not in data and "Security findings" not in message["Subject"] and row["number"] in message["Subject"]
        done = subprocess.run(["gpg", "--homedir", str(ring.folder), "--batch", "--pinentry-mode", "loopback", "--passphrase", keyring.PASSPHRASE,
                               "--status-fd", "2", "--decrypt"], input=parts(message)[1].get_payload(decode=True), capture_output=True, check=True)
        assert f"VALIDSIG {ours}".encode() in done.stderr
        inside = email.message_from_bytes(done.stdout, policy=email.policy.default)
        assert "Security findings" in inside["Subject"] and b"203.0.113.1" in attachment(inside)[1]
        held = office.mail(office.contact(name="Old", organisation="Bank", email="old@bank.example", pgp=old, policy="required",
                                          phone="+99 555 0101"), "old@bank.example", reports)
        row = office.wait(held, "held", 60)
        assert "expired" in row["why"] and row["waits_for"] == "key" and "+99 555 0101" in office.alarms("notice-phone")
        note = int(office.one(f"SELECT id FROM outbox WHERE kind = 'key-waits' AND fields ->> 'waits' = '{row['number']}'"))
        office.wait(note, "sent", 60)
        plain = server.messages()[1]
        assert plain.get_content_type() == "multipart/signed" and "203.0.113" not in server.mails[1][2].decode()
        assert row["number"] in text_of(plain)
        second = office.contact(name="Second", organisation="Bank", email="soc@hospital.example", pgp=theirs, policy="required")
        other = office.mail(office.contact(name="Old", organisation="Bank", email="old@bank.example", pgp=old, policy="required"), "old@bank.example", reports)
        row = office.wait(other, "sent", 60)
        assert row["contact"] == second and row["address"] == "soc@hospital.example" and "expired" in row["why"]
    finally:
        ring.remove()
