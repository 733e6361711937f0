"""The register: whom we serve, what they hold, files of it, files of registries, open reports after a change."""
import csv
import io
import ipaddress
import json
import os
import pathlib
import re

import pytest

from harness import native, wait_for


def refused(daemon, *arguments):
    """What is said, of a command that must fail."""
    done = daemon.cirt_text(*arguments, check=False)
    assert done.returncode not in (0, None), done.stdout
    return done.stderr


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o644)
    return path


# The outbox first, and locked until all is gone: reports of an earlier test may become somebody's at any time, and a mail to a contact.
EMPTY = ("TRUNCATE cirt.outbox CASCADE; DELETE FROM cirt.contact; DELETE FROM cirt.organisation_group_member;"
         " DELETE FROM cirt.organisation_group; UPDATE cirt.organisation SET parent = NULL; DELETE FROM cirt.organisation;")


@pytest.fixture(autouse=True)
def empty(daemon):
    daemon.psql(EMPTY + " TRUNCATE cirt.delegation, cirt.delegation_asn, cirt.abuse_contact")


def test_an_organisation_and_its_contacts(daemon):
    made = daemon.cirt("org", "new", "City Hospital", "--kind", "hospital", "--country", "at", "--criticality", "critical",
                       "--prefix", "198.51.100.0/24 2001:db8:7::/48", "--asn", "AS64500", "--domain", "Clinic.example.", "--brand", "City Clinic")
    assert [one["value"] for one in made["prefixes"]] == ["198.51.100.0/24", "2001:db8:7::/48"]
    assert (made["country"], made["domains"][0]["value"], made["brands"][0]["value"]) == ("AT", "clinic.example", "city clinic")
    contact = daemon.cirt("contact", "new", "City Hospital", "--email", "soc@clinic.example", "--language", "de", "--zone", "Europe/Vienna",
                          "--schedule", "mon-fri 08:00-18:00,sat 09:00-12:00", "--policy", "required", "--pgp", "44E9 6BAF 54A8 D1E1 0FEC 9FD4 3E5F E42A 0AC0 2F85")
    assert contact["schedule"] == "Mon-Fri 08:00-18:00, Sat 09:00-12:00"
    assert contact["pgp"] == "44E96BAF54A8D1E10FEC9FD43E5FE42A0AC02F85"
    assert daemon.cirt("contact", "set", contact["id"], "--policy", "preferred")["policy"] == "preferred"
    shown = daemon.cirt_text("org", "show", "City Hospital").stdout
    assert "soc@clinic.example" in shown and "198.51.100.0/24" in shown
    assert daemon.cirt("org", "list", "--kind", "hospital")["items"][0]["prefixes"] == 2
    daemon.cirt("group", "new", "hospitals", "--kind", "hospital")
    assert daemon.cirt("group", "show", "hospitals")["organisations"][0] == {
        "name": "City Hospital", "kind": "hospital", "sector": "", "by": "kind"}
    assert daemon.cirt("contact", "close", contact["id"], "--until", "2030-01-01")["until"].startswith("2030-01-01")
    assert daemon.psql("SELECT string_agg(DISTINCT action, ',' ORDER BY action) FROM cirt.journal j JOIN cirt.organisation o"
                       " ON j.object = 'organisation/' || o.id") == [["asn added,brand added,domain added,insert,prefix added"]]


@pytest.mark.parametrize("arguments,said", [
    (("--prefix", "198.51.100.9/24"), "the network is 198.51.100.0/24"),
    (("--prefix", "0.0.0.0/0"), "everybody"),
    (("--prefix", "300.1.1.1/24"), "is no prefix"),
    (("--prefix", "2001:db8::1/32"), "the network is 2001:db8::/32"),
    (("--asn", "AS4294967296"), "no AS number"),
    (("--domain", "bad domain!"), "no domain"),
    (("--country", "UK"), "the United Kingdom is GB"),
    (("--kind", "bnk"), "expected government, bank"),
    (("--from", "2026-02-30"), "no such day"),
    (("--from", "2026-02-03", "--until", "2026-02-03"), "no time at all"),
    (("--note", "a\nb"), "in one line"),
    (("--parent", "Nobody"), 'no organisation "Nobody"'),
])
def test_what_is_wrong_is_said(daemon, arguments, said):
    assert said in refused(daemon, "org", "new", "Odd", *arguments)
    assert daemon.cirt("org", "list")["items"] == []


@pytest.mark.parametrize("arguments,said", [
    (("--language", "zz"), 'no language "zz"'),
    (("--zone", "Mars/Phobos"), "Europe/Vienna"),
    (("--schedule", "whenever"), "Mon-Fri 08:00-18:00, Sat 09:00-12:00"),
    (("--email", "not an address"), "no mail address"),
    (("--email", "a@b.example", "--pgp", "1234"), "whole fingerprint"),
    (("--email", "report@cirt.example"), "mailbox of ours"),
    (("--email", "Report+them@cirt.example"), "mailbox of ours"),
    (("--email", "case+2026-000001-x@cirt.example"), "mailbox of ours"),
    (("--email", "bounce@cirt.example"), "mailbox of ours"),
    ((), "email or phone"),
])
def test_what_is_wrong_of_a_contact_is_said(daemon, arguments, said):
    daemon.cirt("org", "new", "Odd")
    email = () if "--email" in arguments or not arguments else ("--email", "a@b.example")
    assert said in refused(daemon, "contact", "new", "Odd", *arguments, *email)


def test_one_prefix_has_one_holder_at_a_time(daemon):
    daemon.cirt("org", "new", "Telco", "--prefix", "203.0.113.0/24", "--until", "2026-06-01")
    daemon.cirt("org", "new", "Next", "--prefix", "203.0.113.0/24", "--from", "2026-06-01")
    said = refused(daemon, "org", "new", "Third", "--prefix", "203.0.113.0/24", "--from", "2026-01-01", "--until", "2026-02-01")
    assert 'held by "Telco"' in said and "--shared" in said
    daemon.cirt("org", "new", "Customer", "--prefix", "203.0.113.64/26")
    daemon.cirt("org", "new", "Third", "--prefix", "203.0.113.0/24", "--shared")
    assert daemon.cirt("org", "who", "203.0.113.200", "--at", "2026-02-01")["organisation"] in ("Telco", "Third")
    now = daemon.cirt("org", "who", "203.0.113.70")
    assert (now["organisation"], now["entry"], now["outcome"]) == ("Customer", "203.0.113.64/26", "constituent")
    daemon.cirt("org", "set", "Third", "--end", "203.0.113.0/24", "--until", "2025-01-01")
    asked = daemon.cirt("org", "who", "203.0.113.200")
    assert asked["organisation"] == "Next" and {one["organisation"] for one in asked["before"]} == {"Telco", "Third"}


def test_what_is_nobodys_is_foreign_or_not_ours(daemon, open_folder):
    daemon.cirt("org", "new", "CERT Lettland", "--kind", "national-cirt", "--country", "LV")
    daemon.cirt("contact", "new", "CERT Lettland", "--email", "cert@cert.example")
    delegated = write(open_folder, "delegated-test-extended", "2|test|20260101|3|19830101|20260101|+0000\ntest|*|ipv4|*|2|summary\n"
                      "# a comment\ntest|LV|ipv4|198.18.0.0|768|20200101|allocated|abc\ntest|LV|ipv6|2001:db8:100::|40|20200101|assigned|abc\n"
                      "test|EE|asn|64600|10|20200101|allocated|abc\ntest||ipv4|10.0.0.0|256||available|\n")
    said = daemon.cirt("org", "registry", delegated)
    assert (said["applied"], said["prefixes"]["now"], said["asns"]["now"], said["registries"]) == (True, 3, 1, ["test"])
    abuse = write(open_folder, "abuse.csv", "prefix,email\n198.18.2.0/24,abuse@hoster.example\n")
    assert "--registry" in daemon.cirt("org", "registry", abuse, check=False).stdout
    assert daemon.cirt("org", "registry", abuse, "--registry", "test")["abuse"]["added"] == 1
    who = daemon.cirt("org", "who", "198.18.2.9")
    assert (who["outcome"], who["country"], who["national_cirt"], who["abuse"]) == ("foreign", "LV", "CERT Lettland", "abuse@hoster.example")
    assert who["contacts"][0]["email"] == "cert@cert.example"
    assert daemon.cirt("org", "who", "AS64605")["country"] == "EE"
    assert daemon.cirt("org", "who", "192.0.2.1")["outcome"] == "not ours"
    assert "not ours" in daemon.cirt_text("org", "who", "192.0.2.1").stdout


def test_a_registrys_file_replaces_its_last_one_and_nothing_made_by_hand(daemon, open_folder):
    daemon.cirt("org", "new", "Telco", "--prefix", "198.18.4.0/24")
    daemon.cirt("contact", "new", "Telco", "--email", "hand@telco.example", "--role", "abuse")
    first = write(open_folder, "one", "test|LV|ipv4|198.18.4.0|256|20200101|allocated|x\ntest|LV|ipv4|198.18.5.0|256|20200101|allocated|x\n")
    daemon.cirt("org", "registry", first)
    second = write(open_folder, "two", "test|EE|ipv4|198.18.4.0|256|20200101|allocated|x\ntest|LV|ipv4|198.18.6.0|256|20200101|allocated|x\n")
    dry = daemon.cirt("org", "registry", second, "--dry-run")["prefixes"]
    assert (dry["added"], dry["changed"], dry["gone"]) == (1, 1, 1)
    assert [(one["organisation"], one["was"], one["now"]) for one in dry["touched"]] == [("Telco", "LV", "EE")]
    assert daemon.cirt("org", "who", "198.18.5.1")["country"] == "LV"
    daemon.cirt("org", "registry", second)
    assert daemon.cirt("org", "who", "198.18.5.1")["outcome"] == "not ours"
    assert daemon.cirt("org", "who", "198.18.4.1")["contacts"][0]["email"] == "hand@telco.example"
    for name, content, line in (("odd", "test|LV|ipv4|198.18.4.0|256|20200101|allocated|x\n# a remark\nrubbish\n", 3),
                                ("ours.csv", "prefix,email\n198.18.4.0/24,report@cirt.example\n", 2)):
        said = json.loads(daemon.cirt("org", "registry", write(open_folder, name, content), "--registry", "other", check=False).stdout)
        assert [one["line"] for one in said["wrong"]] == [line], said
    bad = write(open_folder, "bad", "test|LV|ipv4|198.18.4.1|999999999999|20200101|allocated|x\ntest|Lat|ipv4|x|1|1|allocated|\n")
    done = daemon.cirt("org", "registry", bad, check=False)
    assert done.returncode != 0
    assert daemon.cirt("org", "who", "198.18.4.1")["country"] == "EE"


def test_objects_of_a_ripe_database_name_who_takes_complaints(daemon, open_folder):
    networks = write(open_folder, "ripe.db.inetnum", "% a head\n\ninetnum:        198.18.0.0 - 198.18.2.255\nnetname: X\norg:   ORG-EX1-TEST\n"
                     "descr: long\n       more\n\ninetnum: 198.18.9.0 - 198.18.9.255\nabuse-c: ab2-test # us\n\ninet6num: 2001:db8:9::/48\nabuse-c: AB9-TEST\n")
    roles = write(open_folder, "ripe.db.role", "role: Abuse\nnic-hdl: AB1-TEST\nabuse-mailbox: one@hoster.example\n\n"
                  "role: Other\nnic-hdl: AB2-TEST\nabuse-mailbox: two@hoster.example\n\norganisation: ORG-EX1-TEST\nabuse-c: AB1-TEST\n")
    assert daemon.cirt("org", "registry", networks, roles, "--registry", "test")["abuse"]["now"] == 3
    assert daemon.cirt("org", "who", "198.18.1.1")["abuse"] == "one@hoster.example"
    assert daemon.cirt("org", "who", "198.18.2.1")["abuse"] == "one@hoster.example"
    assert daemon.cirt("org", "who", "198.18.9.1")["abuse"] == "two@hoster.example"


WIDE = "organisation;kind;sector;country;prefix;domain;email;language\r\n" \
       "Spital Süd;hospital;health;AT;198.51.100.0/24 198.51.101.0/24;spital.example;soc@spital.example;de\r\n" \
       "\"Bank; die erste\";bank;finance;AT;2001:db8:5::/48;bank.example;abuse@bank.example;en\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_a_spreadsheet_becomes_the_register(daemon, open_folder, encoding):
    path = write(open_folder, "wide.csv", WIDE.encode(encoding))
    done = daemon.cirt_text("org", "import", path, "--dry-run")
    assert "9 new" in done.stdout and "dry run" in done.stdout
    assert ("Latin-1" in done.stderr) == (encoding == "latin-1")
    assert daemon.cirt("org", "list")["items"] == []
    assert daemon.cirt("org", "import", path)["counts"] == {"new": 9}
    assert daemon.cirt("org", "who", "198.51.101.5")["organisation"] == "Spital Süd"
    assert daemon.cirt("org", "import", path)["counts"] == {"unchanged": 9}


@pytest.mark.parametrize("what", ["300.1.1.1", "192.0.2", "2001:db8::g", "1.2.3.4.5"])
def test_whose_is_what_is_no_address(daemon, what):
    assert f'"{what}" is no address' in refused(daemon, "org", "who", what)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_imported_again_changes_nothing(daemon, open_folder, form):
    daemon.cirt("org", "new", "Ministry", "--kind", "government", "--note", 'says "so", and more')
    daemon.cirt("org", "new", "Agency", "--parent", "Ministry", "--prefix", "198.51.100.0/24", "--from", "2026-01-01", "--until", "2026-05-01")
    daemon.cirt("org", "set", "Agency", "--prefix", "198.51.100.0/24", "--from", "2026-06-01")
    daemon.cirt("org", "set", "Agency", "--brand", "my agency; other, name", "--asn", "64500", "--domain", "agency.example")
    daemon.cirt("contact", "new", "Agency", "--phone", "+43 1 234", "--role", "duty", "--priority", 7, "--until", "2031-01-01")
    daemon.cirt("contact", "new", "Agency", "--email", "a@agency.example", "--format", "xarf")
    daemon.cirt("contact", "new", "Agency", "--name", "@SUM(1+1)*cmd|x", "--role", "press", "--phone", "=1+cmd|x")
    daemon.cirt("org", "new", "'=HYPERLINK(1)", "--note", "-2+3+cmd|y")
    daemon.cirt("group", "new", "federal", "--title", "All, of them", "--kind", "government")
    daemon.cirt("group", "add", "federal", "Agency")
    daemon.cirt("org", "close", "Ministry", "--until", "2032-01-01")
    export = daemon.cirt_text("org", "export", "--format", form).stdout
    if form == "csv":  # nothing in it runs in a spreadsheet; telephones stay as they are
        cells = [cell for row in csv.reader(io.StringIO(export)) for cell in row]
        assert not [cell for cell in cells if cell[:1] in tuple("=+-@") and re.search("[a-z]", cell)] and "+43 1 234" in cells
        assert {"'@SUM(1+1)*cmd|x", "'=1+cmd|x", "''=HYPERLINK(1)", "'-2+3+cmd|y"} <= set(cells)
    path = write(open_folder, "export", export)
    again = daemon.cirt("org", "import", path, "--dry-run")
    assert set(again["counts"]) == {"unchanged"}, again
    daemon.psql(EMPTY)
    counts = daemon.cirt("org", "import", path)["counts"]
    assert set(counts) == {"new"}
    assert daemon.cirt_text("org", "export", "--format", form).stdout == export


def test_nothing_of_a_wrong_file_is_taken(daemon, open_folder):
    rows = ["record,organisation,value,from,until,kind,country,email,language"]
    rows += ["organisation,Good,,,,bank,AT,,", "prefix,Good,198.51.100.0/24,,,,,,", "prefix,Good,198.51.100.77/24,,,,,,",
             "organisation,Bad,,,,bonk,AT,,", "organisation,Far,,,,bank,XX,,", "prefix,Nobody,198.51.101.0/24,,,,,,", "contact,Good,,,,,,no mail,",
             "prefix,Good,198.51.102.0/24,yesterday,,,,,", "brick,Good,1,,,,,,", "prefix,Good", 'prefix,"Good,198']
    path = write(open_folder, "wrong.csv", "\n".join(rows) + "\n")
    done = daemon.cirt("org", "import", path, check=False)
    assert done.returncode != 0
    said = json.loads(done.stdout)
    assert not said["applied"] and [one["line"] for one in said["wrong"]] == [4, 5, 6, 8, 9, 10, 11, 12], said
    assert "198.51.100.0/24" in said["wrong"][0]["problem"]
    keep = [rows[n] for n in (0, 1, 2, 4, 5, 6, 7)]
    done = daemon.cirt("org", "import", write(open_folder, "wrong2.csv", "\n".join(keep) + "\n"), check=False)
    said = json.loads(done.stdout)
    assert sorted({one["line"] for one in said["wrong"]}) == [4, 5, 6, 7], said
    assert daemon.cirt("org", "list")["items"] == []


def test_all_that_is_wrong_of_a_file_is_told_at_once(daemon, open_folder):
    """Of all kinds, and nobody is called missing whose own line cannot be read."""
    rows = ["organisation,country,prefix,domain,email", "Good,AT,198.51.100.0/24,good.example,", "Far,XX,198.51.101.0/24,,", "Off,AT,198.51.102.9/24,,",
            "Blank,AT,,exa mple,", "Ours,AT,,,report@cirt.example", "Two,AT,,one.example two.example,"]
    done = daemon.cirt("org", "import", write(open_folder, "all.csv", "\n".join(rows) + "\n"), check=False)
    said = {one["line"]: one["problem"] for one in json.loads(done.stdout)["wrong"]}
    assert list(said) == [3, 4, 5, 6], said
    for number, word in ((3, '"XX"'), (4, "198.51.102.0/24"), (5, '"exa mple" is no domain'), (6, "mailbox of ours")):
        assert word in said[number], said
    more = ["record,organisation,value,kind", "organisation,Odd,,bnk", "organisation,Fine,,bank", "organisation,Lost,,", "prefix,Lost,10.0.0.1/8,",
            "prefix,Nobody,192.0.2.0/24,"]
    done = daemon.cirt("org", "import", write(open_folder, "more.csv", "\n".join(more) + "\n"), check=False)
    assert [one["line"] for one in json.loads(done.stdout)["wrong"]] == [2, 5, 6]
    assert daemon.cirt("org", "list")["items"] == []


def test_two_of_a_file_do_not_hold_the_same(daemon, open_folder):
    path = write(open_folder, "same.csv", "organisation,prefix\nOne,198.51.100.0/24\nTwo,198.51.100.0/24\nThree,198.51.100.0/25\n")
    said = json.loads(daemon.cirt("org", "import", path, check=False).stdout)
    assert {one["line"] for one in said["wrong"]} == {2, 3} and 'held by "' in said["wrong"][0]["problem"]
    assert daemon.cirt("org", "import", path, "--shared")["counts"] == {"new": 6}


def test_a_newer_file_changes_and_ends_what_the_older_brought(daemon, open_folder):
    daemon.cirt("org", "new", "By hand", "--prefix", "198.51.103.0/24")
    daemon.cirt("org", "import", write(open_folder, "one.csv", "organisation,kind,prefix\nOne,bank,198.51.100.0/24 198.51.101.0/24\nTwo,isp,198.51.102.0/24\n"))
    newer = write(open_folder, "two.csv", "organisation,kind,prefix\nOne,isp,198.51.100.0/24\n")
    assert daemon.cirt("org", "import", newer, "--replace", "--dry-run")["counts"] == {"changed": 1, "unchanged": 1, "closed": 3}
    text = daemon.cirt_text("org", "import", newer, "--replace", "--dry-run").stdout
    assert "bank" in text and "isp" in text and "closed" in text
    daemon.cirt("org", "import", newer, "--replace")
    assert daemon.cirt("org", "who", "198.51.101.1")["outcome"] == "not ours"
    assert daemon.cirt("org", "who", "198.51.103.1")["organisation"] == "By hand"
    assert {one["name"] for one in daemon.cirt("org", "list")["items"]} == {"By hand", "One"}


@pytest.mark.parametrize("content,said", [
    (b"", "empty"),
    (b"organisation,prefix\nA\xff\xfeb \xc3\xa4,198.51.100.0/24\n", "line 2 is not UTF-8"),
    (b"\xff\xfeo\x00r\x00", "UTF-16"),
    (b"organisation,prefix\nA\x00,1\n", "line 2 holds a character zero"),
    (b"organisation,shoe size\nA,44\n", "shoe size"),
    (b"organisation,organisation\nA,44\n", "twice"),
    (b'{"name": "A", "kind": ', "does not end"),
    (b'[{"name": "A"}, 7]', "expected an object"),
    (b"\x1f\x8b\x08\x00", "gunzip"),
])
def test_files_that_are_none_are_told_so(daemon, open_folder, content, said):
    assert said in refused(daemon, "org", "import", write(open_folder, "odd", content))
    assert daemon.cirt("org", "list")["items"] == []


def test_odd_members_of_json_are_told_by_line(daemon, open_folder):
    path = write(open_folder, "odd.json", '[{"name": "A", "prefixes": ["198.51.100.0/24", {"value": "198.51.101.0/24", "from": "2026-01-01"}]},\n'
                 '{"name": "B", "prefixs": []},\n{"name": "C", "contacts": ["x"]},\n{"name": "D", "prefixes": [7]}\n]')
    said = json.loads(daemon.cirt("org", "import", path, check=False).stdout)
    assert [one["line"] for one in said["wrong"]] == [2, 3, 4], said


def test_open_reports_follow_a_change(daemon):
    daemon.send_lines([native(900 + n, identifier=f"moves-{n}", source={"ip": "198.51.100.77"}) for n in range(3)])
    daemon.settle()

    def owners():
        return {one["organisation"] for one in daemon.reports("--limit", 1000) if (one["identifier"] or "").startswith("moves-")}
    assert owners() == {None}
    daemon.cirt("org", "new", "Late", "--prefix", "198.51.100.0/24")
    wait_for(lambda: owners() == {"Late"}, what="the keeper to attribute open reports")
    daemon.cirt("org", "new", "Exact", "--prefix", "198.51.100.77/32")
    wait_for(lambda: owners() == {"Exact"}, what="the longer prefix to hold")
    moved = {"moves-0", "moves-1", "moves-2"}
    for narrow, holds in ((("--org", "exact"), True), (("--org", "Late"), False), (("--org", "-"), False), (("--country", "nl"), True),
                          (("--org", "Exact", "--country", "AT"), False)):
        listed = {one["identifier"] for one in daemon.all_pages("report", "list", *narrow)} & moved
        found = {one["identifier"] for one in daemon.all_pages("report", "search", "198.51.100.77", *narrow)} & moved
        assert listed == found == (moved if holds else set()), narrow
    assert "no organisation" in daemon.cirt_text("report", "list", "--org", "Nowhere", check=False).stderr
    assert "two letters" in daemon.cirt_text("report", "search", "x", "--country", "Austria", check=False).stderr
    daemon.cirt("org", "set", "Exact", "--end", "198.51.100.77/32", "--until", "2020-01-01")
    daemon.cirt("org", "close", "Late", "--until", "2020-01-01")
    wait_for(lambda: owners() == {None}, what="them to be nobody's again")
    journal = daemon.psql("SELECT after::jsonb ->> 'changed' FROM cirt.journal WHERE object = 'register/attribution' ORDER BY n")
    assert sum(int(row[0]) for row in journal) >= 9


def test_a_report_of_a_foreign_address_has_its_country(daemon, open_folder):
    path = write(open_folder, "delegated-land", "2|ripencc|20261101|2|19830705|20261031|+0000\n"
                 "ripencc|SE|ipv4|198.18.64.0|8192|20010101|allocated|x\nripencc|FI|ipv4|198.18.80.0|256|20010101|allocated|y\n")
    daemon.cirt("org", "registry", path)
    daemon.cirt("org", "new", "In Finland", "--prefix", "198.18.80.128/25")
    wait_for(lambda: daemon.psql("SELECT count(*) FROM cirt.attribution_queue") == [["0"]], what="the keeper to have looked")

    def landed(number, address):
        daemon.send_lines([native(number, identifier=f"land-{number}", source={"ip": address})])
        daemon.settle()
        return daemon.psql(f"SELECT 'in ' || country FROM cirt.report WHERE identifier = 'land-{number}'")[0][0]
    numbers = iter(range(7100, 7200))
    wait_for(lambda: landed(next(numbers), "198.18.70.1") == "in SE", what="the store to know what is delegated")
    assert landed(next(numbers), "198.18.80.5") == "in FI"
    assert landed(next(numbers), "198.18.80.200") == "in ", "one of ours"
    assert landed(next(numbers), "198.18.200.1") == "in "


def test_many_rows_are_taken_in_pieces(daemon, open_folder):
    rows = ["organisation,prefix"] + [f"Org {n // 20},10.{n >> 8}.{n & 255}.0/24" for n in range(20000)]
    path = write(open_folder, "many.csv", "\n".join(rows) + "\n")
    counts = daemon.cirt("org", "import", path, timeout=300)["counts"]
    assert counts == {"new": 21000}
    assert daemon.cirt("org", "who", "10.78.31.1")["organisation"] == "Org 999"
    assert daemon.psql("SELECT count(*) FROM cirt.register_wanted") == [["0"]]


SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "contrib/register"


def test_the_samples_are_read(daemon, open_folder):
    assert daemon.cirt("org", "import", SAMPLES / "constituents.csv")["counts"] == {"new": 16}
    assert set(daemon.cirt("org", "import", SAMPLES / "register.csv", "--dry-run")["counts"]) == {"new", "changed", "unchanged"}
    daemon.cirt("org", "import", SAMPLES / "register.csv")
    counts = daemon.cirt("org", "import", SAMPLES / "register.json", "--dry-run")["counts"]
    assert set(counts) <= {"new", "unchanged", "changed"} and counts["unchanged"] > 4
    assert daemon.cirt("org", "who", "198.51.100.70", "--at", "2020-01-01")["organisation"] == "City Hospital"
    assert daemon.cirt("org", "who", "198.51.100.70")["organisation"] == "First Bank"
    assert daemon.cirt("org", "registry", SAMPLES / "delegated-example-extended")["prefixes"]["now"] == 4
    assert daemon.cirt("org", "registry", SAMPLES / "abuse.csv", "--registry", "example")["abuse"]["now"] == 3
    assert daemon.cirt("org", "who", "198.18.10.7")["abuse"] == "abuse@other.example"


@pytest.mark.skipif("CIRTD_SHARED_DATA" not in os.environ, reason="CIRTD_SHARED_DATA names no folder")
def test_networks_of_four_countries(daemon, open_folder):
    """Real prefixes: the countries of a location database, as if a registry had delegated them."""
    rows = []
    for line in (pathlib.Path(os.environ["CIRTD_SHARED_DATA"]) / "net/libloc-ee-lv-lt-si.csv").read_text().splitlines():
        prefix, _, country = line.split(",")[:3]
        if re.fullmatch("[A-Z]{2}", country):
            network = ipaddress.ip_network(prefix)
            rows.append(f"libloc|{country}|ipv{network.version}|{network.network_address}|"
                        f"{network.num_addresses if network.version == 4 else network.prefixlen}|20200101|allocated|x")
    said = daemon.cirt("org", "registry", write(open_folder, "delegated", "\n".join(rows) + "\n"))
    assert said["applied"] and said["prefixes"]["now"] == len(set(row.split("|20200101")[0].split("|", 2)[2] for row in rows))
    for row in rows[::997]:
        assert daemon.cirt("org", "who", row.split("|")[3])["country"] in {"EE", "LV", "LT", "SI"}
