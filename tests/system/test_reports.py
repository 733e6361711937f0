"""What a report says of itself: why it folded, whose network it is, whether it is gone, in a drill or out of it."""
import base64
import json
import time

import pytest

from harness import mail, native, wait_for


def stamp(ago):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))


def by_identifier(daemon, identifier):
    """Oldest first."""
    return [one for one in reversed(daemon.reports()) if one["identifier"] == identifier]


def why(daemon, report):
    return daemon.cirt("report", "show", report["id"], "--why")["why"]


DAY = 86400


def test_trap_11_a_relapse_names_the_old_report_and_says_why(daemon):
    """Quiet for longer than its window, then again: a new report, which both sides show; within it the count rises."""
    daemon.psql("UPDATE cirt.fold_rule SET quiet = '2 days'")
    time.sleep(1.5)  # the store hears of it
    host = {"ip": "203.0.113.51"}
    for ago in (9 * DAY, 8 * DAY, DAY):
        daemon.send_lines([native(1, identifier="relapses", source=host, time=stamp(ago))])
        daemon.settle()
    old, new = by_identifier(daemon, "relapses")
    assert (old["count"], new["count"]) == (2, 1)
    reason = why(daemon, new)
    assert reason["previous"] == old["id"] and reason["relation"] == "relapse"
    assert reason["rule"] and reason["version"] >= 1 and "203.0.113.51" in reason["key"]
    assert [(link["kind"], link["report"]) for link in why(daemon, old)["links"]] == [("relapse", new["id"])]
    assert sum(day["count"] for day in daemon.cirt("report", "show", old["id"])["sightings"]) == 2
    shown = daemon.cirt_text("report", "show", new["id"], "--why").stdout
    assert "relapse" in shown and old["id"] in shown


def test_trap_11_no_fold_runs_for_ever(make_daemon):
    """Seen daily it never falls quiet; after the longest fold a continuation names the report before."""
    daemon = make_daemon(sections={"fold": {"max_age": "3d"}}).start()
    daemon.add_sensor()
    host = {"ip": "203.0.113.52"}
    for ago in (6 * DAY, 5 * DAY, 4 * DAY, 2 * DAY, DAY):
        daemon.send_lines([native(1, identifier="beacon", source=host, time=stamp(ago))])
        daemon.settle()
    old, new = by_identifier(daemon, "beacon")
    assert (old["count"], new["count"]) == (3, 2)
    reason = why(daemon, new)
    assert reason["previous"] == old["id"] and reason["relation"] == "continuation"


def test_an_event_is_its_organisations_of_that_day(daemon):
    """A prefix that changed hands: what happened before is the old holder's, what happened after the new one's."""
    daemon.psql("INSERT INTO cirt.organisation (name) VALUES ('Old telco'), ('New telco'), ('Far south')")
    daemon.psql("INSERT INTO cirt.organisation_prefix (organisation, prefix, valid) SELECT id, '198.18.7.0/24',"
                " CASE name WHEN 'Old telco' THEN tstzrange(NULL, now() - interval '3 days')"
                " ELSE tstzrange(now() - interval '3 days', NULL) END FROM cirt.organisation WHERE name LIKE '%telco'")
    daemon.psql("INSERT INTO cirt.organisation_prefix (organisation, prefix) SELECT id, '2001:db8:7::/48' FROM cirt.organisation"
                " WHERE name = 'Far south'")
    time.sleep(1.5)  # the store hears of it
    daemon.send_lines([
        native(1, identifier="held-before", source={"ip": "198.18.7.9"}, time=stamp(5 * DAY)),
        native(2, identifier="held-after", source={"ip": "198.18.7.9"}, time=stamp(DAY)),
        native(3, identifier="held-by-six", source={"ip": "2001:db8:7::1"}),
        native(4, identifier="held-by-none", source={"ip": "198.18.8.9"}),
    ])
    daemon.settle()
    held = {one["identifier"]: one["organisation"] for one in daemon.reports() if (one["identifier"] or "").startswith("held-")}
    assert held.pop("held-by-none") in (None, "")
    assert held == {"held-before": "Old telco", "held-after": "New telco", "held-by-six": "Far south"}


@pytest.mark.parametrize("default,stated,rule,expected", [
    ("red", None, "amber", "red"), ("green", None, "amber+strict", "amber+strict"), ("green", None, "clear", "green"),
    ("clear", "red", "green", "red")])
def test_a_rule_tightens_tlp_and_never_loosens(daemon, certificates, default, stated, rule, expected):
    name = f"tlp-{default}-{stated or 'unstated'}-{rule}".replace("+", "-")
    (daemon.rules / f"zz-{name}.yar").write_text(
        f'rule tighten {{ meta: scope = "text" tlp = "{rule}" strings: $a = "{name}" condition: $a }}\n')
    daemon.cirt("rules", "reload")
    wait_for(lambda: f"zz-{name}" in json.dumps(daemon.cirt("rules", "list")), 60, "the rule", every=0.3)
    box = f"{name}@cirt.example"
    daemon.cirt("source", "add", name, "--kind", "mailbox", "--match", box, "--tlp", default)
    daemon.send_mail(mail(f"[TLP:{stated.upper()}] See" if stated else "See", f"{name} at 203.0.113.53\n"), recipients=[box])
    daemon.settle()
    assert [one["tlp"] for one in daemon.reports("--source", name)] == [expected]


def test_a_drill_by_sensor_stays_a_drill(daemon, certificates):
    """The flag comes from the source and is inherited by report and case; the real thing beside it stays real."""
    daemon.cirt("source", "add", "drill-sensor", "--kind", "sensor", "--match", "san:sensor-2.test", "--exercise", "winter-sensor")
    line = native(1, type="system-compromise", identifier="in-both", source={"ip": "203.0.113.54"}, severity=80)
    daemon.send_lines([line])
    with daemon.sensor(certificates.sensor2) as sensor:
        sensor.send([line])
        sensor.wait_ack(1)
    daemon.settle()
    shown = [daemon.cirt("report", "show", one["id"]) for one in by_identifier(daemon, "in-both")]
    assert sorted(one["exercise"] or "" for one in shown) == ["", "winter-sensor"]
    assert all(one["count"] == 1 for one in shown)
    wait_for(lambda: all(one["case"] for one in by_identifier(daemon, "in-both")), 30, "the cases", every=0.3)
    cases = [one["case"] for one in by_identifier(daemon, "in-both")]
    assert len(set(cases)) == 2
    flags = daemon.psql("SELECT count(*) FILTER (WHERE c.exercise <> 0), count(*) FILTER (WHERE c.exercise = 0) FROM cirt.cases c"
                        f" WHERE number IN ('{cases[0]}', '{cases[1]}')")
    assert flags == [["1", "1"]]
    with pytest.raises(AssertionError):
        daemon.psql("UPDATE cirt.cases SET exercise = 0 WHERE exercise <> 0")


def test_trap_10_what_a_sighting_carried_is_seen_on_its_report(daemon):
    """The second alert of one kind folds; that its payload is EICAR stands on the report, and when that was seen."""
    eicar = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    alert = {"event_type": "alert", "src_ip": "203.0.113.61", "src_port": 40000, "dest_ip": "198.51.100.61", "dest_port": 80, "proto": "TCP",
             "alert": {"action": "allowed", "gid": 1, "signature_id": 990061, "rev": 1, "signature": "LAB download", "severity": 2}}
    for ago, payload in ((600, b"GET / HTTP/1.0"), (300, eicar.encode()), (200, eicar.encode())):
        daemon.send_lines([json.dumps({**alert, "timestamp": stamp(ago), "payload": base64.b64encode(payload).decode()}).encode()])
        daemon.settle()
    report, = by_identifier(daemon, "sid-990061")
    assert report["count"] == 3
    found = daemon.cirt("report", "show", report["id"])["verdicts"]
    seen = [one["seen"] for one in found if "eicar" in one["rule"].lower()]
    assert len(seen) == 1 and seen[0], found
    assert "eicar" in daemon.cirt_text("report", "show", report["id"]).stdout.lower()
