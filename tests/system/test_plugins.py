"""The plugins in a whole daemon: what is known is lowered, what imitates is named, what is alike is linked."""
import json

import pytest

from harness import mail, native, wait_for

PLUGINS = ("warninglist", "lookalike", "similar")
LETTER = ("Dear customer, your account was suspended because we could not verify your last payment. Please follow the link below and "
          "confirm your name, your card and the code that was sent to your telephone, or the account will be closed for good and all of "
          "your savings will be frozen by our security department. Visit {link} before {day}, {name}.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Lists and names, where unprivileged rooms need not reach them: the supervisor opens them."""
    folder = tmp_path_factory.mktemp("plugins")
    for parent in [folder, *folder.parents][:4]:
        parent.chmod(parent.stat().st_mode | 0o055)
    (folder / "lists" / "resolvers").mkdir(parents=True)
    (folder / "lists" / "resolvers" / "list.json").write_text(json.dumps(
        {"name": "resolvers", "type": "cidr", "matching_attributes": ["ip-src"], "list": ["203.0.113.53/32"]}))
    (folder / "lists" / "sites.json").write_text(json.dumps(
        {"name": "large sites", "type": "hostname", "matching_attributes": ["hostname", "url"], "list": ["large.example"]}))
    (folder / "lists" / "README").write_text("no list")
    (folder / "names.csv").write_text("examplebank.example,Example Bank\n")
    return folder


@pytest.fixture(scope="module")
def daemon(programs, certificates, folder):
    from harness import Daemon
    daemon = Daemon(programs, certificates, plugins=PLUGINS, sections={
        "plugin warninglist": {"lists": folder / "lists"}, "plugin lookalike": {"names": folder / "names.csv"}})
    daemon.start()
    daemon.add_sensor()
    yield daemon
    daemon.remove()


def newest(daemon):
    return daemon.cirt("report", "show", daemon.cirt("report", "list", "--limit", 1)["items"][0]["id"])


def test_all_are_loaded(daemon):
    assert {(one["name"], one["state"]) for one in daemon.cirt("plugin", "list")["items"]} == {(name, "loaded") for name in PLUGINS}


def test_what_is_known_is_lowered_and_says_why(daemon):
    daemon.send_lines([native(1, identifier="resolver", source={"ip": "203.0.113.53"}, severity=70)])
    daemon.settle()
    report = newest(daemon)
    assert (report["severity"], report["tags"]) == ("info", ["known-good"])
    assert any("resolvers" in note and "70 to 10" in note for note in report["notes"])
    assert [(one["engine"], one["rule"], one["outcome"]) for one in report["verdicts"]] == [
        ("warninglist 1", "resolvers", "known ip 203.0.113.53: 203.0.113.53/32")]


def test_what_imitates_is_named(daemon):
    daemon.send_lines([native(1, identifier="imitates", type="phishing", severity=30,
                              source={"ip": "198.51.100.9", "name": "login-examplebank.example.net"})])
    daemon.settle()
    report = newest(daemon)
    assert report["severity"] == "high"
    assert "lookalike" in report["tags"]
    assert {"type": "name", "role": "imitated", "value": "examplebank.example"} in report["observables"]
    assert any(one["rule"] == "lookalike of examplebank.example" and "Example Bank" in one["outcome"] for one in report["verdicts"])


def test_the_register_writes_the_names(daemon):
    daemon.psql("INSERT INTO cirt.organisation (name) VALUES ('Telco, Ltd'), ('Gone')")
    daemon.psql("INSERT INTO cirt.organisation_domain SELECT id, 'telco.example' FROM cirt.organisation WHERE name = 'Telco, Ltd'")
    daemon.psql("INSERT INTO cirt.organisation_domain SELECT id, 'gone.example', tstzrange(NULL, now() - interval '1 day')"
                " FROM cirt.organisation WHERE name = 'Gone'")
    assert daemon.cirt("org", "domains")["items"] == [{"domain": "telco.example", "organisation": "Telco, Ltd"}]
    assert daemon.cirt_text("org", "domains").stdout == "domain,organisation\ntelco.example,Telco, Ltd\n"


def test_near_duplicates_are_linked_and_never_folded(daemon):
    """Two letters of one campaign with other links and names, and one that is another."""
    texts = [LETTER.format(link="http://one.example/a", day="Monday", name="Jane"),
             LETTER.format(link="http://two.example/b", day="Friday", name="John Doe"),
             "The minutes of the last meeting are attached; the next one is about the new building, the cost of its heating and the "
             "colour of the chairs in the larger of both halls, and whoever wants to speak there may tell us so by letter until then."]
    for number, text in enumerate(texts):
        daemon.send_mail(mail(f"Letter {number}", text), recipients=["phish@cirt.example"])
        daemon.settle()
    other, second, first = [daemon.cirt("report", "show", one["id"]) for one in daemon.cirt("report", "list", "--limit", 3)["items"]]
    assert first["count"] == second["count"] == 1

    def similar():
        return daemon.cirt("report", "show", second["id"])["similar"]
    links = wait_for(similar, 30, "the keeper to link them")
    assert [one["report"] for one in links] == [first["id"]] and 0.6 <= links[0]["score"] < 1
    assert [one["report"] for one in daemon.cirt("report", "show", first["id"])["similar"]] == [second["id"]]
    assert daemon.cirt("report", "show", other["id"])["similar"] == []
    assert [one["kind"] for one in daemon.cirt("report", "show", first["id"])["similarities"]] == ["text"]
    shown = daemon.cirt_text("report", "show", second["id"]).stdout
    assert "SIMILAR" in shown and first["id"] in shown
