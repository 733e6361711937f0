"""Postfix as a peer: an instance of its own in a temporary folder, on a free port, ended by its own process id."""
import os
import pwd
import shutil
import signal
import subprocess

from harness import wait_for

# None of them in a chroot.
SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
pickup    unix n - n 60 1 pickup
showq     unix n - n - - showq
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
local     unix - n n - - discard
virtual   unix - n n - - virtual
lmtp      unix - - n - - lmtp
anvil     unix - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.cirt.example
mydestination =
local_transport = error:no local mail
alias_maps =
smtpd_peername_lookup = no
"""


def why_not():
    """Why this machine cannot have one; None: it can."""
    if not shutil.which("postfix", path=os.environ["PATH"] + ":/usr/sbin"):
        return "Postfix is not installed"
    return None if os.getuid() == 0 else "Postfix's master must be started by root"


class Postfix:
    """main, master: what the configuration has besides what any instance has. files: name to text, beside them."""

    def __init__(self, folder, daemon, main, master="", files=None):
        self.folder = folder
        self.port = daemon.ports.take()
        self.config = folder / "etc"
        self.log = folder / "log"
        for name in ("etc", "queue", "data"):
            (folder / name).mkdir()
        who = pwd.getpwnam("postfix")
        os.chown(folder / "data", who.pw_uid, who.pw_gid)
        for name, text in (files or {}).items():
            self.write(name, text)
        self.write("main.cf", main + MAIN.format(folder=folder))
        self.write("master.cf", SERVICES.format(port=self.port) + master)
        self.environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen(["postfix", "-c", self.config, "start-fg"], stdin=subprocess.DEVNULL, env=self.environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        wait_for(lambda: daemon.accepts(self.port) or self.process.poll() is not None, 60, "Postfix to listen")
        assert self.process.poll() is None, self.process.stderr.read().decode() + self.text()

    def write(self, name, text):
        (self.config / name).write_text(text)

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def run(self, *command):
        subprocess.run([command[0], "-c", self.config, *command[1:]], check=True, timeout=60, env=self.environment, capture_output=True)

    def again(self):
        """Try what waits in the queue now."""
        self.run("postqueue", "-f")

    def reload(self):
        """Read the configuration and its files anew."""
        self.run("postfix", "reload")

    def stop(self):
        if self.process.poll() is None:
            master = int((self.folder / "queue" / "pid" / "master.pid").read_text())
            os.kill(master, signal.SIGTERM)
            self.process.wait(60)
        self.process.stderr.close()
