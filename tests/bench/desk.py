#!/usr/bin/python3
"""Every verb that only reads, over the desk's socket, beside itself at a hundredth of the data.

    make bench-data [BENCH_REPORTS=1000000] [BENCH_FOLDER=FOLDER]     make both
    make bench-desk [BENCH_FOLDER=FOLDER]                             measure
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import harness  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
MOST = 2.0
PAGE = 20  # rows asked of what has pages: so many are there at a hundredth too
MONTHS = 36
PARTS = ("reports.sql", "cases.sql", "told.sql", "journal.sql")

LEFT_OUT = {
    "source discover": "asks a server elsewhere",
    "source pull": "asks a server elsewhere",
    "rules check": "compiles rules, reads no table",
    "audit verify": "reads the whole journal, by its nature",
    "org export": "writes the whole register, by its nature",
    "rule test": "tries a draft against all reports of a week, by its nature",
    "org domains": "writes the whole register's, by its nature",
    "watch": "does not end",
    "help": "the client's own",
}
# What stands for an argument; a list of them where it may be repeated. {} are asked of the database, see FACTS.
ARGUMENTS = {
    "case show": "{case}", "party list": "{case}", "event list": "{case}", "report show": "{report}", "mail show": "{mail}", "receipt": ["{entry}"],
    "rule why": "{report}", "report search": ["{ip}"], "mail search": ["{host}"], "search": ["{ip}"], "ref find": ["{reference}"], "org show": "{organisation}",
    "org who": "{ip}", "group show": "bench-group-1", "note show": "{note}", "source show": "bench-sensor-1", "notice show": "{notice}", "inbox show": "{group}",
    "regime show": "{regime}", "playbook show": "{playbook}", "rule show": "{rule}", "filing show": "{filing}", "evidence show": "{digest}",
    "inquiry show": "{inquiry}", "ask show": "{ask}", "operator show": "bench1", "approve show": "{approval}", "spam show": "{spam}",
    "exercise show": "bench-drill", "quarantine show": "{quarantine}", "measure show": "{measure}", "campaign show": "{campaign}",
}
MORE = {
    "case list --all": ("case.list", {"all": True, "limit": PAGE}),
    "case list --mine": ("case.list", {"mine": True, "limit": PAGE}),
    "case list --news": ("case.list", {"news": True, "limit": PAGE}),
    "case show of a large one": ("case.show", {"number": "{large}"}),
    "task list --all": ("task.list", {"all": True, "limit": PAGE}),
    "inbox people": ("inbox", {"what": "people", "limit": PAGE}),
    "inbox feeds": ("inbox", {"what": "feeds", "limit": PAGE}),
    "journal of a case": ("journal", {"object": "case/{case}", "limit": PAGE}),
    "report list --source": ("report.list", {"source": "bench-feed-1", "limit": PAGE}),
    "report list --since": ("report.list", {"since": "{since}", "limit": PAGE}),
    "search of a name": ("search", {"what": ["needle.planted.example"], "limit": PAGE}),
    "search of a name below": ("search", {"what": ["planted.example"], "limit": PAGE}),
    "search of an address met once": ("search", {"what": ["{rare}"], "limit": PAGE}),
    "search of a prefix": ("search", {"what": ["10.0.1.0/24"], "limit": PAGE}),
    "search of a wide prefix": ("search", {"what": ["10.0.0.0/16"], "limit": PAGE}),
    "search of words everywhere": ("search", {"what": ["odd", "things", "yesterday"], "limit": PAGE}),
    "search of a rare word": ("search", {"what": ["quetzalcoatl"], "limit": PAGE}),
    "search of a reference": ("search", {"what": ["{reference}"], "limit": PAGE}),
    "search of a person": ("search", {"what": ["needle@planted.example"], "limit": PAGE}),
    "search of a case": ("search", {"what": ["{case}"], "limit": PAGE}),
    "search of nothing there": ("search", {"what": ["203.0.113.254"], "limit": PAGE}),
    "report search of words": ("report.search", {"what": ["odd", "things"], "limit": PAGE}),
    "mail search of words": ("mail.search", {"what": ["found"], "limit": PAGE}),
}
# Rows asked of what has fewer than a page of them at a hundredth.
FEWER = {"spam review": 3}
# {name} of the questions above: one value each. What is asked of both is alike in both: it is named by its place, or was planted.
MIDDLE = "(SELECT id FROM report WHERE id >= (SELECT r FROM (SELECT case_report.report AS r FROM case_report ORDER BY report OFFSET (SELECT count(*) / 2 FROM case_report) LIMIT 1) x) LIMIT 1)"
A_CASE = "(SELECT id FROM cases WHERE state = 'closed' AND id % 100 = 61 AND id > (SELECT max(id) / 2 FROM cases) ORDER BY id LIMIT 1)"
FACTS = {
    "report": f"SELECT report_number({MIDDLE})",
    "ip": "SELECT '198.51.100.77'",
    "rare": f"SELECT observable_first(observables, '{{ip}}', '{{source}}') FROM report WHERE id = {MIDDLE}",
    "host": "SELECT observable_first(observables, '{name}', '{unknown}') FROM item ORDER BY id DESC LIMIT 1",
    "mail": "SELECT report_number(id) FROM item ORDER BY id DESC OFFSET 10 LIMIT 1",
    "case": f"SELECT number FROM cases WHERE id = {A_CASE}",
    "large": "SELECT number FROM cases WHERE id = 1",
    "campaign": "SELECT c.number FROM cases c WHERE id = (SELECT max(campaign) - 80 FROM cases)",
    "note": f"SELECT min(id) FROM note WHERE case_id = {A_CASE}",
    "reference": "SELECT value FROM reference WHERE value LIKE 'PLANTED-%' ORDER BY id LIMIT 1",
    "organisation": "SELECT name FROM organisation WHERE name = 'Bench organisation 9'",
    "since": "SELECT to_char(timezone('UTC', now() - interval '30 days'), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
    "regime": "SELECT name FROM regime WHERE current ORDER BY id LIMIT 1",
    "playbook": "SELECT name FROM playbook ORDER BY id LIMIT 1",
    "rule": "SELECT name FROM notify_rule WHERE NOT draft ORDER BY position LIMIT 1",
    "notice": "SELECT number FROM outbox WHERE kind = 'notice' AND id > (SELECT max(id) / 2 FROM outbox) ORDER BY id LIMIT 1",
    "group": "SELECT id FROM inbox_line WHERE n > 0 AND rank = 0 ORDER BY newest DESC LIMIT 1",
    "filing": "SELECT 'F' || min(id) FROM filing WHERE closed IS NULL AND id > (SELECT max(id) / 2 FROM filing)",
    "digest": "SELECT encode(digest, 'hex') FROM case_evidence ORDER BY id DESC LIMIT 1",
    "inquiry": "SELECT max(id) FROM inquiry WHERE state = 'open' AND case_id IS NOT NULL",
    "ask": "SELECT max(id) FROM ask",
    "approval": "SELECT max(id) FROM approval",
    "spam": "SELECT report_number(max(id)) FROM spam",
    "quarantine": "SELECT max(id) FROM quarantine",
    "measure": "SELECT max(id) FROM measure",
    "entry": "SELECT to_char(day, 'YYYYMMDD') || '-' || left(spool::text, 8) || '-' || sequence FROM ledger ORDER BY day DESC, sequence LIMIT 1",
}


def table(programs):
    """The verb table as `cirt help` says it."""
    done = subprocess.run([str(programs.cirt), "--json", "help"], check=True, capture_output=True, text=True)
    return [row for row in json.loads(done.stdout)["items"] if not row["changes"]]


class Kept(harness.Daemon):
    """A daemon whose folder stays where it is."""

    def __init__(self, programs, certificates, folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / "rules.d", ignore_errors=True)
        make, tempfile.mkdtemp = tempfile.mkdtemp, lambda **_: str(folder)
        try:
            for kind in ("regimes", "playbooks"):
                shutil.copytree(TOP / "etc" / kind, folder / kind, dirs_exist_ok=True)
            super().__init__(programs, certificates, sections={"clocks": {kind: folder / kind for kind in ("regimes", "playbooks")}})
        finally:
            tempfile.mkdtemp = make
        self.stream = None
        self.asked = 0

    def close(self):
        if self.process:
            self.stop(300)
        self.ports.release()

    def begin(self):
        """Start it; the data may be of an older schema, and a million reports take their time to be migrated."""
        self.start(wait=False)
        harness.wait_for(self.migrated, 1800, "the schema to be of this program", every=2)
        self.wait_up(300)
        self.cirt_try("exercise", "open", "bench-drill", "--add", "@drill.example")  # refused where there is one

    def migrated(self):
        return subprocess.run(self.command("migrate"), capture_output=True, env=self.environment(), timeout=1800).returncode == 0

    def ask(self, method, params):
        """(seconds, answer) of one request."""
        if not self.stream:
            door = socket.socket(socket.AF_UNIX)
            door.settimeout(120)
            door.connect(str(self.socket))
            self.stream = door.makefile("rwb")
        self.asked += 1
        line = json.dumps({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params}).encode() + b"\n"
        start = time.perf_counter()
        self.stream.write(line)
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline() or b"{}")
            if answer.get("id") == self.asked or not answer:
                return time.perf_counter() - start, answer

    def facts(self):
        """What the questions name."""
        def one(sql):
            rows = [row for row in self.psql(f"SET search_path = cirt; {sql}") if row != ["SET"]]
            return rows[0][0] if rows and rows[0][0] else sys.exit(f"bench: {self.folder.name} has no such thing: {sql}")
        return {name: one(sql) for name, sql in FACTS.items()}


class Alone:
    """PostgreSQL on a stopped daemon's cluster: nobody else works there, and what is written is only kept once it has ended well."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.folder = daemon.folder / "alone"
        self.process = None

    def __enter__(self):
        self.folder.mkdir(exist_ok=True)
        (self.folder / "hba").write_text("local all all trust\n")
        run = []
        if self.daemon.user:
            shutil.chown(self.folder, self.daemon.user)
            run = ["setpriv", "--reuid", self.daemon.user, "--regid", "nogroup", "--clear-groups"]
        self.folder.chmod(0o700)
        (self.folder / "hba").chmod(0o644)
        settings = {"listen_addresses": "", "unix_socket_directories": self.folder, "hba_file": self.folder / "hba", "fsync": "off", "full_page_writes": "off",
                    "synchronous_commit": "off", "wal_level": "minimal", "max_wal_senders": 0, "max_wal_size": "16GB", "shared_buffers": "1GB", "autovacuum": "off"}
        program = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        self.process = subprocess.Popen([*run, program, "-D", self.daemon.folder / "state" / "postgres",
                                         *(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))], cwd="/")
        self.psql_when_up("SELECT 1")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        os.sync()

    def psql(self, *arguments):
        subprocess.run(["psql", "-X", "-q", "-h", self.folder, "-U", "postgres", "-d", "cirt", "-v", "ON_ERROR_STOP=1", *arguments], check=True,
                       stdout=subprocess.DEVNULL, env=dict(os.environ, PGOPTIONS="-c client_min_messages=warning"))

    def psql_when_up(self, sql):
        def up():
            with contextlib.suppress(subprocess.CalledProcessError):
                self.psql("-c", sql)
                return True
            return False
        harness.wait_for(up, 60, "PostgreSQL to be up", every=0.5)


def make(daemon, reports):
    """Fill it: the schema by the daemon, the rows while it does not run."""
    print(f"{daemon.folder.name}: {reports} reports, {reports // 10} cases", flush=True)
    start = time.monotonic()
    daemon.start()
    harness.wait_for(lambda: daemon.psql("SELECT 1 FROM cirt.regime WHERE current LIMIT 1"), 120, "the regimes to be read", every=0.5)
    daemon.stop(300)
    values = {"reports": reports, "organisations": max(reports // 400, 60), "months": MONTHS}
    with Alone(daemon) as alone:
        whole = daemon.folder / "alone" / "all.sql"
        whole.write_text("".join((HERE / name).read_text() for name in ("base.sql", *PARTS)))
        alone.psql(*(part for name, value in values.items() for part in ("-v", f"{name}={value}")), "-f", whole)
        alone.psql("-c", "VACUUM (FREEZE, ANALYZE)")
    (daemon.folder / "reports").write_text(f"{reports}\n")
    print(f"  {time.monotonic() - start:.0f} s", flush=True)


def filled(value, facts):
    if isinstance(value, list):
        return [filled(one, facts) for one in value]
    return value.format(**facts) if isinstance(value, str) else value


def question(row):
    """(name, method, parameters) of a verb, by what the verb table says; ends where this file does not know what to ask."""
    name = f"{row['noun']} {row['verb']}".strip()
    params = {}
    wanted = row["arguments"].split()
    if wanted and not wanted[0].startswith("["):
        if name not in ARGUMENTS:
            sys.exit(f"bench: nothing says what to ask of `cirt {name} {row['arguments']}`: add it to ARGUMENTS in tests/bench/desk.py")
        params[wanted[0].strip(".").lower()] = ARGUMENTS[name]
    if any(option["name"] == "limit" for option in row["options"]):
        params["limit"] = FEWER.get(name, PAGE)
    return name, (name.replace(" ", "."), params)


def rows_of(answer):
    """How many rows an answer has, of what has any."""
    items = answer.get("result", {}).get("items") if isinstance(answer.get("result"), dict) else None
    return len(items) if isinstance(items, list) else None


def measure(programs, small, large, repeats):
    """{name: ([seconds], [seconds])}, {name: (rows, rows)}, {name: why refused}, asked by turns."""
    facts = {daemon: daemon.facts() for daemon in (small, large)}
    asked = dict(question(row) for row in table(programs) if f"{row['noun']} {row['verb']}".strip() not in LEFT_OUT) | MORE
    times, rows, refused = {name: ([], []) for name in asked}, {name: [None, None] for name in asked}, {}
    for turn in range(repeats + 2):
        for name, (method, params) in asked.items():
            for at, daemon in enumerate((small, large)):
                seconds, answer = daemon.ask(method, {key: filled(value, facts[daemon]) for key, value in params.items()})
                if "result" not in answer:
                    refused[name] = answer.get("error", {}).get("message", "the desk hung up")
                    continue
                rows[name][at] = rows_of(answer)
                if turn >= 2:  # warm
                    times[name][at].append(seconds)
    return times, rows, refused


def show(times, rows, refused):
    """Print it; what is not as it has to be."""
    middle = {name: tuple(1000 * statistics.median(one) for one in both) for name, both in times.items() if all(both)}
    slow = [name for name, (little, much) in middle.items() if much > MOST * little]
    unlike = [name for name, (little, much) in rows.items() if little != much]
    print(f"\n{'verb':34}{'rows':>9}{'small ms':>10}{'large ms':>10}{'ratio':>8}")
    for name, (little, much) in sorted(middle.items(), key=lambda one: -one[1][1] / one[1][0]):
        counts = "" if rows[name] == [None, None] else str(rows[name][0]) if name not in unlike else "{}/{}".format(*rows[name])
        print(f"{name:34}{counts:>9}{little:10.2f}{much:10.2f}{much / little:8.2f}{'  > 2.0' if name in slow else ''}")
    for name, why in sorted(LEFT_OUT.items()):
        print(f"left out: {name}: {why}")
    for name, why in sorted(refused.items()):
        print(f"refused: {name}: {why}")
    for name in sorted(unlike):
        print(f"not alike: {name}: {rows[name][0]} rows beside {rows[name][1]}")
    print(f"\n{len(middle)} measured; {len(slow)} take more than {MOST} x of their time at a hundredth" + (": " + ", ".join(sorted(slow)) if slow else ""))
    return bool(slow or refused or unlike)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="where both databases are")
    parser.add_argument("--make", type=int, default=0, metavar="REPORTS", help="fill them: so many, and a hundredth")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    places = [options.data / name for name in ("small", "large")]
    if options.make and (options.make % 100000 or options.make < 100000):
        sys.exit("bench: so many reports as 100000 or a multiple of it: the small one has a hundredth")
    if not options.make and not all((place / "reports").exists() for place in places):
        print(f"bench: no data in {options.data}: `make bench-data` first; the desk is not measured")
        return
    programs = harness.Programs(os.environ["CIRTD_BUILD"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cirtd-bench-"))
    folder.chmod(0o755)
    daemons = []
    try:
        certificates = harness.Certificates(folder / "certs")
        for place, reports in zip(places, (options.make // 100, options.make)):
            if options.make:
                shutil.rmtree(place, ignore_errors=True)
            daemons.append(Kept(programs, certificates, place))
            if options.make:
                make(daemons[-1], reports)
            else:
                daemons[-1].begin()
                daemons[-1].reports = int((place / "reports").read_text())
        if not options.make:
            print(f"{daemons[0].reports} reports beside {daemons[1].reports}; medians of {options.repeats} by turns, over the desk's socket")
            sys.exit(show(*measure(programs, *daemons, options.repeats)))
    finally:
        for daemon in daemons:
            daemon.close()
        programs.remove()
        shutil.rmtree(folder, ignore_errors=True)


main()
