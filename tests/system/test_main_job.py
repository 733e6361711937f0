"""Mail, feed and sensor in; nothing lost; folded, triaged; cases out."""
import json
import subprocess

from harness import TOP, FeedServer, mail, native, wait_for

SAMPLES = TOP / "contrib" / "demo"


def by_source(daemon, name):
    return daemon.reports("--source", name)


def test_sensor_lines_become_reports_and_fold(daemon):
    """Forty lines about ten hosts are ten reports seen four times each."""
    daemon.send_lines([native(number % 10, identifier="fold-me") for number in range(40)])
    daemon.settle()
    found = [report for report in by_source(daemon, "sensor-1") if report["identifier"] == "fold-me"]
    assert len(found) == 10
    assert {report["count"] for report in found} == {4}
    for report in found:
        assert report["classification"] == "infected-system" and report["tlp"] == "green" and report["state"] == "new"
        assert report["first_seen"] <= report["last_seen"]


def test_why_and_unfold(daemon):
    """A fold is explained, and undone."""
    daemon.send_lines([native(99, identifier="why")] * 3)
    daemon.settle()
    report = [one for one in by_source(daemon, "sensor-1") if one["identifier"] == "why"][0]
    why = daemon.cirt("report", "show", report["id"], "--why")
    assert "infected-host" in json.dumps(why) and "version" in json.dumps(why)
    daemon.cirt("report", "unfold", report["id"])
    daemon.send_lines([native(99, identifier="why")])
    daemon.settle()
    assert len([one for one in by_source(daemon, "sensor-1") if one["identifier"] == "why"]) > 1


def test_demo_mails_land_in_every_charset(daemon):
    """The demonstration's mails: charsets, forwarded, attachment, truncated, auto-reply."""
    files = sorted((SAMPLES / "mail").glob("*.eml"))
    for file in files:
        daemon.send_mail(file.read_bytes())
    ledger = daemon.settle()
    titles = {report["title"]: report for report in by_source(daemon, "report")}
    for title in ("フィッシングサイトの報告", "Сканирование портов из вашей сети", "Rançongiciel à la mairie"):
        assert title in titles, sorted(titles)
    assert ledger["items"]["correspondence"] >= 1
    amber = [report for title, report in titles.items() if "Command and control" in title]
    assert amber and amber[0]["tlp"] == "amber"


def test_citizens_mails_open_one_case(daemon):
    """Three people report one phish: one report seen three times, and a case."""
    cases = wait_for(lambda: [case for case in daemon.all_pages("case", "list") if "arcel" in case["title"]], 30, "the case")
    assert len(cases) == 1
    assert {"number", "title", "state", "severity", "tlp", "classification", "organisation", "reports", "assignee",
            "opened"} <= set(cases[0])
    parcel = [report for report in by_source(daemon, "report") if "arcel" in report["title"]]
    assert sum(report["count"] for report in parcel) == 3


def test_eicar_is_found_in_the_attachment(daemon):
    report = [one for one in by_source(daemon, "report") if "Suspicious attachment" in one["title"]][0]
    assert "eicar" in json.dumps(daemon.cirt("report", "show", report["id"])).lower()


def test_search_by_address_name_and_text(daemon):
    """An address, a prefix, a name and all below it, and words."""
    daemon.send_lines([native(1, source={"ip": "192.0.2.66", "name": "www.a.search.example"}, identifier="search-me")])
    daemon.settle()

    def hits(what):
        return [report for report in daemon.all_pages("report", "search", what) if report["identifier"] == "search-me"]

    for what in ("192.0.2.66", "192.0.2.0/24", "www.a.search.example", "search.example", "search-me"):
        assert hits(what), what
    assert not hits("192.0.3.66") and not hits("b.search.example")


def test_feed_is_pulled_once_and_its_bad_object_quarantined(daemon, certificates):
    body = (SAMPLES / "feed" / "bundle.json").read_bytes()

    def page(request):
        tag = '"one"'
        return (304, {"ETag": tag}, b"") if request.headers.get("If-None-Match") == tag else (200, {"ETag": tag}, body)

    feed = FeedServer(certificates, {"/bundle.json": page})
    before = daemon.settle()
    daemon.cirt("source", "add", "feed-1", "--kind", "feed", "--match", feed.url("/bundle.json"), "--tlp", "green", "--interval", 1)
    wait_for(lambda: len(feed.requests) >= 3, 60, "the feed to be asked again")
    after = daemon.settle()
    assert after["entries"]["received"] == before["entries"]["received"] + 1
    assert after["items"]["quarantined"] == before["items"]["quarantined"] + 1
    names = {report["title"] for report in by_source(daemon, "feed-1")}
    assert any("Lumma panel" in name for name in names) and any("Defacement" in name for name in names), names
    assert any("pattern" in json.dumps(row) for row in daemon.all_pages("quarantine", "list"))
    daemon.cirt("source", "disable", "feed-1")
    feed.close()


def test_taxii_cursor_survives_a_restart(make_daemon, certificates):
    """Pages by next and added_after; after a restart nothing is repeated and nothing skipped."""
    from never_lost import TaxiiCollection
    collection = TaxiiCollection(certificates)
    for _ in range(45):
        collection.grow()
    daemon = make_daemon().start()
    daemon.cirt("source", "add", "taxii-1", "--kind", "taxii", "--match", collection.url, "--tlp", "green", "--interval", 1)
    wait_for(lambda: len(by_source(daemon, "taxii-1")) == 45, 60, "45 objects", every=0.5)
    assert daemon.stop() == 0
    for _ in range(5):
        collection.grow()
    daemon.start()
    wait_for(lambda: len(by_source(daemon, "taxii-1")) == 50, 60, "50 objects", every=0.5)
    daemon.settle()
    assert {report["count"] for report in by_source(daemon, "taxii-1")} == {1}
    collection.server.close()


def test_submit_a_file(daemon, tmp_path):
    """cirt submit takes mail, lines and bundles into the same spool."""
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(native(number, identifier="submitted")) + "\n" for number in range(5)))
    daemon.cirt("submit", path)
    daemon.settle()
    assert len([one for one in by_source(daemon, "desk") if one["identifier"] == "submitted"]) == 5


def test_quarantined_line_can_be_released_and_discarded(daemon):
    before = daemon.settle()
    daemon.send_lines([b"not json at all", b"neither is this"])
    after = daemon.settle()
    assert after["items"]["quarantined"] == before["items"]["quarantined"] + 2
    rows = [row for row in daemon.all_pages("quarantine", "list") if row["source"] == "sensor-1"][:2]
    daemon.cirt("quarantine", "discard", rows[0]["id"])
    daemon.cirt("quarantine", "release", rows[1]["id"])
    end = daemon.settle()
    assert end["items"]["discarded"] == after["items"]["discarded"] + 1
    assert end["entries"]["received"] == after["entries"]["received"], "a re-run is not received again"


def test_case_is_worked_to_its_end(daemon):
    """take, note, a refused move, contained, resolved, closed; the journal proves it."""
    daemon.send_lines([native(7, type="application-compromise", identifier="work-me", severity=90)])
    daemon.settle()
    case = wait_for(lambda: [one for one in daemon.all_pages("case", "list") if "work-me" in json.dumps(one) or
                             one["classification"] == "application-compromise"], 30, "a case")[0]
    number = case["number"]
    daemon.cirt("case", "take", number)
    daemon.cirt("case", "note", number, "Called the owner; the server is off the net.")
    refused = daemon.cirt_text("case", "move", number, "nonsense", check=False)
    assert refused.returncode != 0 and "contained" in refused.stderr
    daemon.cirt("case", "move", number, "contained")
    daemon.cirt("case", "move", number, "resolved")
    refused = daemon.cirt_text("case", "close", number, check=False)
    assert refused.returncode == 2 and "outcome" in refused.stderr
    daemon.cirt("case", "close", number, "--outcome", "resolved")
    shown = daemon.cirt("case", "show", number)
    assert shown["state"] == "closed" and "Called the owner" in json.dumps(shown)
    assert daemon.cirt("audit", "verify")["ok"] is True


def test_cases_merge_and_split_again(daemon):
    daemon.send_lines([native(8, type="system-compromise", identifier="merge-a", severity=90),
                       native(9, type="system-compromise", identifier="merge-b", severity=90, source={"ip": "203.0.113.200"})])
    daemon.settle()
    cases = wait_for(lambda: (lambda found: found if len(found) >= 2 else None)(
        [one for one in daemon.all_pages("case", "list") if one["classification"] == "system-compromise"]), 30, "two cases")
    one, other = cases[0]["number"], cases[1]["number"]
    daemon.cirt("case", "merge", one, other)
    assert daemon.cirt("case", "show", one)["state"] == "merged"
    daemon.cirt("case", "split", one)
    assert daemon.cirt("case", "show", one)["state"] != "merged"


def test_journal_edit_is_found(make_daemon):
    """An edit made behind its back, as the database's owner, is found (trap 16)."""
    daemon = make_daemon().start()
    daemon.add_sensor()
    daemon.send_lines([native(1, type="system-compromise", severity=90)])
    daemon.settle()
    wait_for(lambda: daemon.all_pages("case", "list"), 30, "a case")
    assert daemon.cirt("audit", "verify")["ok"] is True
    daemon.psql("ALTER TABLE cirt.journal DISABLE TRIGGER ALL; UPDATE cirt.journal SET actor = 'nobody' WHERE ctid = (SELECT min(ctid) FROM cirt.journal);")
    found = daemon.cirt_text("--json", "audit", "verify", check=False)
    assert found.returncode == 1 and json.loads(found.stdout)["ok"] is False


def test_status_names_rooms_and_database(daemon):
    status = daemon.cirt("status")
    assert {"intake", "spool", "triage", "store", "keeper", "desk", "exchange", "keys"} <= {room["name"] for room in status["rooms"]}
    for room in status["rooms"]:
        assert room["pid"] > 0 and room["restarts"] >= 0 and "rates" in room
    assert status["database"]["up"] is True and "backlog" in status


def test_every_verb_has_help_and_mistakes_are_corrected(daemon):
    for words in (["status"], ["ledger"], ["source", "list"], ["report", "search"], ["case", "merge"], ["quarantine", "release"],
                  ["rules", "check"], ["plugin", "list"], ["submit"], ["watch"], ["audit", "verify"], ["version"]):
        shown = daemon.cirt_text(*words, "--help")
        assert words[0] in shown.stdout
    wrong = daemon.cirt_text("case", "lst", check=False)
    assert wrong.returncode == 2 and "list" in wrong.stderr
    assert daemon.cirt_text("case", "show", "2001-000001", check=False).returncode == 3
    done = subprocess.run([str(daemon.programs.cirt), "--socket", "/nonexistent/sock", "status"], capture_output=True, text=True, check=False)
    assert done.returncode == 5


def test_rules_and_plugins_are_listed(daemon):
    rules = daemon.cirt("rules", "list")
    assert "eicar" in json.dumps(rules).lower()
    cost = {one["scope"]: one for one in rules["cost"]}
    assert list(cost) == ["event", "text", "file"]
    assert cost["event"]["rules"] == 0 and cost["text"]["rules"] > 0 and cost["text"]["us"] > 0
    shown = daemon.cirt_text("rules", "list").stdout
    assert "US A SCAN" in shown and "event" in shown
    assert "netinfo" in json.dumps(daemon.cirt("plugin", "list"))


def test_netinfo_fills_country_and_asn(daemon):
    daemon.send_lines([native(5, source={"ip": "198.51.100.9"}, identifier="netinfo-me")])
    daemon.settle()
    report = [one for one in by_source(daemon, "sensor-1") if one["identifier"] == "netinfo-me"][0]
    shown = daemon.cirt("report", "show", report["id"])
    assert shown["country"] == "NL" and int(shown["asn"]) == 64501


def test_reload_takes_new_rules(daemon):
    rule = 'rule reload_me { meta: scope = "text" severity = 90 strings: $a = "xyzzy-reload" condition: $a }\n'
    (daemon.rules / "zz-reload.yar").write_text(rule)
    assert daemon.cirt_text("rules", "reload").stdout == "Reloaded.\n"
    wait_for(lambda: "reload_me" in json.dumps(daemon.cirt("rules", "list")), 60, "the new rule", every=0.5)
    daemon.send_mail(mail("Reloaded", "xyzzy-reload\n"))
    daemon.settle()
    report = [one for one in by_source(daemon, "report") if one["title"] == "Reloaded"][0]
    assert "reload_me" in json.dumps(daemon.cirt("report", "show", report["id"]))


def test_reload_names_what_was_refused(daemon):
    broken = daemon.rules / "zz-broken.yar"
    broken.write_text("rule broken { condition: no_such_thing }\n")
    shown = daemon.cirt_text("rules", "reload").stdout
    assert "do not compile" in shown and "zz-broken.yar" in shown and "line 1: " in shown and "zz-reload" not in shown
    assert [one["file"] for one in daemon.cirt("rules", "reload")["refused"]] == ["zz-broken.yar"]
    broken.unlink()
    assert daemon.cirt("rules", "reload")["refused"] == []


def test_exercise_flag_is_inherited(daemon):
    """What a drill's source sends never folds with the real thing."""
    daemon.cirt("source", "add", "drill-1", "--kind", "mailbox", "--match", "drill+winter@cirt.example", "--exercise", "winter")
    body = "Phish at http://drill-phish.example/x\n"
    daemon.send_mail(mail("Drill", body))
    daemon.send_mail(mail("Drill", body), recipients=["drill+winter@cirt.example"])
    daemon.settle()
    found = [one for source in ("report", "drill-1") for one in by_source(daemon, source) if one["title"] == "Drill"]
    assert len(found) == 2
    shown = [daemon.cirt("report", "show", one["id"]) for one in found]
    assert sorted(one["exercise"] or "" for one in shown) == ["", "winter"]

