"""cirt on a terminal of its own: what a person types and sees."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time


def heed_signals():
    """In a child: what a shell that starts tests in the background makes them ignore ends programs on a terminal."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """`cirt ARGUMENTS` on a pseudo-terminal of so many lines and columns."""

    def __init__(self, daemon, *arguments, lines=24, columns=80, environment=None):
        environment = {**daemon.environment(), "TERM": "xterm", "LC_ALL": "C.UTF-8", **(environment or {})}
        command = [str(daemon.programs.cirt), "--socket", str(daemon.socket), *map(str, arguments)]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            heed_signals()
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.before = termios.tcgetattr(self.fd)
        self.seen = ""
        self.status = None

    def _read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other side has closed it
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)

    def text(self):
        """What was shown so far, without colours and the movements of the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-Z0-9]|\r", "", self.seen)

    def rows(self):
        """What was written line by line: where the cursor went elsewhere a new one begins."""
        moved = re.sub(r"\x1b\[[0-9;]*H", "\n", self.seen)
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", moved).split("\n")

    def expect(self, words, seconds=30):
        """Read until these words are on the screen since the last type(); all that was shown since then."""
        end = time.monotonic() + seconds
        while words not in self.text():
            if time.monotonic() > end or not self._read(0.2):
                raise AssertionError(f"{words!r} was not shown:\n{self.text()}")
        return self.text()

    def type(self, keys):
        self.seen = ""
        os.write(self.fd, keys.encode())

    def end(self, seconds=30):
        """Wait for its end; its exit code."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._read(0.2):
            pass
        self.modes = termios.tcgetattr(self.fd)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def close(self):
        if self.status is None:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
