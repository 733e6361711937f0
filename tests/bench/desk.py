#!/usr/bin/python3
"""Every verb that only reads, over the desk's socket, beside itself at a hundredth of the data.

    make bench-data [BENCH_REPORTS=1000000] [BENCH_FOLDER=FOLDER]     make both
    make bench-desk [BENCH_FOLDER=FOLDER]                             measure
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import harness  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
SLICE = 50000
MOST = 2.0
OF_VERSION = 10.0
OF_PEOPLE = ("case list", "case show", "search")

LEFT_OUT = {
    "source discover": "asks a server elsewhere",
    "source pull": "asks a server elsewhere",
    "rules check": "compiles rules, reads no table",
    "audit verify": "reads the whole journal, by its nature",
    "rule test": "tries a draft against all reports of a week, by its nature",
    "watch": "does not end",
    "help": "the client's own",
}
# What stands for an argument; a list of them where it may be repeated. {} are asked of the database, see facts().
ARGUMENTS = {
    "case show": {"number": "{case}"}, "party list": {"number": "{case}"}, "event list": {"number": "{case}"},
    "report show": {"id": "{report}"}, "mail show": {"id": "{mail}"}, "receipt": {"id": ["{report}"]}, "rule why": {"report": "{report}"},
    "report search": {"what": ["{ip}"]}, "mail search": {"what": ["{ip}"]}, "search": {"what": ["{ip}"]}, "ref find": {"value": ["{reference}"]},
    "org show": {"name": "{organisation}"}, "org who": {"what": "{ip}"}, "group show": {"name": "bench-energy"}, "note show": {"id": "{note}"},
    "source show": {"name": "bench-feed-1"}, "notice show": {"notice": "{notice}"}, "inbox show": {"group": "{group}"}, "task show": {"id": "{task}"},
    "regime show": {"regime": "{regime}"}, "playbook show": {"name": "{playbook}"}, "rule show": {"rule": "{rule}"},
}
MORE = {
    "case list --all": ("case.list", {"all": True}),
    "case list --mine": ("case.list", {"mine": True}),
    "report list --source": ("report.list", {"source": "bench-feed-1"}),
    "report list --since": ("report.list", {"since": "{since}"}),
    "search of a name": ("search", {"what": ["{name}"]}),
    "search of a prefix": ("search", {"what": ["{prefix}"]}),
    "search of words": ("search", {"what": ["odd", "things", "yesterday"]}),
    "search of a reference": ("search", {"what": ["{reference}"]}),
    "search of a person": ("search", {"what": ["{person}"]}),
    "search of nothing there": ("search", {"what": ["203.0.113.254"]}),
}


def verbs():
    """[(“case list”, “NUMBER”)] of daemon/model/verb_*.c that change nothing."""
    found = []
    for path in sorted((TOP / "daemon/model").glob("verb_*.c")):
        rows = re.split(r"const struct verb verbs_\w+\[\] = \{", path.read_text())
        for noun, verb, arguments in re.findall(r'\{"([a-z]+)",\s*"([a-z]*)",\s*ROLE_\w+,\s*false,\s*"([^"]*)"', rows[1] if rows[1:] else ""):
            found.append((f"{noun} {verb}".strip(), arguments))
    return found


class Kept(harness.Daemon):
    """A daemon whose folder stays where it is."""

    def __init__(self, programs, certificates, folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / "rules.d", ignore_errors=True)
        make, tempfile.mkdtemp = tempfile.mkdtemp, lambda **_: str(folder)
        try:
            super().__init__(programs, certificates)
        finally:
            tempfile.mkdtemp = make
        self.stream = None
        self.asked = 0

    def close(self):
        if self.process:
            self.stop(300)
        self.ports.release()

    def sql(self, name, **values):
        """Run a file of this folder."""
        script = self.folder / "bench.sql"
        script.write_text("\\set ON_ERROR_STOP 1\n" + "".join(f"\\set {key} {value}\n" for key, value in values.items())
                          + (HERE / name).read_text())
        script.chmod(0o644)
        self.psql_file(script)

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
        """What the questions name: from the middle of what is there."""
        def one(sql):
            rows = [row for row in self.psql(f"SET search_path = cirt; {sql}") if row != ["SET"]]
            return rows[0][0] if rows else "none"
        middle = "(SELECT id FROM report WHERE id >= (SELECT (min(id) + max(id)) / 2 FROM report) AND text {} '' ORDER BY id LIMIT 1)"
        report, mail = one(f"SELECT {middle.format('=')}"), one(f"SELECT {middle.format('<>')}")
        return {
            "report": one(f"SELECT report_number({report})"), "mail": one(f"SELECT report_number({mail})"),
            "ip": one(f"SELECT observable_first(observables, '{{ip}}', '{{source}}') FROM report WHERE id = {report}"),
            "name": one(f"SELECT observable_first(observables, '{{name}}', '{{source}}') FROM report WHERE id = {report}"),
            "prefix": one(f"SELECT network(set_masklen(observable_first(observables, '{{ip}}', '{{source}}')::inet, 24)) FROM report WHERE id = {report}"),
            "case": one("SELECT number FROM cases WHERE id = (SELECT max(id) / 2 FROM cases)"),
            "task": one("SELECT id FROM task ORDER BY id LIMIT 1"), "note": one("SELECT max(id) / 2 FROM note"),
            "reference": one("SELECT value FROM reference WHERE id = (SELECT max(id) / 2 FROM reference)"),
            "person": one("SELECT contact FROM party WHERE id = (SELECT max(id) / 2 FROM party)"),
            "organisation": one("SELECT name FROM organisation WHERE name LIKE 'Bench %' ORDER BY id LIMIT 1"),
            "since": one("SELECT to_char(timezone('UTC', now() - interval '1 day'), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"),
            "regime": one("SELECT name FROM regime WHERE current LIMIT 1"), "playbook": one("SELECT name FROM playbook LIMIT 1"),
            "rule": one("SELECT name FROM notify_rule ORDER BY position LIMIT 1"),
            "notice": one("SELECT number FROM outbox ORDER BY id LIMIT 1"), "group": one("SELECT id FROM inbox_line WHERE n > 0 ORDER BY id LIMIT 1"),
        }


def filled(value, facts):
    if isinstance(value, list):
        return [filled(one, facts) for one in value]
    return value.format(**facts) if isinstance(value, str) else value


def make(daemon, reports):
    """Fill it, in slices that each are one transaction."""
    print(f"{daemon.folder.name}: {reports} reports, {reports // 10} cases", flush=True)
    daemon.sql("base.sql", organisations=max(reports // 500, 20))
    done = int(daemon.psql("SELECT coalesce(max(sequence) + 1, 0) FROM cirt.report WHERE spool = '11111111-1111-1111-1111-111111111111'")[-1][0])
    while done < reports:
        # A small one first: the next are planned by what it has put there.
        upto = min(done + (SLICE if done else 1000), reports)
        start = time.monotonic()
        daemon.sql("slice.sql", lo=done, hi=upto, total=reports)
        daemon.psql("ANALYZE")
        print(f"  {upto} reports, {(time.monotonic() - start):.0f} s", flush=True)
        done = upto
    harness.wait_for(lambda: daemon.psql("SELECT count(*) FROM cirt.inbox_delta") == [["0"]], 600, "the keeper to sum up the inbox", every=2)
    daemon.psql("VACUUM ANALYZE")


def question(name, arguments):
    """(method, parameters), or None where this file does not know what to ask."""
    wanted = arguments and not arguments.startswith("[")
    if wanted and name not in ARGUMENTS:
        return None
    return name.replace(" ", "."), ARGUMENTS.get(name, {})


def measure(small, large, repeats):
    facts = {daemon: daemon.facts() for daemon in (small, large)}
    asked, unknown = {}, []
    for name, arguments in verbs():
        if name in LEFT_OUT:
            continue
        if question(name, arguments):
            asked[name] = question(name, arguments)
        else:
            unknown.append(name)
    asked |= MORE
    times = {name: ([], []) for name in asked}
    refused = {}
    for turn in range(repeats + 2):
        for name, (method, params) in asked.items():
            for at, daemon in enumerate((small, large)):
                seconds, answer = daemon.ask(method, {key: filled(value, facts[daemon]) for key, value in params.items()})
                if "error" in answer:
                    refused[name] = answer["error"].get("message", "?")
                elif turn >= 2:  # warm
                    times[name][at].append(seconds)
    return times, refused, unknown


def show(times, refused, unknown):
    middle = {name: tuple(1000 * statistics.median(one) for one in both) for name, both in times.items() if all(both)}
    version = middle["version"][1]
    slow = []
    print(f"\n{'verb':28}{'small ms':>10}{'large ms':>10}{'ratio':>8}{'x version':>11}")
    for name, (little, much) in sorted(middle.items(), key=lambda one: -one[1][1] / one[1][0]):
        of_people = name.startswith(OF_PEOPLE) and much > OF_VERSION * version
        bad = much > MOST * little
        slow += [name] * bad
        print(f"{name:28}{little:10.2f}{much:10.2f}{much / little:8.2f}{much / version:11.1f}{'  SLOW' if bad else ''}"
              f"{f'  more than {OF_VERSION:.0f} x version' if of_people else ''}")
    for name, why in sorted(refused.items()):
        print(f"refused: {name}: {why}")
    for name, why in sorted(LEFT_OUT.items()):
        print(f"left out: {name}: {why}")
    for name in unknown:
        print(f"left out: {name}: nothing here says what to ask: add it to ARGUMENTS in tests/bench/desk.py")
    print(f"\n{len(middle)} measured, {len(slow)} take more than {MOST:.0f} x of their time at a hundredth" + (": " + ", ".join(slow) if slow else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="where both databases are")
    parser.add_argument("--make", type=int, default=0, metavar="REPORTS", help="fill them: so many, and a hundredth")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if not options.make and not (options.data / "large" / "state").exists():
        print(f"bench: no data in {options.data}: `make bench-data` first; the desk is not measured")
        return
    programs = harness.Programs(os.environ["CIRTD_BUILD"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cirtd-bench-"))
    folder.chmod(0o755)
    daemons = []
    try:
        certificates = harness.Certificates(folder / "certs")
        for name, share in (("small", 100), ("large", 1)):
            daemon = Kept(programs, certificates, options.data / name)
            daemons.append(daemon)
            daemon.start()
            if options.make:
                make(daemon, options.make // share)
        if not options.make:
            show(*measure(*daemons, options.repeats))
    finally:
        for daemon in daemons:
            daemon.close()
        programs.remove()
        shutil.rmtree(folder, ignore_errors=True)


main()
