"""Operators over mutual TLS: who may come, what each role may do, how soon a right ends, who sees what, what two people have to do."""
import json
import re
import socket
import ssl
import subprocess
import threading

import pytest

from harness import Daemon, Ports, wait_for

ROLES = {"anna": "analyst", "ben": "analyst", "tom": "trainee", "vic": "viewer", "lea": "lead", "ada": "admin"}


class Desk:
    """A daemon whose operators come from elsewhere, each by a certificate of his own."""

    def __init__(self, programs, certificates, **sections):
        self.ports = Ports()
        self.port = self.ports.take()
        self.certificates = certificates
        self.pairs = {name: certificates.issue(name, f"{name}.test") for name in [*ROLES, "gone", "zoe"]}
        subprocess.run(["chmod", "-R", "a+rX", certificates.folder], check=True)
        self.daemon = Daemon(programs, certificates, sections={**sections, "desk": {
            "listen": [f"127.0.0.1:{self.port}"], "certificate": certificates.door[2], "key": certificates.door[3], "ca": certificates.ca[2]}})
        self.daemon.start()
        for name, role in ROLES.items():
            self.daemon.cirt("operator", "new", name, "--role", role, "--certificate", self.pairs[name][2])

    def remove(self):
        self.daemon.remove()
        self.ports.release()

    def command(self, pair, *arguments):
        return [str(self.daemon.programs.cirt), "--server", f"localhost:{self.port}", "--certificate", str(pair[2]), "--key", str(pair[3]),
                "--ca", str(self.certificates.ca[2]), *map(str, arguments)]

    def run(self, who, *arguments, **more):
        """cirt as this operator; the finished process."""
        pair = self.pairs[who] if isinstance(who, str) else who
        return subprocess.run(self.command(pair, *arguments), capture_output=True, text=True, timeout=60, check=False,
                              env=dict(self.daemon.environment(), **more))

    def ask(self, who, *arguments):
        """What the desk answers, parsed."""
        done = self.run(who, "--json", *arguments)
        assert done.returncode == 0, (who, arguments, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def refused(self, who, *arguments):
        """Exit 4 and what is said to the person."""
        done = self.run(who, *arguments)
        assert done.returncode == 4, (who, arguments, done.returncode, done.stdout, done.stderr)
        return done.stderr

    def connect(self, pair, version=None):
        """A raw connection."""
        context = self.certificates.client_context(pair)
        if version:
            context.minimum_version = context.maximum_version = version
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=30), server_hostname="localhost")

    def case(self, title):
        return self.daemon.psql(f"INSERT INTO cirt.cases (title) VALUES ('{title}') RETURNING number")[0][0]


@pytest.fixture(scope="module")
def desk(programs, certificates):
    desk = Desk(programs, certificates)
    yield desk
    desk.remove()


def test_who_comes_by_certificate_is_the_operator_of_its_key(desk):
    who = desk.ask("anna", "whoami")
    assert (who["operator"], who["role"], who["uid"]) == ("anna", "analyst", None)
    assert who["certificate"] == desk.ask("vic", "operator", "show", "anna")["certificate"]
    assert "anna · analyst · by the certificate " + who["certificate"] in desk.run("anna", "whoami").stdout
    local = desk.daemon.cirt("whoami")
    assert (local["role"], local["configured"], local["certificate"]) == ("admin", True, None)
    number = desk.case("a case over TLS")
    assert desk.ask("anna", "case", "take", number)["assignee"] == "anna"
    assert [row["actor"] for row in desk.ask("vic", "journal", number, "--by", "anna")["items"]]


def test_the_place_stands_in_a_file(desk, open_folder):
    """cirt.conf; what is said nearer goes before; a broken one is named by its line."""
    pair = desk.pairs["vic"]
    folder = open_folder / "cirt"
    folder.mkdir()
    (folder / "cirt.conf").write_text(f"# the desk\nserver = localhost:{desk.port}\n certificate={pair[2]}\nkey = {pair[3]}\n"
                                      f"ca = {desk.certificates.ca[2]}\n")
    environment = {key: value for key, value in desk.daemon.environment().items() if key not in ("CIRT_SOCKET", "CIRT_SERVER")}
    environment["XDG_CONFIG_HOME"] = str(open_folder)
    program = str(desk.daemon.programs.cirt)

    def run(*arguments):
        return subprocess.run([program, "--json", *arguments], capture_output=True, text=True, timeout=60, check=False, env=environment)

    assert json.loads(run("whoami").stdout)["operator"] == "vic"
    assert json.loads(run("--socket", str(desk.daemon.socket), "whoami").stdout)["role"] == "admin"
    (folder / "cirt.conf").write_text("server = x\nport = 7\n")
    wrong = run("whoami")
    assert wrong.returncode == 2 and "cirt.conf:2: expected socket, server" in wrong.stderr, wrong


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_certificates_that_are_no_operators_are_refused(desk):
    """Of our authority but nobody's: at the first request. Of another, expired, or none: in the handshake."""
    said = desk.refused("zoe", "case", "list")
    assert "no operator has this certificate" in said and re.search("[0-9a-f]{64}", said)
    assert "cirtd does not answer" in desk.run("zoe", "version").stdout
    for pair in (desk.certificates.wrong, desk.certificates.expired):
        assert desk.run(pair, "whoami").returncode in (1, 4), pair[2]
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with desk.connect(None) as connection:
            connection.sendall(b'{"jsonrpc":"2.0","id":1,"method":"version"}\n')
            if not connection.recv(100):
                raise ConnectionError("ended")
    with pytest.raises(ssl.SSLError):
        desk.connect(desk.pairs["vic"], ssl.TLSVersion.TLSv1_1)


def test_the_server_has_to_be_who_it_says(desk):
    """Another name than the certificate's, or another authority: nothing is sent."""
    pair = desk.pairs["vic"]
    base = desk.command(pair, "whoami")
    base[base.index("--ca") + 1] = str(desk.certificates.other_ca[2])
    wrong = subprocess.run(base, capture_output=True, text=True, timeout=60, check=False, env=desk.daemon.environment())
    assert wrong.returncode == 4 and "no TLS with it" in wrong.stderr, wrong


def test_there_are_no_tickets(desk):
    """A session cannot be taken up again without the certificate."""
    with desk.connect(desk.pairs["vic"], ssl.TLSVersion.TLSv1_2) as connection:
        connection.sendall(b'{"jsonrpc":"2.0","id":1,"method":"whoami"}\n')
        assert b'"vic"' in connection.recv(4096)
        assert not connection.session.has_ticket


def test_each_role_does_what_the_table_says(desk):
    """A trainee notes and takes; he does not close, send or restrict. Only an admin lets people in."""
    number = desk.case("roles")
    assert "needs the role trainee; vic is viewer" in desk.refused("vic", "case", "note", number, "x")
    desk.ask("tom", "case", "take", number)
    desk.ask("tom", "case", "note", number, "asked the owner")
    for words in (["case", "close", number, "--outcome", "resolved"], ["case", "restrict", number], ["notice", "send", "--all"],
                  ["approve", "give", "1"], ["case", "move", number, "contained"]):
        assert "needs the role analyst; tom is trainee" in desk.refused("tom", *words), words
    assert "needs the role lead" in desk.refused("anna", "rule", "delete", "constituents")
    assert "needs the role admin" in desk.refused("lea", "operator", "set", "lea", "--role", "admin")
    assert "needs the role admin" in desk.refused("lea", "operator", "new", "friend", "--role", "viewer")


def test_the_last_admin_stays(desk):
    done = desk.run("ada", "operator", "disable", "ada")
    assert done.returncode == 1 and "ada is the last admin" in done.stderr, done
    assert desk.daemon.cirt("operator", "disable", "ada", check=False).returncode == 1


def test_a_right_that_is_taken_away_ends_within_seconds(desk):
    """Of a connection that is open: the next request, and a stream that runs by itself."""
    desk.daemon.cirt("operator", "new", "gone", "--role", "analyst", "--certificate", desk.pairs["gone"][2])
    watch = subprocess.Popen(desk.command(desk.pairs["gone"], "watch"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                             env=desk.daemon.environment())
    with desk.connect(desk.pairs["gone"]) as connection:
        def asked(number):
            connection.sendall(b'{"jsonrpc":"2.0","id":%d,"method":"case.list"}\n' % number)
            line = b""
            while not line.endswith(b"\n"):
                piece = connection.recv(65536)
                if not piece:
                    return None
                line += piece
            return json.loads(line)

        assert "result" in asked(1)
        answer = desk.daemon.cirt("operator", "disable", "gone", "--reason", "left")
        assert answer["enabled"] is False

        def is_over():
            try:
                answer = asked(2)
            except (OSError, ssl.SSLError):
                return True
            return answer is None or "error" in answer

        wait_for(is_over, 30, "the open connection to have no right", every=0.5)
    watch.wait(30)
    assert watch.returncode != 0
    watch.stderr.close()
    assert "no operator has this certificate" in desk.refused("gone", "case", "list")
    desk.daemon.cirt("operator", "enable", "gone")
    assert desk.ask("gone", "whoami")["role"] == "analyst"


def test_hostile_clients_take_nothing_from_others(desk):
    """Garbage instead of TLS, garbage in it, a line without an end, one that is fed slowly, deep JSON: each ends; others are served."""
    held = []
    for bytes_ in (b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01" + b"\xff" * 300, b"", b"\0" * 1000):
        raw = socket.create_connection(("127.0.0.1", desk.port), timeout=30)
        raw.sendall(bytes_)
        held.append(raw)
    with desk.connect(desk.pairs["tom"]) as connection:
        connection.sendall(b"\x1b[2J garbage\n" + b"[" * 100000 + b"\n" + b'{"jsonrpc":"2.0","id":1,"method":"whoami"}\n')
        seen = b""
        while b'"tom"' not in seen:
            piece = connection.recv(65536)
            assert piece, seen
            seen += piece
        assert seen.count(b'"error"') >= 2
    with desk.connect(desk.pairs["tom"]) as connection:
        def feed():
            try:
                for _ in range(200):
                    connection.sendall(b"x" * 1000000)
            except OSError:
                pass

        writer = threading.Thread(target=feed)
        writer.start()
        seen = b""
        try:
            while piece := connection.recv(65536):
                seen += piece
        except OSError:
            pass
        writer.join(60)
        assert b"the line is too long" in seen
    assert desk.ask("vic", "whoami")["operator"] == "vic"
    for raw in held:
        raw.close()


def test_one_address_does_not_take_all_connections(desk):
    held = [socket.create_connection(("127.0.0.1", desk.port), timeout=30) for _ in range(60)]
    try:
        assert desk.daemon.cirt("whoami")["role"] == "admin", "who sits at the machine gets in"
        assert desk.run("vic", "whoami").returncode != 0, "from this address too many wait already"
    finally:
        for raw in held:
            raw.close()
    wait_for(lambda: desk.run("vic", "whoami").returncode == 0, 30, "the places that were left")


def test_one_user_does_not_take_all_connections(desk):
    held = []
    try:
        for _ in range(80):
            held.append(socket.socket(socket.AF_UNIX))
            held[-1].connect(str(desk.daemon.socket))
        refused = desk.daemon.cirt_text("whoami", check=False)
        assert refused.returncode == 1 and "too many connections of its Unix user: try again" in refused.stderr
        assert desk.ask("vic", "whoami")["operator"] == "vic", "others get in"
    finally:
        for raw in held:
            raw.close()
    wait_for(lambda: desk.daemon.cirt_text("whoami", check=False).returncode == 0, 30, "the places that were left")


# Connects so often and says how many stay; ends with its standard input.
CROWD = """import socket, sys
held = [socket.socket(socket.AF_UNIX) for _ in range(int(sys.argv[2]))]
for one in held:
    one.connect(sys.argv[1])
kept, wait = 0, True
for one in held:
    one.settimeout(0.3 if wait else 0.01)
    try:
        one.recv(1)
    except TimeoutError:
        kept, wait = kept + 1, False
print(kept, flush=True)
sys.stdin.read()
"""


def test_many_users_together_leave_a_place_to_leads(desk):
    """The share of each falls as places get fewer, and the last ones are for who leads: by uid or the name of his user."""
    desk.ask("ada", "operator", "new", "lars", "--role", "lead", "--uid", "52000")
    desk.ask("ada", "operator", "new", "nick", "--role", "analyst", "--uid", "52001")

    def local(uid):
        return subprocess.run(["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", str(desk.daemon.programs.cirt), "--socket",
                               str(desk.daemon.socket), "whoami"], capture_output=True, text=True, timeout=60, check=False, env=desk.daemon.environment())
    crowds, kept = [], []
    try:
        for uid in range(52010, 52024):
            crowds.append(subprocess.Popen(["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "/usr/bin/python3", "-c", CROWD,
                                            str(desk.daemon.socket), "70"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            kept.append(int(crowds[-1].stdout.readline()))
        assert kept[:2] == [60, 60] and kept == sorted(kept, reverse=True) and kept[-1] == 0 and sum(kept) == 188, kept
        assert "too many connections of operators" in local(52001).stderr, "an analyst waits"
        wait_for(lambda: "lars" in local(52000).stdout, 30, "a place for the lead")
        assert desk.daemon.cirt("whoami")["role"] == "admin"
    finally:
        for crowd in crowds:
            crowd.stdin.close()
            crowd.wait(20)
            crowd.stdout.close()
    wait_for(lambda: "nick" in local(52001).stdout, 30, "the places that were left")


def test_a_restricted_case_is_for_its_members(desk):
    number = desk.case("at the ministry")
    desk.ask("anna", "case", "note", number, "before")
    assert desk.ask("lea", "case", "restrict", number, "--to", "anna,tom")["members"] == ["anna", "tom"]
    for who in ("anna", "tom", "lea"):
        assert desk.ask(who, "case", "show", number)["number"] == number
        assert number in [row["number"] for row in desk.ask(who, "case", "list", "--limit", "1000")["items"]]
    assert "restricted" in desk.refused("ben", "case", "show", number)
    assert "restricted" in desk.refused("ben", "case", "note", number, "peeping")
    assert "restricted" in desk.refused("ben", "case", "unrestrict", number)
    assert "restricted" in desk.refused("vic", "journal", number)
    assert number not in [row["number"] for row in desk.ask("ben", "case", "list", "--limit", "1000")["items"]]
    assert number not in json.dumps(desk.ask("ben", "journal", "--limit", "1000"))
    desk.ask("anna", "case", "unrestrict", number, "--reason", "told the press")
    assert desk.ask("ben", "case", "show", number)["number"] == number


def test_strange_names_do_not_reach_the_terminal(desk):
    """Of an operator, in the journal's text."""
    number = desk.case("strange \\x1b[31m")
    desk.daemon.psql(f"UPDATE cirt.cases SET title = E'red \\x1b[31m \\u202e' WHERE number = '{number}'")
    shown = desk.run("vic", "journal", number).stdout
    assert "\x1b[31m" not in shown and "\u202e" not in shown and "\\x1b[31m" in shown


def test_evidence_of_red_leaves_by_two_people(desk, open_folder):
    """Whatever is said of the case: one report of TLP:RED in it is enough. Who is alone breaks the glass."""
    number = desk.case("handed over in red")
    (open_folder / "sample").write_bytes(b"a sample")
    desk.ask("anna", "evidence", "add", number, open_folder / "sample")
    assert desk.ask("anna", "evidence", "export", number, "--output", open_folder / "amber")["files"] == 1
    desk.ask("anna", "case", "set", number, "--tlp", "red")
    empty = desk.case("nothing in it")
    desk.ask("anna", "case", "set", empty, "--tlp", "red")
    assert "has no evidence" in desk.run("anna", "evidence", "export", empty, "--output", open_folder / "none").stderr
    waits = desk.ask("anna", "evidence", "export", number, "--output", open_folder / "red", "--reason", "the police ask")
    assert waits["waits"] and not (open_folder / "red").exists()
    said = desk.run("anna", "evidence", "export", number, "--output", open_folder / "red").stdout
    assert "waits for a second person: take the evidence of " + number in said and "say it again yourself" in said
    exported = lambda: [row for row in desk.ask("lea", "journal", number)["items"] if row["action"] == "evidence exported"]
    assert len(exported()) == 1
    assert "your own" in desk.refused("anna", "approve", "give", waits["approval"]["approval"])
    desk.ask("ben", "approve", "give", waits["approval"]["approval"])
    assert desk.ask("ben", "evidence", "export", number, "--output", open_folder / "red")["waits"], "it was let go for anna"
    assert desk.ask("anna", "evidence", "export", number, "--output", open_folder / "red")["tlp"] == "RED"
    assert (open_folder / "red" / "SHA256SUMS").read_text().startswith("# TLP:RED\n") and len(exported()) == 2
    assert desk.ask("anna", "evidence", "export", number, "--output", open_folder / "twice")["waits"], "once is once"
    assert desk.ask("anna", "evidence", "export", number, "--output", open_folder / "alone", "--break-glass", "03:00, court order")["tlp"] == "RED"
    assert [row["state"] for row in desk.ask("lea", "approve", "list")["items"] if number in row["what"]] == ["countersign"]
    assert any("court order" in row["text"] for row in desk.ask("lea", "alarm", "list")["items"])


def test_a_key_is_given_up_by_two_people(desk):
    """Who asked says it again when a lead has let it go; then it is gone, and nobody is asked about it any more."""
    key = desk.ask("ada", "key", "import", desk.certificates.sensor[2])["keys"][0]
    assert desk.run("ada", "key", "remove", "ABCD").returncode == 2
    waits = desk.ask("ada", "key", "remove", key.lower(), "--reason", "their staff changed")["approval"]
    assert key in waits["what"] and waits["why"] == "their staff changed"
    assert "needs the role lead" in desk.refused("anna", "approve", "give", waits["approval"])
    desk.ask("lea", "approve", "give", waits["approval"])
    assert desk.ask("ada", "key", "remove", key)["keys"] == [key]
    again = desk.run("ada", "key", "remove", key)
    assert again.returncode == 3 and "there is no key" in again.stderr


# By kind of what two people have to do: words that ask for it, and are wrong.
WRONG = {
    "mail": (["notice", "approve", "N2026-987654"], ["mail", "--case", "2026-987654", "--to", "a@b.example", "--text", "/dev/null", "--break-glass", "why"]),
    "note-erase": (["note", "erase", "987654", "--reason", "why"], ["note", "erase", "987654", "--break-glass", "why"]),
    "ask": (["ask", "no such group", "--question", "/etc/hostname", "--until", "2d"], ["ask", "kind:bank", "--question", "/etc/hostname", "--until", "no day"]),
    "inbox-answer": (["inbox", "answer", "987654"], ["inbox", "answer", "987654", "--break-glass", "why"]),
    "evidence-export": (["evidence", "export", "2026-987654", "--output", "/nowhere/out"], ["evidence", "export", "2026-987654", "--output", "{folder}/out"]),
    "key-remove": (["key", "remove", "ABCD"], ["key", "remove", "AB" * 20], ["key", "remove", "AB" * 20, "--break-glass", "why"]),
}


def test_nobody_is_asked_about_what_cannot_be_done(desk, tmp_path):
    """What is wrong with the words is said before a second person is asked, or the glass is broken."""
    assert set(WRONG) == {row[0] for row in desk.daemon.psql("SELECT kind FROM cirt.approval_kind")}
    before = desk.daemon.psql("SELECT max(id) FROM cirt.approval")
    for words in (words for of_kind in WRONG.values() for words in of_kind):
        done = desk.run("ada", *(word.format(folder=tmp_path) for word in words))
        assert done.returncode != 0, (words, done)
    assert desk.daemon.psql("SELECT max(id) FROM cirt.approval") == before and not list(tmp_path.iterdir())
