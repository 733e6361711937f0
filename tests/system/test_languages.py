"""What cirt says in another language, and that what is typed and what programs read stays as it is."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from terminal import Terminal

TOP = pathlib.Path(__file__).resolve().parents[2]


class Speaker:
    """cirt under a language, with the catalogues of po/."""

    def __init__(self, cirt, folder):
        self.cirt = cirt
        self.folder = folder

    def run(self, language, *arguments):
        """What it was ended with, and all that it said."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "CIRT_"))}
        environment.update(LC_ALL="C.UTF-8", LANGUAGE=language, CIRT_LOCALEDIR=str(self.folder))
        done = subprocess.run([str(self.cirt), *arguments], capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL,
                              timeout=60)
        return done.returncode, done.stdout, done.stderr

    def says(self, language, *arguments):
        code, out, err = self.run(language, *arguments)
        assert code == 0, err
        return out


@pytest.fixture(scope="module")
def speaker(programs, tmp_path_factory):
    if not shutil.which("msgfmt"):
        pytest.skip("needs msgfmt")
    folder = tmp_path_factory.mktemp("locale")
    for language in ("fr", "es"):
        place = folder / language / "LC_MESSAGES"
        place.mkdir(parents=True)
        subprocess.run(["msgfmt", "-c", "-o", str(place / "cirtd.mo"), str(TOP / "po" / f"{language}.po")], check=True,
                       capture_output=True)
    return Speaker(programs.cirt, folder)


def verbs(speaker):
    return json.loads(speaker.says("en", "help", "--json"))["items"]


def options(text):
    """The options that a help lists, with what they take, in their order."""
    return re.findall(r"^  (--[a-z-]+(?: [A-Z][^ ]*)?)(?:  +|$)", text, re.M)


def test_help_speaks_french(speaker):
    overview = speaker.says("fr", "help")
    assert "Pour commencer : cirt status" in overview and "Start with" not in overview
    listing = speaker.says("fr", "case", "list", "--help")
    assert "usage : cirt case list" in listing
    assert "Dossiers ouverts, les plus récents d'abord." in listing and "Open cases" not in listing
    assert "--mine" in listing and "Seulement les vôtres" in listing


def test_help_speaks_spanish(speaker):
    assert "Para empezar: cirt status" in speaker.says("es", "help")
    assert "Casos abiertos, los más nuevos primero." in speaker.says("es", "case", "list", "--help")


def test_a_complaint_is_french(speaker):
    code, out, err = speaker.run("fr", "cas", "list")
    assert code == 2 and out == ""
    assert "il n'y a pas de \"cas\"" in err and "vouliez-vous dire \"case\" ?" in err
    assert "did you mean" not in err
    code, _, err = speaker.run("fr", "case", "list", "--limit", "lots")
    assert code == 2 and "attendu : un nombre entier" in err


def test_json_has_no_language(speaker):
    assert speaker.says("fr", "help", "--json") == speaker.says("en", "help", "--json")
    assert speaker.says("es", "help", "--json") == speaker.says("en", "help", "--json")


def test_help_of_every_verb_keeps_what_is_typed(speaker):
    other = 0
    for verb in verbs(speaker):
        words = [word for word in (verb["noun"], verb["verb"]) if word]
        english = speaker.says("en", *words, "--help")
        french = speaker.says("fr", *words, "--help")
        assert options(english), words
        assert options(french) == options(english), words
        for option in verb["options"]:
            assert f"--{option['name']}" in french, words
        assert verb["example"] in french, words
        other += verb["summary"] not in french
    assert other == len(verbs(speaker))


def test_an_unknown_language_is_english(speaker):
    english = speaker.says("en", "case", "list", "--help")
    assert "Open cases, newest first" in english
    assert speaker.says("xx", "case", "list", "--help") == english
    assert "Dossiers ouverts" in speaker.says("xx:fr", "case", "list", "--help")


def test_what_the_desk_refuses_is_said_in_the_operators_language(speaker, daemon):
    """The desk speaks English; what it puts in (here a hostile name) stays as it was typed, and safe."""
    at = ["--socket", str(daemon.socket)]
    said = {language: speaker.run(language, *at, "case", "show", "2026-999999") for language in ("en", "fr", "es")}
    assert {code for code, _, _ in said.values()} == {3}
    assert "there is no case 2026-999999" in said["en"][2]
    assert "il n'y a pas de dossier 2026-999999" in said["fr"][2]
    assert "no hay caso 2026-999999" in said["es"][2]
    code, _, err = speaker.run("fr", *at, "org", "new", "x" * 400)
    assert code == 2 and "on attend au plus 300 octets en une ligne" in err
    code, _, err = speaker.run("es", *at, "org", "list", "--limit", "2000")
    assert code == 2 and "se esperaba un número de 1 a 1000" in err, err
    # A value that looks like a place or carries escapes is no more than a value.
    code, _, err = speaker.run("fr", *at, "org", "show", "{2} \x1b[31m")
    assert code == 3 and "{2}" in err and "\x1b" not in err and "organisation" in err


@pytest.fixture(scope="module")
def wide(daemon):
    """Organisations whose names have more bytes than columns, and more of those than a terminal."""
    names = ["漢字銀行グループ株式会社" * 3, "Société générale de l'électricité " * 3, "بنك الوطني " * 8]
    for name in names:
        daemon.cirt("org", "new", name.strip(), "--kind", "bank", "--sector", "finance")
    return names


@pytest.mark.parametrize("locale", ("C", "POSIX", "fr_XX.UTF-8", "xx_YY.ISO-8859-1", ""))
def test_a_table_ends_and_fits_whatever_the_locale(daemon, speaker, wide, locale):
    """Where the locale counts bytes, a table that has to be cut is cut by columns all the same."""
    with Terminal(daemon, "org", "list", columns=40, environment={"LC_ALL": locale, "LANG": "C", "LANGUAGE": "en"}) as terminal:
        assert terminal.end() == 0
    rows = [row for row in terminal.text().split("\n") if row.strip()]
    assert len(rows) >= 4 and any(row.startswith("漢字") and "…" in row for row in rows)
    for row in rows:
        assert sum(2 if "\u2e80" <= sign <= "\u9fff" or "\u30a0" <= sign <= "\u30ff" else 1 for sign in row) <= 40


def test_a_locale_that_is_not_installed_says_its_language(daemon, speaker):
    environment = {"LC_ALL": "", "LANG": "fr_XX.UTF-8", "CIRT_LOCALEDIR": str(speaker.folder)}
    with Terminal(daemon, "case", "list", "--help", environment=environment) as terminal:
        assert terminal.end() == 0
    assert "Dossiers ouverts, les plus récents d'abord." in terminal.text()
    with Terminal(daemon, "case", "list", "--help", environment={**environment, "LANG": "C"}) as terminal:
        assert terminal.end() == 0
    assert "Open cases, newest first" in terminal.text()


def test_a_long_label_is_not_part_of_what_follows(daemon, speaker):
    """Labels of other languages may be longer than their column."""
    for language in ("fr", "es"):
        assert re.search(r"^ (NOTIFICATIONS|NOTIFICACIONES) +\d", speaker.says(language, "--socket", str(daemon.socket), "today"), re.M)
        opened = speaker.says("en", "--socket", str(daemon.socket), "case", "open", "--chat", "--from", f"label {language}", "--text",
                              f"label {language}")
        case = re.search(r"^(\d{4}-\d{6}) opened", opened, re.M).group(1)
        shown = speaker.says(language, "--socket", str(daemon.socket), "case", "show", case)
        assert re.search(r"^(peut passer à|puede pasar a) +waiting", shown, re.M), shown
