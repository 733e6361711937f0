"""One box: whatever a person types is found where it stands."""
import subprocess

import pytest

from harness import wait_for

WAVE = "198.51.100.91"


@pytest.fixture(scope="module")
def desk(daemon):
    """A hospital, a case with a party, a reference and a note, and reports of it and of others."""
    daemon.cirt("org", "new", "Search Hospital", "--kind", "hospital", "--sector", "health", "--criticality", "critical",
                "--prefix", "198.51.100.64/26", "--domain", "searched.example")
    daemon.cirt("contact", "new", "Search Hospital", "--name", "Amara Okonkwo-Lindqvist", "--email", "it@searched.example",
                "--phone", "+99 555 0101")
    lines = [{"v": 1, "type": "system-compromise", "severity": 95, "identifier": "box-implant", "title": "Winterlock beacon",
              "source": {"ip": WAVE}, "target": {"name": "er.searched.example"}}]
    lines += [{"v": 1, "type": "vulnerable-system", "severity": 30, "identifier": "box-rdp", "source": {"ip": f"198.51.100.{n}"}}
              for n in range(100, 104)]
    daemon.send_lines(lines)
    daemon.settle()
    number = wait_for(lambda: daemon.all_pages("case", "list"), 30, "a case")[0]["number"]
    daemon.cirt("case", "note", number, "The gruffalo binary was on the paging server")
    daemon.psql("INSERT INTO cirt.reference (case_id, system, value) SELECT id, 'police', 'PN-2231/26' FROM cirt.cases")
    daemon.psql("INSERT INTO cirt.party (case_id, role, name, contact) SELECT id, 'police', 'Sergeant Umbriel',"
                " 'umbriel@police.example' FROM cirt.cases")
    return daemon, number


def found(daemon, *what):
    return daemon.cirt("search", *what)


def cases(daemon, *what):
    return [case["number"] for case in found(daemon, *what)["cases"]]


def test_an_address_is_told_whole(desk):
    daemon, number = desk
    answer = found(daemon, WAVE)
    assert answer["organisations"][0]["organisation"] == "Search Hospital"
    assert [case["number"] for case in answer["cases"]] == [number] and answer["cases"][0]["by"] == "reports"
    assert answer["reports"]["count"] == 1 and answer["reports"]["of"][0]["what"] == "box-implant"


def test_a_prefix_holds_what_lies_in_it(desk):
    daemon, _ = desk
    answer = found(daemon, "198.51.100.64/26")
    assert {one["what"]: one["count"] for one in answer["reports"]["of"]} == {"box-implant": 1, "box-rdp": 4}
    assert not answer["reports"]["more"] and len(answer["reports"]["newest"]) == 5


def test_a_name_holds_what_is_below_it(desk):
    daemon, number = desk
    assert cases(daemon, "searched.example") == [number]
    assert found(daemon, "searched.example")["organisations"][0]["organisation"] == "Search Hospital"


@pytest.mark.parametrize("what", [["PN-2231/26"], ["pn-2231/26"], ["Sergeant", "Umbriel"], ["umbriel@police.example"], ["gruffalo"],
                                  ["Winterlock"], ["box-implant"]])
def test_a_case_is_found_by_what_people_remember(desk, what):
    daemon, number = desk
    assert cases(daemon, *what) == [number]


def test_numbers_lead_to_what_they_name(desk):
    daemon, number = desk
    assert [(one["kind"], one["number"]) for one in found(daemon, number)["numbers"]] == [("case", number)]
    report = daemon.reports()[0]["id"]
    assert [one["kind"] for one in found(daemon, report)["numbers"]] == ["report"]
    assert found(daemon, "999999-1")["numbers"] == []


@pytest.mark.parametrize("what", [["it@searched.example"], ["+99 555 0101"], ["Okonkwo-Lindqvist"]])
def test_people_are_found(desk, what):
    daemon, _ = desk
    assert [one["organisation"] for one in found(daemon, *what)["people"]] == ["Search Hospital"]


def test_nothing_is_said_to_be_nothing(desk):
    daemon, _ = desk
    for what in ("no-such-word-at-all", "192.0.2.211", "'; DROP TABLE cirt.cases; --", "%", "\\", "0" * 400, "a" * 3000):
        answer = found(daemon, what)
        assert answer["cases"] == [] and answer["reports"]["count"] == 0 and answer["people"] == []
    text = subprocess.run([str(daemon.programs.cirt), "--socket", str(daemon.socket), "search", "no-such-word-at-all"], text=True,
                          capture_output=True, timeout=60, check=True, env=daemon.environment()).stdout
    assert text.startswith("Nothing of that")


def test_what_a_person_sees(desk):
    daemon, number = desk
    text = subprocess.run([str(daemon.programs.cirt), "--socket", str(daemon.socket), "search", WAVE], text=True, capture_output=True,
                          timeout=60, check=True, env=dict(daemon.environment(), LC_ALL="C.UTF-8")).stdout
    lines = {line[1:10].strip(): line for line in text.splitlines()}
    assert "Search Hospital (health, critical)" in lines["ORG"] and "198.51.100.64/26" in lines["ORG"]
    assert number in lines["CASES"] and "box-implant ×1" in lines["REPORTS"]
