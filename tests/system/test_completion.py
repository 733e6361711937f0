"""Words that the shells offer: bash, zsh and fish, each run as itself, with numbers of cases that there are."""
import os
import pathlib
import pty
import select
import shutil
import subprocess
import time

import pytest

from harness import native, wait_for

COMPLETION = pathlib.Path(__file__).resolve().parents[2] / "client/completion"


@pytest.fixture(scope="module")
def desk(daemon):
    """A desk with a case whose title no shell may take for a command."""
    daemon.send_lines([native(1, identifier="completion", type="system-compromise", severity=95,
                              title="it's $(touch owned) `x` \x1b[2J")])
    daemon.settle()
    number = wait_for(lambda: daemon.all_pages("case", "list"), 30, "a case")[0]["number"]
    return daemon, number


def environment(daemon):
    return dict(daemon.environment(), CIRT_SOCKET=str(daemon.socket), LC_ALL="C.UTF-8", TERM="xterm", HOME=str(daemon.folder),
                PATH=f"{daemon.programs.cirt.parent}:{os.environ['PATH']}")


def words(daemon, *typed):
    answer = subprocess.run([str(daemon.programs.cirt), "--complete", "--", *typed], capture_output=True, text=True, timeout=60,
                            check=True, env=environment(daemon))
    assert answer.stderr == ""
    return [line.split("\t")[0] for line in answer.stdout.splitlines()]


def in_bash(daemon, line, command="cirt"):
    """What bash is told when somebody presses TAB behind this line."""
    script = 'source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; COMP_WORDS=("$3"); COMP_CWORD=0; _cirt; printf "%s\\n" "${COMPREPLY[@]}"'
    answer = subprocess.run(["bash", "--norc", "-c", script, "bash", str(COMPLETION / "cirt.bash"), line, command], capture_output=True,
                            text=True, timeout=60, check=True, env=environment(daemon), cwd=daemon.folder)
    return [row for row in answer.stdout.split("\n") if row]


def in_fish(daemon, line):
    if not shutil.which("fish"):
        pytest.skip("no fish here")
    answer = subprocess.run(["fish", "--no-config", "-c", f"source {COMPLETION}/cirt.fish; complete -C $argv[1]", line], capture_output=True,
                            text=True, timeout=60, check=True, env=environment(daemon), cwd=daemon.folder)
    return [row.split("\t")[0] for row in answer.stdout.splitlines()]


def in_zsh(daemon, line):
    """What stands on the command line once somebody typed it and pressed TAB."""
    if not shutil.which("zsh"):
        pytest.skip("no zsh here")
    leader, follower = pty.openpty()
    process = subprocess.Popen(["zsh", "-f", "-i"], stdin=follower, stdout=follower, stderr=follower, env=environment(daemon),
                               cwd=daemon.folder, start_new_session=True)
    os.close(follower)
    setup = f"PS1='> '; fpath=({COMPLETION} $fpath); autoload -Uz compinit; compinit -u -D; setopt nobeep; echo rea''dy\n"
    os.write(leader, setup.encode())
    seen = read_until(leader, "ready")
    os.write(leader, f"{line}\t".encode())
    seen = read_until(leader, None)
    process.kill()
    process.wait(30)
    os.close(leader)
    return seen


def read_until(leader, mark):
    """All that comes until `mark`, or, without one, until it has been quiet for a while."""
    seen, quiet, end = b"", 0, time.monotonic() + 60
    while time.monotonic() < end and quiet < 4:
        ready, _, _ = select.select([leader], [], [], 1)
        if ready:
            seen += os.read(leader, 65536)
            quiet = 0
        elif mark is None:
            quiet += 1
        if mark and mark.encode() in seen:
            break
    return seen.decode(errors="replace")


def test_each_noun_verb_and_option_is_offered(desk):
    daemon, _ = desk
    table = daemon.cirt("help")["items"]
    assert set(words(daemon, "")) == {row["noun"] for row in table}
    for noun in {row["noun"] for row in table if row["verb"]}:
        assert set(words(daemon, noun, "")) >= {row["verb"] for row in table if row["noun"] == noun and row["verb"]}
    for row in table:
        typed = [row["noun"], row["verb"], "--"] if row["verb"] else [row["noun"], "--"]
        assert set(words(daemon, *typed)) >= {f"--{option['name']}" for option in row["options"]} | {"--json", "--help"}


def test_values_are_offered_by_what_they_are(desk):
    daemon, number = desk
    assert words(daemon, "case", "list", "--severity", "c") == ["critical"]
    assert words(daemon, "case", "list", "--severity", "high", "--st") == ["--state"]
    assert "phishing" in words(daemon, "report", "list", "--type", "ph")
    assert words(daemon, "case", "show", number[:6]) == [number]
    assert words(daemon, "case", "merge", number, number[:4]) == [number]
    assert words(daemon, "submit", "") == ["@files"]
    daemon.cirt("tag", "new", "completed")
    assert words(daemon, "case", "tag", number, "compl") == words(daemon, "tag", "set", "compl") == ["completed"]
    daemon.cirt("task", "new", number, "Ring them")
    assert words(daemon, "task", "done", "") == [str(task["id"]) for task in daemon.cirt("task", "list")["items"]]
    assert daemon.cirt("whoami")["operator"] in words(daemon, "case", "list", "--assignee", "")
    assert words(daemon, "inbox", "show", "") == [str(line["group"]) for line in daemon.cirt("inbox")["items"]]
    assert words(daemon, "case", "show", number, "") == []
    assert words(daemon, "no-such-noun", "") == []


def test_without_a_daemon_only_numbers_are_missing(desk):
    daemon, _ = desk
    answer = subprocess.run([str(daemon.programs.cirt), "--complete", "--", "case", "show", ""], capture_output=True, text=True,
                            timeout=60, check=True, env=dict(environment(daemon), CIRT_SOCKET="/nonexistent/socket"))
    assert answer.stdout == "" and answer.stderr == ""


def test_values_that_are_words(desk):
    """Of options by short name or with a sign between, of what is one of a few; and what nouns are about."""
    daemon, number = desk
    assert words(daemon, "case", "list", "--severity=h") == ["--severity=high"]
    assert words(daemon, "case", "open", "-s", "cr") == ["critical"]
    assert words(daemon, "case", "open", "--class", "phis") == ["phishing"]
    assert words(daemon, "case", "close", number, "--outcome", "res") == ["resolved"]
    assert words(daemon, "report", "reject", "--reason", "") == ["spam", "not-ours", "false-alarm", "duplicate", "test"]
    assert words(daemon, "reply", number[:4]) == [number] and "imitated" in words(daemon, "reply", number, "--to", "")
    assert words(daemon, "help", "task", "ran") == ["ransomware"] and "show" in words(daemon, "help", "case", "")
    answer = subprocess.run([str(daemon.programs.cirt), "--complete", "--", "cas"], capture_output=True, text=True, timeout=60, check=True,
                            env=environment(daemon))
    assert answer.stdout == "case\twhat a person works on\n"


def test_a_script_may_say_where_the_daemon_is(desk):
    daemon, number = desk
    elsewhere = dict(environment(daemon), CIRT_SOCKET="/nonexistent/socket")
    for typed in (["--socket", str(daemon.socket), "--complete", "--", "case", "show", ""],
                  ["--complete", "--", "--socket", str(daemon.socket), "case", "show", ""]):
        answer = subprocess.run([str(daemon.programs.cirt), *typed], capture_output=True, text=True, timeout=60, check=True, env=elsewhere)
        assert answer.stdout.startswith(number)


NAMES = ("Quoted \"Q\" & $(touch owned) `x`", "Colon: Health", "Apo'strophe \\ Bank", "Evil\u202eknaB", "eq=ual", "漢字 銀行")


@pytest.fixture(scope="module")
def named(desk):
    daemon, _ = desk
    for name in NAMES:
        daemon.cirt("org", "new", name, "--kind", "bank")
    return daemon


def test_names_are_quoted_as_they_were_begun(named):
    """What stands behind the last break, in the quotes that are open; what a terminal would not show is not offered."""
    assert in_bash(named, "cirt org show Quo") == [r"Quoted\ \"Q\"\ \&\ \$\(touch\ owned\)\ \`x\`"]
    assert in_bash(named, 'cirt org show "Quo') == [r'Quoted \"Q\" & \$(touch owned) \`x\`']
    assert in_bash(named, "cirt org show 'Quo") == ['Quoted "Q" & $(touch owned) `x`']
    assert in_bash(named, r"cirt org show Colon:\ He") == [r"\ Health"] and in_bash(named, 'cirt org show "Colon: H') == ["Colon: Health"]
    assert in_bash(named, "cirt org show Apo") == [r"Apo\'strophe\ \\\ Bank"] and in_bash(named, "cirt org show 'Apo") == []
    assert in_bash(named, "cirt org show eq=") == ["ual"] and in_bash(named, "cirt case list --severity=h") == ["high"]
    assert in_bash(named, "cirt org show Evil") == words(named, "org", "show", "Evil") == []
    assert in_bash(named, r"cirt org show 漢字\ ") == [r"漢字\ 銀行"]
    assert in_bash(named, "cirt org show $(touch owned) ") == []
    assert not (named.folder / "owned").exists()


def test_names_that_are_begun_with_a_quote_elsewhere(named):
    assert in_fish(named, 'cirt org show "Colon: H') == ["Colon: Health"] == in_fish(named, r"cirt org show Colon:\ H")
    assert "cirt org show \"Colon: Health\"" in in_zsh(named, 'cirt org show "Colon: H')
    assert r"Apo\'strophe\ \\\ Bank" in in_zsh(named, "cirt org show Apo")
    assert not (named.folder / "owned").exists()


def test_bash(desk):
    daemon, number = desk
    assert in_bash(daemon, "cirt case sho") == ["show"]
    assert in_bash(daemon, "cirt case show 2") == [number]
    assert not (daemon.folder / "owned").exists()


def test_fish(desk):
    daemon, number = desk
    assert in_fish(daemon, "cirt case sho") == ["show"]
    assert in_fish(daemon, "cirt case show 2") == [number]
    assert not (daemon.folder / "owned").exists()


def test_zsh(desk):
    daemon, number = desk
    assert number in in_zsh(daemon, "cirt case show 2")
    assert "cirt case show" in in_zsh(daemon, "cirt case sho")
    assert not (daemon.folder / "owned").exists()
