"""Whoever has an acknowledgement can be told what became of it: by each door, waiting, folded, quarantined, run again."""
import email.message
import hashlib
import json
import os
import signal
import subprocess
import uuid

import pytest

from harness import FeedServer, mail, native, wait_for


def entry_of(reply):
    return reply.rsplit(" ", 1)[-1]


def fate(receipt):
    return [(one["item"], one["became"]) for one in receipt["items"]]


@pytest.mark.parametrize("smtp", [False, True])
def test_mail(daemon, smtp):
    reply = daemon.send_mail(mail(f"Phish by {smtp}", f"see http://{smtp}.evil.example/{smtp}".lower()), recipients=["phish@cirt.example"], smtp=smtp)
    daemon.settle()
    entry = entry_of(reply)
    for text in ([entry], [f"[{entry}]"], [f"250 {reply}"], ["250", *reply.split()], [f"status=sent (250 {reply})"]):
        receipt = daemon.cirt("receipt", *text)
        assert (receipt["entry"], receipt["state"], receipt["source"]) == (entry, "processed", "phish")
    assert len(receipt["digest"]) == 64 and receipt["size"] > 100 and receipt["landed"] >= receipt["received"][:10]
    assert json.loads(receipt["envelope"])["door"] == ("smtp" if smtp else "lmtp")
    assert fate(receipt) == [(0, "report")] and receipt["counts"]["reports"] == 1
    report = daemon.cirt("report", "show", receipt["items"][0]["report"])
    assert report["entry"] == entry
    shown = daemon.cirt_text("receipt", entry).stdout
    assert entry in shown and report["id"] in shown and "processed" in shown


def test_one_mail_to_two_mailboxes_has_two_receipts(daemon):
    """SMTP has one reply for both; pasted, it answers for the first and names the other."""
    reply = daemon.send_mail(mail("To both", "see http://both.evil.example/"), recipients=["phish@cirt.example", "report@cirt.example"],
                             smtp=True)
    daemon.settle()
    first, second = reply.split()[-2:]
    receipt = daemon.cirt("receipt", f"250 {reply}")
    assert (receipt["entry"], receipt["also"]) == (first, [second])
    assert {receipt["source"], daemon.cirt("receipt", second)["source"]} == {"phish", "report"}
    assert daemon.cirt("receipt", second)["also"] is None
    assert f"cirt receipt {second}" in daemon.cirt_text("receipt", reply).stdout


def test_submitted_file(daemon, open_folder):
    path = open_folder / "a.eml"
    path.write_bytes(mail("Submitted", "see http://submitted.example/x"))
    entries = daemon.cirt("submit", path)["items"][0]["entries"]
    daemon.settle()
    receipt = daemon.cirt("receipt", *entries)
    assert receipt["state"] == "processed" and json.loads(receipt["envelope"])["door"] == "submit"
    assert fate(receipt) == [(0, "report")]


def test_page_of_a_feed(daemon, certificates):
    bundle = {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [
        {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}", "created": "2026-11-22T10:00:00Z",
         "modified": "2026-11-22T10:00:00Z", "pattern": "[ipv4-addr:value = '203.0.113.77']", "pattern_type": "stix",
         "valid_from": "2026-11-22T10:00:00Z"}]}
    server = FeedServer(certificates, {"/f.json": lambda request: (200, {}, json.dumps(bundle).encode())})
    try:
        daemon.cirt("source", "add", "list-1", "--kind", "feed", "--match", server.url("/f.json"), "--interval", 3600)
        reports = wait_for(lambda: daemon.cirt("report", "list", "--source", "list-1")["items"], 60, "the feed's report")
        entry = daemon.cirt("report", "show", reports[0]["id"])["entry"]
        receipt = daemon.cirt("receipt", entry)
        assert receipt["source"] == "list-1" and [one["report"] for one in receipt["items"] if one["became"] == "report"] == [
            reports[0]["id"]]
    finally:
        server.close()
        daemon.cirt("source", "disable", "list-1")


def test_line_of_a_sensor_and_what_it_was_folded_into(daemon):
    session = str(uuid.uuid4())
    lines = [native(n, identifier="receipt-line", source={"ip": "203.0.113.9"}) for n in range(3)]
    daemon.send_lines(lines, session=session)
    daemon.settle()
    with daemon.sensor(session=session) as sensor:
        assert sensor.sent == 3
        sensor.send([native(7, identifier="receipt-line", source={"ip": "203.0.113.9"}), b"{broken",
                     native(8, identifier="receipt-other", source={"ip": "203.0.113.10"})])
        sensor.wait_ack(6)
    daemon.settle()
    report = [one["id"] for one in daemon.reports() if one["identifier"] == "receipt-line"]
    assert len(report) == 1
    for line, became in ((1, "report"), (2, "folded"), (3, "folded"), (4, "folded"), (5, "quarantined"), (6, "report")):
        receipt = daemon.cirt("receipt", f"{session}:{line}")
        assert receipt["line"] == line
        assert [one["became"] for one in receipt["items"]] == [became], (line, receipt["items"])
        if line < 5:
            assert receipt["items"][0]["report"] == report[0]
    broken = daemon.cirt("receipt", f"{session}:5")["items"][0]
    assert broken["state"] == "quarantined" and broken["reason"] and broken["quarantine"]
    # Another way to the same: the entry's own number lists all of it.
    whole = daemon.cirt("receipt", receipt["entry"])
    assert len(whole["items"]) == whole["counts"]["found"]
    assert daemon.cirt("receipt", f"{session}:7", check=False).returncode == 3


def test_pages_of_items(daemon):
    session = str(uuid.uuid4())
    daemon.send_lines([native(n, identifier=f"page-{n}", source={"ip": f"198.51.100.{n}"}) for n in range(10)], session=session)
    daemon.settle()
    entry = daemon.cirt("receipt", f"{session}:1")["entry"]
    found = daemon.cirt("receipt", entry)["counts"]["found"]
    items, cursor = [], None
    while True:
        page = daemon.cirt("receipt", entry, "--limit", 3, *(["--cursor", cursor] if cursor else []))
        assert len(page["items"]) <= 3
        items += page["items"]
        cursor = page["next"]
        if not cursor:
            break
    assert [one["item"] for one in items] == list(range(found))


def test_quarantined_released_run_again_and_discarded(daemon):
    session = str(uuid.uuid4())
    daemon.send_lines([b'{"v":1,"type":"no-such-type","source":{"ip":"203.0.113.1"}}', b"{no json"], session=session)
    daemon.settle()
    entry = daemon.cirt("receipt", f"{session}:1")["entry"]
    rows = [daemon.cirt("receipt", f"{session}:{n}")["items"][0]["quarantine"] for n in (1, 2)]
    # Somebody mends it; here the bytes themselves, so that the re-run finds a report.
    daemon.psql(f"UPDATE cirt.quarantine SET bytes = convert_to('{json.dumps(native(1, identifier='mended'))}', 'UTF8') WHERE id = {rows[0]}")
    again = daemon.cirt("quarantine", "release", rows[0])["items"][0]["entry"]
    daemon.cirt("quarantine", "discard", rows[1], "--reason", "noise")
    daemon.settle()
    receipt = daemon.cirt("receipt", f"{session}:1")
    assert receipt["items"][0]["state"] == "processed" and receipt["items"][0]["acted"]["act"] == "release"
    rerun, = [one for one in receipt["reruns"] if one["quarantine"] == rows[0]]
    assert rerun["entry"] == again
    assert [one["became"] for one in rerun["items"]] == ["report"]
    mended = daemon.cirt("report", "show", rerun["items"][0]["report"])
    assert mended["identifier"] == "mended"
    own = daemon.cirt("receipt", again)
    assert own["rerun_of"] == {"quarantine": rows[0], "entry": entry}
    gone = daemon.cirt("receipt", f"{session}:2")["items"][0]
    assert (gone["state"], gone["acted"]["act"], gone["acted"]["reason"]) == ("discarded", "discard", "noise")
    shown = daemon.cirt_text("receipt", entry).stdout
    assert again in shown and mended["id"] in shown


def test_what_nobody_was_told(daemon):
    for unknown in ("20261122-00000000-1", "20200101-ffffffff-999999", f"{uuid.uuid4()}:1"):
        done = daemon.cirt_text("receipt", unknown, check=False)
        assert done.returncode == 3 and "queued as ID" in done.stderr, done
    for wrong in ("202611-17", "hello", '{"ack":5}'):
        done = daemon.cirt_text("receipt", wrong, check=False)
        assert done.returncode == 2 and "SESSION:" in done.stderr, done


def test_pending_and_the_database_away(make_daemon):
    """Asked while it waits and nobody can reach the database, and again when that is back."""
    daemon = make_daemon().start()
    daemon.add_sensor()
    before = entry_of(daemon.send_mail(mail("Before", "see http://before.example/"), recipients=["phish@cirt.example"]))
    daemon.settle()
    # A server of another version is not started: the database stays away.
    version = daemon.folder / "state" / "postgres" / "PG_VERSION"
    right = version.read_text()
    version.write_text("9\n")
    os.kill(daemon.postmaster(), signal.SIGKILL)
    wait_for(lambda: not daemon.cirt("status")["database"]["up"], 60, "the database to be away")
    session = str(uuid.uuid4())
    reply = daemon.send_mail(mail("Meanwhile", "see http://meanwhile.example/"), recipients=["phish@cirt.example"])
    daemon.send_lines([native(1, identifier="meanwhile")], session=session)
    waiting = daemon.cirt("receipt", f"250 {reply}")
    assert waiting["items"] == [] and waiting["next"] is None
    assert (waiting["entry"], waiting["state"], waiting["source"]) == (entry_of(reply), "pending", "phish")
    assert len(waiting["digest"]) == 64 and waiting["size"] > 100
    assert "waits" in daemon.cirt_text("receipt", reply).stdout
    assert daemon.cirt("receipt", before)["state"] == "landed"
    line = daemon.cirt("receipt", f"{session}:1")
    assert (line["state"], line["source"], line["line"]) == ("taken", "sensor-1", 1)
    unknown = daemon.cirt_text("receipt", "20261122-00000000-1", check=False)
    assert unknown.returncode == 1 and "database is away" in unknown.stderr
    letter = daemon.folder / "meanwhile.eml"
    letter.write_bytes(mail("By hand", "see http://by-hand.example/"))
    assert len(daemon.cirt("submit", letter)["items"][0]["entries"]) == 1 and "the journal was not told" in daemon.log_text()
    version.write_text(right)
    daemon.stop()
    daemon.start()
    daemon.settle()
    for text in (reply, before):
        receipt = daemon.cirt("receipt", text)
        assert receipt["state"] == "processed" and fate(receipt) == [(0, "report")]
        assert receipt["digest"] == waiting["digest"] or text == before
    assert daemon.cirt("receipt", f"{session}:1")["items"][0]["became"] == "report"


def attached(name, content):
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@mail.example", "phish@cirt.example", f"With {name}"
    message["Message-ID"] = f"<{uuid.uuid4()}@mail.example>"
    message.set_content(f"see {name}.evil.example")
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def test_evidence_is_fetched_whole_and_that_is_recorded(daemon, open_folder):
    """Over several pieces; the file is new, whole and not executable; who fetched it stands in the journal."""
    content = os.urandom(5_000_000)
    digest = hashlib.sha256(content).hexdigest()
    daemon.send_mail(attached("big.bin", content), recipients=["phish@cirt.example"])
    daemon.settle()
    target = open_folder / "got.bin"
    assert daemon.cirt("evidence", "get", digest, "--output", target) == {"output": str(target), "size": len(content)}
    assert target.read_bytes() == content and target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in open_folder.iterdir()] == ["got.bin"]
    rows = daemon.psql(f"SELECT actor, action, after FROM cirt.journal WHERE object = 'evidence/{digest}' ORDER BY n")
    assert [json.loads(row[2])["offset"] for row in rows] == [0, 2 << 20, 4 << 20] and {row[1] for row in rows} == {"fetched"}
    again = daemon.cirt_text("evidence", "get", digest, "--output", target, check=False)
    assert again.returncode == 1 and "exists" in again.stderr and target.read_bytes() == content
    piped = subprocess.run([str(daemon.programs.cirt), "--socket", str(daemon.socket), "evidence", "get", digest.upper()],
                           capture_output=True, check=True, env=daemon.environment())
    assert piped.stdout == content


def test_evidence_never_goes_to_a_terminal(daemon):
    digest = hashlib.sha256(b"x").hexdigest()
    command = f"{daemon.programs.cirt} --socket {daemon.socket} evidence get {digest}"
    done = subprocess.run(["script", "-qec", command, "/dev/null"], capture_output=True, text=True, check=False, env=daemon.environment())
    assert done.returncode == 2 and "--output" in done.stdout
    missing = daemon.cirt_text("evidence", "get", digest, check=False)
    assert missing.returncode == 3 and "no evidence" in missing.stderr
    assert daemon.cirt_text("evidence", "get", "abc", check=False).returncode == 2
