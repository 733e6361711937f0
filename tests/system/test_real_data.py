"""Real mails, bundles, lines and rules, from a folder named by CIRTD_SHARED_DATA; skipped where there is none."""
import csv
import email
import email.policy
import json
import os
import pathlib
import re
import shutil

import pytest

from harness import Daemon, native

DATA = pathlib.Path(os.environ.get("CIRTD_SHARED_DATA") or "/nonexistent")

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="CIRTD_SHARED_DATA names no folder")

CASES_PER_HOUR = 100000  # so that a flood of old mail may open what it likes


@pytest.fixture(scope="module")
def desk(programs, certificates, tmp_path_factory):
    """A daemon with the EICAR rule of the folder, and its table of networks."""
    rules = tmp_path_factory.mktemp("rules") / "rules.d"
    shutil.copytree(programs.rules, rules)
    shutil.copy(DATA / "yara" / "MALW_Eicar.yar", rules)
    daemon = Daemon(programs, certificates, rules=rules, sections={"keeper": {"case_cap": CASES_PER_HOUR}})
    shutil.copy(DATA / "net" / "libloc-ee-lv-lt-si.csv", daemon.folder / "netinfo.csv")
    daemon.start()
    daemon.add_sensor()
    yield daemon
    daemon.remove()


def mails(*folders):
    """(path, bytes) of what begins like a mail."""
    found = []
    for folder in folders:
        for path in sorted((DATA / "email" / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".json", ".pub", ".sec"):
                found.append((path, path.read_bytes()))
    assert found, folders
    return found


def send(daemon, found):
    """Send with the envelope that the mail names; what could not be sent."""
    for path, body in found:
        path = str(path.relative_to(DATA))
        sender = re.search(rb"(?im)^return-path:\s*<([^<>\s]*)>", body)
        sender = sender.group(1).decode("ascii", "replace") if sender else "sender@mail.example"
        if not re.fullmatch(r"[\x21-\x7e]*", sender):
            sender = "sender@mail.example"
        assert "2." in daemon.send_mail(body, sender=sender), path


def difference(before, after, kind):
    return {name: after[kind][name] - before[kind][name] for name in after[kind]}


@pytest.fixture(scope="module")
def mailed(desk):
    """Every mail that is no bounce has been sent: them, and what became of entries and items."""
    found = mails("abuse-reports", "arf", "mime", "spamassassin", "pgp", "eicar")
    before = desk.settle()
    send(desk, found)
    after = desk.settle(120)
    reasons = {row["reason"] for row in desk.all_pages("quarantine", "list") if row["source"] == "report"}
    return found, difference(before, after, "entries"), difference(before, after, "items"), reasons


def test_every_mail_lands(mailed):
    """Broken, spam, reports, OpenPGP: each is one item at least; what is cut off is quarantined, no mail is as a whole."""
    found, entries, items, reasons = mailed
    whole = [one for one in found if re.match(rb"\s*[!-9;-~]+[ \t]*:|From ", one[1])]
    assert entries["received"] == len(found)
    assert items["found"] >= len(whole)
    assert items["reports"] + items["folded"] + items["correspondence"] + items["spam"] >= len(whole)
    for reason in reasons:
        assert re.search(r"boundary|no part begins|not a mail|no secret key", reason), reason


def test_titles_are_readable(desk, mailed):
    """Every Subject that its sender encoded rightly stands in a title as Python's parser reads it."""
    titles = {report["title"] for report in desk.reports("--source", "report")}
    for title in ("まみむめも", "NOTE: 한국말로 하는 것", "Another PDF with 🎉 Unicode chars in it 🍿",
                  "【重要訊息】台電105年3月電費，委託金融機構扣繳成功電子繳費憑證(電號07487616730)"):
        assert title in titles, title
    for title in titles:
        assert "=?" not in title and "\n" not in title, title


def test_observables_are_what_the_mail_is_about(desk, mailed):
    """No indicator comes from Received lines, version numbers, dates, or our own address."""
    shown = json.dumps([desk.cirt("report", "show", report["id"]) for report in desk.reports("--source", "report")
                        if report["title"].startswith("Issue 1234567: [Abuse204.nl]")])
    assert "http://www.domain.tld/guestbook.html" in shown
    assert "10.0.2.2" in shown and "report.txt" in shown
    for noise in ("1.0", "127.0.0.1", "report@cirt.example"):
        assert f'"{noise}"' not in shown, noise


def test_eicar_is_found_in_both_mails(desk, mailed):
    for title in ("suspicious attachment", "forwarded suspicious mail"):
        report = [one for one in desk.reports("--source", "report") if one["title"] == title]
        assert report, title
        shown = json.dumps(desk.cirt("report", "show", report[0]["id"])).lower()
        assert "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f" in shown
        assert "malw_eicar.yar" in shown, title


def test_bounces_open_no_case(desk):
    """Not one delivery failure or auto-reply becomes a report, a notification service's own JSON apart."""
    found = [one for one in mails("bounces") if b"x-amz-sns-message-id" not in one[1]]
    before = desk.settle()
    cases = len(desk.all_pages("case", "list"))
    send(desk, found)
    after = desk.settle(120)
    items = difference(before, after, "items")
    assert items["correspondence"] == len(found)
    assert items["reports"] == items["folded"] == 0
    assert len(desk.all_pages("case", "list")) == cases


def test_feedback_reports_become_reports(desk):
    """Every mail with a feedback report is one report and its context; none is quarantined but for a boundary."""
    found = [one for one in mails("abuse-reports", "arf") if b"message/feedback-report" in one[1]]
    before = desk.settle()
    send(desk, found)
    items = difference(before, desk.settle(120), "items")
    assert len(found) > 20
    assert items["reports"] + items["folded"] == items["context"] == len(found)


def test_xarf_mails_become_reports(desk):
    """blocklist.de, Clean-MX, Netcraft: one report each; WebIron: two in one mail."""
    found = mails("abuse-reports/blocklistde", "abuse-reports/cleanmx", "abuse-reports/netcraft")
    found += [one for one in mails("abuse-reports/webiron") if b"arf_report2" in one[1]]
    before = desk.settle()
    send(desk, found)
    items = difference(before, desk.settle(120), "items")
    assert items["context"] == len(found)
    assert items["reports"] + items["folded"] == len(found) + 1
    shown = json.dumps(desk.reports("--source", "report"))
    for identifier in ("registration-bot", "harvesting", "web-attack"):
        assert f'"{identifier}"' in shown, identifier


def test_shadowserver_mails_give_every_row(desk):
    """As many reports as the tables have rows; the rest of each mail is context."""
    import io
    import zipfile
    found = mails("abuse-reports/shadowserver")
    rows = 0
    for _, body in found:
        for part in email.message_from_bytes(body, policy=email.policy.compat32).walk():
            if (part.get_filename() or "").endswith(".zip"):
                archive = zipfile.ZipFile(io.BytesIO(part.get_payload(decode=True)))
                text = archive.read(archive.namelist()[0]).decode("utf-8", "replace")
                rows += sum(1 for _ in csv.DictReader(io.StringIO(text)))
    before = desk.settle()
    send(desk, found)
    items = difference(before, desk.settle(120), "items")
    assert rows > 50 and items["reports"] + items["folded"] == rows
    assert items["context"] == 2 * len(found) and items["quarantined"] == 0
    assert {feed["feed"] for feed in desk.cirt("source", "show", "report")["feeds"]} >= {
        "shadowserver scan_redis", "shadowserver scan_memcached", "shadowserver scan_afp"}


@pytest.mark.parametrize("folder, lands", [("v4", True), ("v3", True), ("v3-abusix/positive", True), ("v3-abusix/negative", False)])
def test_xarf_files_land_or_are_told_why(desk, folder, lands):
    """What is right is a report, what is wrong is in quarantine with a reason that names the member."""
    files = sorted((DATA / "xarf" / folder).rglob("*.json"))
    known = {row["id"] for row in desk.all_pages("quarantine", "list")}
    before = desk.settle()
    for file in files:
        desk.cirt("submit", file)
    items = difference(before, desk.settle(60), "items")
    assert items["found"] == len(files) > 1
    assert items["reports"] + items["folded"] == (len(files) if lands else 0)
    fresh = [row for row in desk.all_pages("quarantine", "list") if row["id"] not in known]
    assert len(fresh) == (0 if lands else len(files))
    for row in fresh:
        assert row["stage"] == "xarf" and re.search(r"[A-Z]\w+: expected ", row["reason"]), row


def bundles(folder):
    found = sorted((DATA / "stix" / folder).rglob("*.json"))
    assert found, folder
    return found


def submit(desk, path):
    """What became of one file."""
    before = desk.settle()
    desk.cirt("submit", path)
    after = desk.settle(120)
    assert difference(before, after, "entries")["received"] == 1
    return difference(before, after, "items")


@pytest.mark.parametrize("folder", ["bundles/valid", "examples", "incident", "markings", "misp", "sco-ids", "versions"])
def test_valid_bundles_land_whole(desk, folder):
    for path in bundles(folder):
        items = submit(desk, path)
        bundle = json.loads(path.read_text())
        objects = bundle if isinstance(bundle, list) else bundle.get("objects", [bundle])
        assert items["quarantined"] == 0, path.name
        assert items["found"] == len(objects), path.name


def test_invalid_bundles_lose_one_object_with_the_reason(desk):
    """What the notes of the folder call a missing property is quarantined and named; the others land."""
    table = (DATA / "README.md").read_text()
    for path in bundles("bundles/invalid"):
        objects = json.loads(path.read_text())["objects"]
        note = re.search(rf"^\| stix/bundles/invalid/{re.escape(path.name)} .*$", table, re.M).group(0)
        items = submit(desk, path)
        assert items["found"] == len(objects), path.name
        assert items["quarantined"] >= 1, path.name
        missing = re.search(r"'([a-z_]+)' is a required property", note)
        if missing:
            assert items["quarantined"] >= 1, path.name
            newest = desk.cirt("quarantine", "list", "--limit", items["quarantined"])["items"]
            assert any(f"{missing.group(1)} is missing" in row["reason"] for row in newest), (path.name, newest)
            assert items["quarantined"] < len(objects), path.name


def submit_copy(desk, path, folder):
    """What became of a file, whether or not it was submitted before: a copy that differs in a blank."""
    copy = folder / path.name
    copy.write_bytes(path.read_bytes() + b" \n")
    return submit(desk, copy)


def test_identifiers_of_observables_are_right(desk, tmp_path):
    """Not one of the vectors is told that its properties give it another identifier."""
    submit_copy(desk, DATA / "stix" / "sco-ids" / "spec-vectors.json", tmp_path)
    vectors = json.loads((DATA / "stix" / "sco-ids" / "spec-vectors.json").read_text())
    noted = desk.psql("SELECT sender_id FROM cirt.item WHERE array_to_string(notes, ' ') LIKE '%another identifier%'")
    assert not {one["id"] for one in vectors} & {row[0] for row in noted}


def test_versions_hold_by_modified(desk, tmp_path):
    """Of the files in versions/ the latest holds, in whatever order they came."""
    latest = {}
    for path in reversed(bundles("versions")):
        submit_copy(desk, path, tmp_path)
        one = json.loads(path.read_text())
        one = one.get("objects", [one])[0]
        if "modified" in one:
            latest[one["id"]] = max(latest.get(one["id"], ""), one["modified"])
    assert latest
    for identifier, version in latest.items():
        held = desk.psql(f"SELECT version FROM cirt.stix_current WHERE id = '{identifier}'")
        assert [row[0] for row in held] == [version], identifier


def test_attack_lands_twice_with_its_versions(desk, tmp_path):
    """Two releases of 375 and 497 objects, 375 ids in common; the same again adds no version."""
    old, new = bundles("attack")
    assert submit(desk, old)["found"] == 375
    assert submit(desk, new)["found"] == 497
    versions = desk.psql("SELECT count(*) FROM cirt.stix_object")
    same = tmp_path / "same.json"
    same.write_bytes(new.read_bytes() + b"\n")
    again = submit(desk, same)
    assert again["quarantined"] == 0 and again["reports"] == 0
    assert desk.psql("SELECT count(*) FROM cirt.stix_object") == versions


def test_json_conformance_lines(desk):
    """Each text as the `extra` of a line: what is JSON lands, what is none is quarantined, and no connection ends.

    Two valid texts hold an escaped NUL, which no text of ours may: quarantined, and told so."""
    good, bad, lines = 0, 0, []
    for path in sorted((DATA / "json" / "test_parsing").glob("*.json")):
        text = path.read_bytes()
        if path.name[0] == "i" or b"\n" in text or b"\r" in text or path.stat().st_size > 10000:
            continue
        front = json.dumps(native(len(lines), identifier=path.name[:60])).encode()[:-1]
        lines.append(front + b',"extra":{"a":' + text + b"}}")
        good += path.name[0] == "y"
        bad += path.name[0] == "n"
    assert good > 40 and bad > 70
    before = desk.settle()
    desk.send_lines(lines)
    items = difference(before, desk.settle(), "items")
    landed = {report["identifier"] for report in desk.reports("--source", "sensor-1")}
    assert [name for name in landed if name.startswith("n_")] == []
    assert items["found"] == good + bad
    assert (items["reports"] + items["folded"], items["quarantined"]) == (good - 2, bad + 2)
    newest = desk.cirt("quarantine", "list", "--limit", bad + 2)["items"]
    assert sum("NUL" in row["reason"] for row in newest) == 2


def test_rules_compile_and_the_two_that_do_not_are_named(desk):
    """Files with their line for those refused; every other one stands."""
    added = []
    for path in sorted((DATA / "yara").rglob("*")):
        if path.is_file() and path.name != "MALW_Eicar.yar":
            shutil.copy(path, desk.rules / path.name)
            (desk.rules / path.name).chmod(0o644)
            added.append(path)
    refused = {path.name for path in added if path.parent.name == "does-not-compile"}
    assert len(refused) == 2 and len(added) > 20
    checked = desk.cirt_text("rules", "check", check=False)
    assert checked.returncode != 0
    for name in refused:
        assert re.search(rf"{re.escape(name)} +refused +line \d+: ", checked.stdout), checked.stdout
    assert re.search(r"\d\d files with \d\d rules: ", checked.stdout), checked.stdout
    desk.cirt_text("rules", "reload", check=False)
    listed = json.dumps(desk.cirt("rules", "list"))
    for path in added:
        assert (path.name in listed) or path.name in refused, path.name


def test_netinfo_reads_a_real_table(desk):
    """Autonomous system and country of the first and the last prefix of the table."""
    with open(DATA / "net" / "libloc-ee-lv-lt-si.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if ":" not in row["prefix"]]
    for number, row in enumerate((rows[0], rows[-1])):
        address = row["prefix"].split("/")[0].rsplit(".", 1)[0] + ".1"
        desk.send_lines([native(number, source={"ip": address}, identifier=f"net-{number}")])
        desk.settle()
        report = [one for one in desk.reports("--source", "sensor-1") if one["identifier"] == f"net-{number}"][0]
        shown = json.dumps(desk.cirt("report", "show", report["id"]))
        assert row["asn"] in shown and row["cc"] in shown, shown


def test_warninglists(programs, certificates):
    """The lists as MISP publishes them are read; what they name is known, what they do not is not."""
    daemon = Daemon(programs, certificates, plugins=("warninglist",), sections={
        "plugin warninglist": {"lists": DATA / "net" / "warninglists"}})
    try:
        daemon.start()
        daemon.add_sensor()
        daemon.send_lines([
            native(1, identifier="eicar", severity=80, source={}, observables=[
                {"type": "sha256", "value": "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f", "role": "indicator"}]),
            native(2, identifier="private", severity=80, source={"ip": "10.1.2.3"}),
            native(3, identifier="cdn", severity=80, source={"ip": "103.21.244.9"}),
            native(4, identifier="public", severity=80, source={"ip": "8.8.8.8"})])
        daemon.settle()
        known = {one["identifier"]: (one["severity"], daemon.cirt("report", "show", one["id"])["notes"]) for one in daemon.reports()}
        assert known["public"] == ("critical", [])
        for name, which in (("eicar", "EICAR"), ("private", "RFC 5735"), ("cdn", "Cloudflare")):
            assert known[name][0] == "info" and which in known[name][1][0], known[name]
    finally:
        daemon.remove()


def sensor_lines(desk, name):
    """What became of a file whose lines a sensor sends."""
    lines = [line for line in (DATA / "sensors" / name).read_bytes().splitlines() if line.strip()]
    before = desk.settle()
    desk.send_lines(lines)
    return len(lines), difference(before, desk.settle(120), "items")


@pytest.mark.parametrize("name", ["suricata/fileinfo.eve.jsonl", "suricata/first-org-conf-2015.eve.jsonl",
                                  "suricata/honeypot-2018.eve.jsonl", "suricata/mixed-event-types.eve.jsonl",
                                  "idea/nemea.idea.jsonl"])
def test_sensor_lines_become_what_they_are(desk, name):
    """Alerts are reports, the rest is context, and nothing is quarantined."""
    sent, items = sensor_lines(desk, name)
    alerts = len(re.findall(rb'"event_type": ?"alert"|"IDEA0"', (DATA / "sensors" / name).read_bytes()))
    assert items["found"] == sent and items["quarantined"] == 0, items
    assert items["reports"] + items["folded"] == alerts
    assert items["context"] == sent - alerts


@pytest.mark.parametrize("name, rows", [("idea/longidea.json", 1), ("zeek/intel-smtp.log", 7), ("zeek/notice-sqli.log", 2),
                                        ("zeek/notice-vulnerable.log", 2)])
def test_sensor_files_are_read_whole(desk, name, rows):
    """An alert spread over lines, and logs in columns, as files."""
    items = submit(desk, DATA / "sensors" / name)
    assert items["reports"] + items["folded"] == items["found"] == rows, items


NO_REPORTS = ("csirt", "iodef", "jcs", "json/test_transform", "net", "taxii", "taxonomies", "email/smtp-tls", "sensors/idea/idea0.schema.json")


def test_what_is_no_report_is_told_so(desk, tmp_path):
    """Tables of teams, taxonomies, IODEF and other JSON: never a report out of nothing, never gone without a word."""
    paths = [path for name in NO_REPORTS for path in ([DATA / name] if (DATA / name).is_file() else sorted((DATA / name).rglob("*")))]
    paths = [path for path in paths if path.is_file() and path.stat().st_size > 0]
    assert len(paths) > 20
    silent = []
    for path in paths:
        known = {row["id"] for row in desk.all_pages("quarantine", "list")}
        items = submit_copy(desk, path, tmp_path)
        fresh = [row for row in desk.all_pages("quarantine", "list") if row["id"] not in known]
        if items["reports"] + items["folded"] or not fresh or not all(row["reason"] for row in fresh):
            silent.append((str(path.relative_to(DATA)), items, fresh[:1]))
    assert not silent, silent
