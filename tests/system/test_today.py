"""`cirt today`: what there is stands in it, what there is not does not, for every role; and the counters behind it."""
import datetime
import json
import os
import subprocess

import pytest

from harness import mail, native, wait_for


@pytest.fixture(scope="module")
def desk(daemon):
    return daemon


def lines(daemon):
    """The lines of a person's `cirt today` by their title: {"FEEDS": (5, "rest")}."""
    found = {}
    for line in daemon.cirt_text("today").stdout.splitlines()[1:]:
        words = line.split(None, 2)
        if words[0].isupper():
            found[words[0]] = (int(words[1]), words[2] if len(words) > 2 else "")
    return found


def test_an_empty_system_says_what_is_not_there(make_daemon):
    daemon = make_daemon()
    daemon.start()
    day = daemon.cirt("today")
    assert day["alarms"] == {"open": 0, "items": []}
    assert day["people"] == {"unread": 0, "inbox": 0, "from": []} and day["intake"] == {}
    assert day["cases"]["open"] == 0 and day["releases"] == {"asked": 0} and day["quarantine"] == {"waiting": 0}
    assert {name: count for name, count in day["notices"].items() if name not in ("full", "not_told")} == dict.fromkeys(
        ("ready", "gathering", "held", "organisations", "drill", "queued", "failed", "sent", "bounced", "answered"), 0)
    assert day["notices"]["full"] is None and set(day["notices"]["not_told"].values()) == {0}
    shown = lines(daemon)
    assert set(shown) == {"PEOPLE", "NOTICES"}, "only what exists has a line, and nobody's clocks or backups are made up"


def rows(day, count):
    head = "timestamp,ip,port,protocol,asn,geo,severity,tag,naics,sector"
    return "\n".join([head, *(f"{day} 03:00:00,198.51.100.{n},3389,tcp,64501,NL,high,rdp,0," for n in range(1, count + 1))]) + "\n"


def test_the_day_of_a_desk(desk, open_folder):
    today = datetime.datetime.utcnow().date()
    day_file = open_folder / f"{today}-scan_rdp-test-asn.csv"
    day_file.write_text(rows(today, 5) + "not,a,row\n")
    desk.cirt("source", "add", "list", "--kind", "desk", "--tlp", "green")
    desk.cirt("submit", day_file, "--source", "list", "--format", "shadowserver")
    desk.settle()
    day_file.write_text(rows(today, 5).replace(" 03:", " 04:"))
    desk.cirt("submit", day_file, "--source", "list", "--format", "shadowserver")
    desk.psql("INSERT INTO cirt.organisation (name, kind) VALUES ('Bank of Test', 'bank'), ('CERT-XY', 'national-cirt');"
              " INSERT INTO cirt.organisation_domain (organisation, domain) SELECT id, 'bank.example' FROM cirt.organisation"
              " WHERE name = 'Bank of Test'; INSERT INTO cirt.contact (organisation, role, email) SELECT id, 'security',"
              " 'desk@cert.example' FROM cirt.organisation WHERE name = 'CERT-XY'")
    for number, sender in enumerate(("a@mail.example", "b@mail.example", "soc@mail.bank.example", "desk@cert.example")):
        desk.send_mail(mail(f"Help {number}", f"It came from 198.51.100.{200 + number}.\n", sender, number), sender=sender)
    desk.send_lines([native(n) for n in range(3)])
    desk.settle()
    desk.psql("SELECT cirt.alarm_raise('feed-silent', 'spamhaus', NULL, 'silent for 9 h')")
    desk.psql("INSERT INTO cirt.exercise (name) VALUES ('today drill')")
    desk.psql("INSERT INTO cirt.outbox (kind, state, recipient, address, message_id, organisation, exercise, waits_for, sent, bounced) SELECT"
              " 'notice', s::cirt.outbox_state, 'affected', 'soc@bank.example', '<' || gen_random_uuid() || '@t>', o.id,"
              " CASE WHEN x THEN (SELECT id FROM cirt.exercise WHERE name = 'today drill') ELSE 0 END,"
              " CASE s WHEN 'held' THEN 'key' ELSE '' END, CASE s WHEN 'sent' THEN now() END, CASE s WHEN 'sent' THEN now() END"
              " FROM unnest('{ready,ready,held,sent,failed}'::text[], '{f,t,f,f,f}'::boolean[]) AS u (s, x),"
              " cirt.organisation o WHERE o.name = 'Bank of Test'")
    day = desk.cirt("today")
    feeds, sensors = day["intake"]["feeds"], day["intake"]["sensors"]
    assert (feeds["first"], feeds["new"], feeds["again"], feeds["quarantined"], feeds["entries"]) == (["list"], 5, 5, 1, 2)
    assert (sensors["first"], sensors["new"]) == (["sensor-1"], 3)
    assert day["people"]["unread"] == 4
    assert {(one["kind"], one["name"], one["count"]) for one in day["people"]["from"]} == {
        ("stranger", None, 2), ("bank", None, 1), ("national-cirt", "CERT-XY", 1)}
    assert day["alarms"]["items"][0]["subject"] == "spamhaus"
    notices = day["notices"]
    assert {name: notices[name] for name in ("ready", "held", "drill", "sent", "bounced", "failed", "organisations")} == {
        "ready": 1, "held": 1, "drill": 1, "sent": 1, "bounced": 1, "failed": 1, "organisations": 1}
    shown = lines(desk)
    assert shown["FEEDS"][0] == 11 and "list, 2 files: 5 again · 5 new · 1 quarantined" in shown["FEEDS"][1]
    assert shown["FEEDS"][1].endswith("cirt quarantine list")
    assert shown["PEOPLE"][0] == 4 and "2 citizens" in shown["PEOPLE"][1] and "1 bank" in shown["PEOPLE"][1] and "1 CERT-XY" in shown["PEOPLE"][1]
    assert shown["ALARMS"][0] == 1 and "cirt alarm ack" in shown["ALARMS"][1]
    assert shown["NOTICES"] == (1, shown["NOTICES"][1]) and "1 held" in shown["NOTICES"][1] and "cirt notice preview" in shown["NOTICES"][1]
    assert "1 came back" in shown["SENT"][1] and shown["DRILL"][0] == 1
    counted = {(one["name"], tuple(sorted(one["labels"].items()))): one["value"] for one in
               wait_for(lambda: desk.cirt("status")["database"].get("counters"), what="the counters")}
    assert ("register", (("what", "organisations"),)) in counted
    fresh = {(name, labels): int(value) for name, labels, value in desk.psql("SELECT name, labels::text, value FROM cirt.counters()")}
    assert fresh[("outbox_mails", '{"kind": "notice", "state": "ready"}')] == 2
    assert fresh[("outbox_held", '{"waits_for": "key"}')] == 1
    assert fresh[("outbox_bounced_day", "{}")] == 1 and fresh[("register", '{"what": "contacts"}')] == 1


def as_viewer(daemon, *arguments):
    done = subprocess.run(["setpriv", "--reuid", "41235", "--regid", "nogroup", "--clear-groups", str(daemon.programs.cirt), "--json", "--socket",
                           str(daemon.socket), *arguments], capture_output=True, text=True, timeout=60, env=daemon.environment())
    return json.loads(done.stdout) if done.returncode == 0 else None


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")
def test_mails_of_restricted_cases_are_counted_for_those_who_may_see_them(desk):
    desk.psql("INSERT INTO cirt.operator (name, role, uid) VALUES ('viewer1', 'viewer', 41235)")
    before = wait_for(lambda: as_viewer(desk, "today"), what="the viewer to be let in", every=1)
    assert before["operator"] == {"name": "viewer1", "role": "viewer"}
    assert before["people"] == desk.cirt("today")["people"]
    desk.send_mail(mail("Only for some", "It came from 198.51.100.77.\n", "c@mail.example", 77), sender="c@mail.example")
    desk.settle()
    case = wait_for(lambda: [one for one in desk.cirt("case", "list")["items"] if one["title"] == "Only for some"], what="its case")[0]
    assert as_viewer(desk, "today")["people"]["unread"] == before["people"]["unread"] + 1
    desk.psql(f"UPDATE cirt.cases SET restricted = true WHERE number = '{case['number']}'")
    assert as_viewer(desk, "today")["people"]["unread"] == before["people"]["unread"]
    assert desk.cirt("today")["people"]["unread"] == before["people"]["unread"] + 1
    desk.cirt("case", "move", case["number"], "open")
    assert desk.cirt("today")["people"]["unread"] == before["people"]["unread"], "somebody has taken it up"
