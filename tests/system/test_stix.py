"""STIX objects over their lives: versions, revocations, extensions, and a bundle as large as ATT&CK's."""
import json
import time
import uuid

import pytest

from harness import Daemon

PEER = "identity--00000001-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def desk(programs, certificates):
    daemon = Daemon(programs, certificates)
    daemon.start()
    yield daemon
    daemon.remove()


def indicator(number, minute=0, host=None, **more):
    """An indicator as its creator has it since that minute."""
    one = {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{number:08d}-0000-4000-8000-000000000000",
           "created_by_ref": PEER, "created": "2026-11-01T00:00:00.000Z", "modified": f"2026-11-01T00:{minute:02d}:00.000Z",
           "name": f"Gate {number}", "pattern": f"[domain-name:value = '{host or f'gate-{number}.example'}']",
           "pattern_type": "stix", "valid_from": "2026-11-01T00:00:00Z", "indicator_types": ["malicious-activity"]}
    one.update(more)
    return one


def submit(desk, tmp_path, objects):
    """Submit a bundle of these; what became of its items."""
    path = tmp_path / f"{uuid.uuid4()}.json"
    path.write_text(json.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": objects}))
    before = desk.settle()["items"]
    desk.cirt("submit", path)
    after = desk.settle(120)["items"]
    return {name: after[name] - before[name] for name in after}


def found(desk, what):
    return [report["id"] for report in desk.cirt("report", "search", what)["items"]]


def wait_for(condition):
    for _ in range(100):
        if condition():
            return
        time.sleep(0.2)
    raise AssertionError("it did not come about")


def test_newer_version_updates_the_report(desk, tmp_path):
    assert submit(desk, tmp_path, [indicator(1)])["reports"] == 1
    items = submit(desk, tmp_path, [indicator(1, 5, "moved.example", name="Gate 1, moved", confidence=90)])
    assert (items["reports"], items["folded"]) == (0, 1)
    (report,) = found(desk, "gate-1.example")
    assert found(desk, "moved.example") == [report]
    shown = desk.cirt("report", "show", report)
    newer, older = shown["versions"]
    assert newer["holds"] and newer["title"] == "Gate 1, moved" and "name indicator moved.example" in newer["observables"]
    assert not older["holds"] and older["version"] == "2026-11-01T00:00:00.000Z"
    assert json.loads(newer["doc"])["confidence"] == 90
    assert shown["count"] == 1 and not shown.get("gone")
    text = desk.cirt_text("report", "show", report).stdout
    assert "Gate 1, moved" in text and "moved.example" in text


def test_older_version_and_the_same_one_change_nothing(desk, tmp_path):
    submit(desk, tmp_path, [indicator(2, 5)])
    (report,) = found(desk, "gate-2.example")
    for again in (indicator(2, 5), indicator(2, 1, "before.example")):
        items = submit(desk, tmp_path, [again])
        assert (items["reports"], items["folded"]) == (0, 1)
    assert found(desk, "before.example") == []
    assert desk.cirt("report", "show", report)["count"] == 1


def test_revoked_report_is_marked_and_stays_so(desk, tmp_path):
    submit(desk, tmp_path, [indicator(3)])
    (report,) = found(desk, "gate-3.example")
    submit(desk, tmp_path, [indicator(3, 5, revoked=True)])
    wait_for(lambda: desk.cirt("report", "show", report).get("revoked"))
    submit(desk, tmp_path, [indicator(3, 9)])
    shown = desk.cirt("report", "show", report)
    assert shown["gone"] and shown["revoked"]
    assert [one["version"] for one in shown["versions"] if one["revoked"]] == ["2026-11-01T00:05:00.000Z"]
    assert found(desk, "gate-3.example") == [report]
    journal = desk.psql(f"SELECT string_agg(action, ',' ORDER BY n) FROM cirt.journal WHERE object = 'report/' || "
                        f"(SELECT id FROM cirt.report WHERE sender_id = '{indicator(3)['id']}')")
    assert "revoked by its creator" in journal[0][0]


def test_custom_objects_and_extensions_are_kept_whole(desk, tmp_path):
    extension = "extension-definition--00000007-0000-4000-8000-000000000007"
    objects = [
        {"type": "extension-definition", "spec_version": "2.1", "id": extension, "created_by_ref": PEER,
         "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z", "name": "Ranks",
         "schema": "https://schema.example/rank", "version": "1.0", "extension_types": ["toplevel-property-extension", "new-sdo"],
         "extension_properties": ["rank"]},
        indicator(4, rank=[1, {"of": 2.50}], extensions={extension: {"extension_type": "toplevel-property-extension"}}),
        {"type": "x-water-meter", "spec_version": "2.1", "id": "x-water-meter--00000004-0000-4000-8000-000000000004",
         "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z", "litres": 1e3, "place": "Zürich",
         "extensions": {extension: {"extension_type": "new-sdo"}}}]
    assert submit(desk, tmp_path, objects)["quarantined"] == 0
    for one in objects:
        kept = desk.psql(f"SELECT text FROM cirt.stix_object WHERE id = '{one['id']}'")
        assert json.loads(kept[0][0]) == one


def test_wallet_of_a_mail_is_searched_however_it_is_written(desk):
    """Found by its checksum; Ethereum's case is its checksum, and not part of it."""
    wallet = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    body = (f"From: victim@bank.example\r\nTo: report@cirt.example\r\nSubject: They want money\r\n"
            f"Message-ID: <wallet@bank.example>\r\n\r\nPay to {wallet} or visit pay[.]evil dot example dot com.\r\n")
    assert "2." in desk.send_mail(body.encode())
    desk.settle()
    (report,) = found(desk, wallet)
    assert found(desk, wallet.lower()) == [report]
    assert found(desk, "pay.evil.example.com") == [report]
    shown = desk.cirt("report", "show", report)
    assert {"type": "wallet", "role": "indicator", "value": wallet.lower()} in shown["observables"]


def attack(count):
    """As many objects as that, of the kinds and in the proportions of ATT&CK, each related to others."""
    created = {"spec_version": "2.1", "created_by_ref": PEER, "created": "2026-11-01T00:00:00.000Z",
               "modified": "2026-11-02T00:00:00.000Z", "object_marking_refs":
               ["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]}
    objects = [{"type": "identity", "id": PEER, "name": "A peer", **{k: v for k, v in created.items() if k != "created_by_ref"}}]
    for number in range(1, count):
        kind = ("attack-pattern", "malware", "course-of-action", "relationship", "relationship", "relationship", "indicator",
                "relationship")[number % 8]
        one = {"type": kind, "id": f"{kind}--{number:08d}-0000-4000-8000-00000000000a", **created}
        if kind == "relationship":
            other = number - number % 8 + 8
            if other >= count:
                other = 8
            one.update(relationship_type="indicates", source_ref=f"indicator--{number - number % 8 + 6:08d}-0000-4000-8000-00000000000a",
                       target_ref=f"malware--{other + 1:08d}-0000-4000-8000-00000000000a")
        elif kind == "indicator":
            one.update(pattern=f"[ipv4-addr:value = '198.51.{number // 250 % 250}.{number % 250}']", pattern_type="stix",
                       valid_from="2026-11-01T00:00:00Z", name=f"Address {number}")
        else:
            one.update(name=f"{kind} {number}", description="What it does, in many words. " * 20, external_references=[
                {"source_name": "a-list", "external_id": f"T{number}", "url": f"https://list.example/T{number}"}])
        if kind == "malware":
            one.update(is_family=True)
        objects.append(one)
    return objects


def test_twenty_thousand_objects_land_whole(desk, tmp_path):
    objects = attack(20000)
    indicators = sum(one["type"] == "indicator" for one in objects)
    started = time.monotonic()
    items = submit(desk, tmp_path, objects)
    print(f"20,000 objects in {time.monotonic() - started:.1f} s")
    assert items["found"] == 20000 and items["quarantined"] == 0
    assert items["reports"] == indicators and items["context"] == 20000 - indicators
    started = time.monotonic()
    items = submit(desk, tmp_path, objects)
    print(f"and again in {time.monotonic() - started:.1f} s")
    assert items["folded"] == 20000
    assert desk.psql("SELECT count(*) FROM cirt.stix_object WHERE id LIKE '%-00000000000a'") == [["19999"]]
