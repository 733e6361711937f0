"""A mail server that keeps what it is given and misbehaves as it is told, one behaviour after another."""
import email
import email.policy
import socket
import threading


class SmtpServer:
    """Behaviours: "take"; "refuse" (550 to RCPT); "later" (451 to RCPT); "content" (554 to the mail); "hang" (no answer to the
    mail); "drop" (takes the mail and breaks off before it says so). `plan` is used up one a mail; then `otherwise` holds."""

    def __init__(self, port=0, plan=(), otherwise="take"):
        self.plan = list(plan)
        self.otherwise = otherwise
        self.refused = set()
        self.mails = []  # (sender, recipient, bytes, behaviour)
        self.sessions = 0
        self.on_mail = None
        self.lock = threading.Lock()
        self.gate = threading.Event()
        self.gate.set()
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self.open:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.sessions += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _behaviour(self):
        with self.lock:
            return self.plan.pop(0) if self.plan else self.otherwise

    def _serve(self, client):
        client.settimeout(120)
        file = client.makefile("rb")

        def say(text):
            client.sendall(text.encode() + b"\r\n")

        try:
            say("220 mail.test ESMTP")
            sender = recipient = None
            while line := file.readline():
                word = line.strip().upper()
                if word.startswith(b"EHLO"):
                    say("250-mail.test")
                    say("250 SIZE 52428800")
                elif word.startswith(b"MAIL FROM:"):
                    sender = line.split(b"<")[1].split(b">")[0].decode()
                    say("250 2.1.0 ok")
                elif word.startswith(b"RCPT TO:"):
                    recipient = line.split(b"<")[1].split(b">")[0].decode()
                    behaviour = "refuse" if recipient in self.refused else self._behaviour()
                    if behaviour == "refuse":
                        say("550 5.1.1 no such user here")
                    elif behaviour == "later":
                        say("451 4.7.1 greylisted, come back later")
                    else:
                        say("250 2.1.5 ok")
                elif word == b"DATA":
                    say("354 go ahead")
                    if not self._data(file, say, sender, recipient, behaviour):
                        break
                elif word == b"RSET":
                    say("250 ok")
                elif word == b"QUIT":
                    say("221 bye")
                    break
                else:
                    say("502 5.5.1 what?")
        except OSError:
            pass
        file.close()
        client.close()

    def _data(self, file, say, sender, recipient, behaviour):
        lines = []
        while (line := file.readline()) != b".\r\n":
            if not line:
                return False
            assert line.endswith(b"\r\n"), line
            lines.append(line[1:] if line.startswith(b".") else line)
        with self.lock:
            self.mails.append((sender, recipient, b"".join(lines), behaviour))
        if self.on_mail:
            self.on_mail(self)
        self.gate.wait(60)
        if behaviour == "hang":
            threading.Event().wait(15)
            return False
        if behaviour == "drop":
            return False
        say("554 5.6.0 not this content" if behaviour == "content" else "250 2.0.0 queued as TEST")
        return True

    def taken(self):
        """What this server would deliver: what it said 250 to."""
        return [mail for mail in self.mails if mail[3] == "take"]

    def messages(self):
        return [email.message_from_bytes(data, policy=email.policy.default) for _, _, data, _ in self.taken()]

    def close(self):
        self.open = False
        self.gate.set()
        # Wakes who waits in accept().
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            pass
        self.listener.close()
