"""Between a client and the desk: it lets a submission come so far and no further, however fast the machine is."""
import pathlib
import socket
import tempfile
import threading


class DeskRelay:
    """A socket like the desk's. Of what the client submits it passes on so many pieces, and the next one without
    its end."""

    def __init__(self, desk, pieces):
        self.folder = tempfile.TemporaryDirectory(prefix="cirtd-r-")
        self.path = pathlib.Path(self.folder.name) / "desk"
        self._pieces = pieces
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(1)
        self._desk = desk
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        with self._listener.accept()[0] as client, socket.socket(socket.AF_UNIX) as desk:
            desk.connect(str(self._desk))
            back = threading.Thread(target=self._back, args=(desk, client), daemon=True)
            back.start()
            self._forth(client, desk)
            desk.shutdown(socket.SHUT_RDWR)
            back.join()

    def _forth(self, client, desk):
        lines = client.makefile("rb")
        ended = 0
        try:
            for line in lines:
                ended += b'"submit.piece"' in line
                if ended > self._pieces:
                    break
                desk.sendall(line)
            for _ in lines:
                pass  # nothing more is passed on, until the client goes
        except OSError:
            pass

    @staticmethod
    def _back(desk, client):
        try:
            while data := desk.recv(65536):
                client.sendall(data)
        except OSError:
            pass

    def close(self):
        self._thread.join(30)
        self._listener.close()
        self.folder.cleanup()
