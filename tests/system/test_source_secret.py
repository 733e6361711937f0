"""What a source asks for as proof of who we are is the exchange's alone: it stands nowhere that a person, a log or another room reads."""
import socket

from harness import Daemon, wait_for

# Ways to say it, of what is secret in them.
SECRETS = ["n3ver-t0ld-bearer", "n3ver-t0ld-pass", "n3ver-t0ld-misp", "n3ver-t0ld-other"]


def closed_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_secret_of_a_source_is_nowhere(programs, certificates):
    """In answers, refusals, the journal, alarms, acts, the desk's tables as the desk may read them, and the log of all rooms."""
    daemon = Daemon(programs, certificates)
    daemon.start()
    said = []

    def cirt(*words):
        done = daemon.cirt_text("--json", *words, check=False)
        said.append((words[:3], done.stdout + done.stderr))
        return done.returncode

    try:
        url = f"https://127.0.0.1:{closed_port()}/"
        assert cirt("source", "add", "told-feed", "--kind", "feed", "--match", url, "--auth", f"bearer {SECRETS[0]}", "--interval", "1") == 0
        assert cirt("source", "add", "told-taxii", "--kind", "taxii", "--match", url + "t/", "--auth", f"user:{SECRETS[1]}", "--interval", "1") == 0
        assert cirt("source", "add", "told-misp", "--kind", "misp", "--match", url + "m/", "--auth", f"key {SECRETS[2]}", "--interval", "1") == 0
        assert cirt("source", "set", "told-misp", "--auth", f"key {SECRETS[3]}", "--trust", "40") == 0
        # What is refused is refused without it: a name that is taken, a key that is cut short.
        assert cirt("source", "add", "told-feed", "--kind", "feed", "--match", url, "--auth", f"bearer {SECRETS[0]}") != 0
        assert cirt("source", "set", "told-feed", "--auth", f"certificate -----BEGIN {SECRETS[0]}") != 0
        cirt("source", "set", "told-feed", "--auth", SECRETS[0] * 5000)
        assert cirt("source", "set", "told-feed", "--auth", f"bearer {SECRETS[0]}\n\x1b[2J", "--tlp", "no such") != 0
        wait_for(lambda: daemon.cirt("source", "show", "told-misp")["problem"], 30, "a pull that fails")
        for words in (["source", "list"], ["source", "show", "told-feed"], ["source", "show", "told-misp"], ["source", "pull", "told-misp"], ["status"], ["today"],
                      ["journal", "--limit", "1000"], ["journal", "source/told-misp"], ["alarm", "list", "--all"], ["undo", "--list", "--all"], ["search", "told"],
                      ["audit", "verify"]):
            cirt(*words)
        told = daemon.psql("SELECT after::jsonb ->> 'auth' FROM cirt.journal WHERE object = 'source/told-misp' ORDER BY id")
        assert ["set"] in told, ("that it was set is known", told)
        tables = [row[0] for row in daemon.psql("SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'cirt'::regnamespace AND relkind = 'r' AND relname <> 'source'"
                                                " AND reltuples < 100000")]
        rows = {table: daemon.psql(f"SELECT t::text FROM cirt.{table} t WHERE t::text LIKE '%n3ver-t0ld%'") for table in tables}
        assert {table for table, found in rows.items() if found and found != [[]]} == set()
        assert daemon.psql("SELECT has_column_privilege(r, 'cirt.source', 'auth', 'SELECT') FROM unnest(ARRAY['cirt_desk', 'cirt_keeper', 'cirt_store', 'cirt_courier']) r"
                           ) == [["f"]] * 4
    finally:
        daemon.stop()
        log = daemon.log_text()
        logs = "".join(path.read_text(errors="replace") for path in (daemon.folder / "state").rglob("*.log"))
        daemon.remove()
    wrong = [(words, secret) for words, text in said for secret in SECRETS if secret in text]
    assert not wrong, wrong
    assert not [secret for secret in SECRETS if secret in log + logs]
