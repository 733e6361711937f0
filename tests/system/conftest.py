"""Fixtures: a whole cirtd with its own PostgreSQL, certificates and free ports, ended by process id."""
import os
import pathlib
import shutil
import tempfile

import pytest

from harness import Certificates, Daemon, Programs


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """cirtd, cirt, plugins, SQL and rules, where unprivileged users can reach them."""
    build = os.environ.get("CIRTD_BUILD")
    if not build:
        pytest.exit("CIRTD_BUILD must name the build folder; ./run-tests sets it", 2)
    programs = Programs(build)
    yield programs
    programs.remove()


@pytest.fixture(scope="session")
def certificates(programs):
    return Certificates(programs.folder / "certs")


@pytest.fixture
def make_daemon(programs, certificates):
    """A function that makes daemons; they are ended and their folders removed after the test."""
    daemons = []

    def make(**options):
        daemon = Daemon(programs, certificates, **options)
        daemons.append(daemon)
        return daemon

    yield make
    for daemon in daemons:
        daemon.remove()


@pytest.fixture(scope="module")
def daemon(programs, certificates):
    """One running daemon with a sensor source, shared by the tests of a module."""
    daemon = Daemon(programs, certificates)
    daemon.start()
    daemon.add_sensor()
    yield daemon
    daemon.remove()


@pytest.fixture
def open_folder():
    """A folder that unprivileged users can reach, as pytest's own are not."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cirtd-f-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
