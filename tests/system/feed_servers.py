"""Servers that feeds are pulled from: TAXII 2.1 with medallion's quirks, MISP, Shadowserver's API, and hostile ones."""
import base64
import gzip
import hashlib
import hmac
import http.server
import json
import socket
import ssl
import threading
import time
import urllib.parse
import uuid


class Host:
    """An HTTPS server: `routes` maps a path to a function(request) → (status, headers, body), or None where it answered itself."""

    def __init__(self, certificates, routes=None, client_ca=None):
        outer = self
        self.routes = dict(routes or {})
        self.requests = []  # (method, path, headers, body)
        self.lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length)
                with outer.lock:
                    outer.requests.append((self.command, self.path, dict(self.headers), self.body))
                path = self.path.split("?")[0]
                route = outer.routes.get(path) or next((route for prefix, route in outer.routes.items()
                                                        if prefix.endswith("*") and path.startswith(prefix[:-1])), None)
                result = route(self) if route else (404, {}, b"")
                if result is None:
                    self.close_connection = True
                    return
                status, headers, body = result
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that goes away is no error of ours
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(certificates.door[2]), str(certificates.door[3]))
        if client_ca:
            context.load_verify_locations(str(client_ca))
            context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path, host="localhost"):
        return f"https://{host}:{self.port}{path}"

    def asked(self, prefix="", method=None):
        with self.lock:
            return [one for one in self.requests if one[1].startswith(prefix) and method in (None, one[0])]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


TAXII_TYPE = "application/taxii+json;version=2.1"


def indicator(number, name=None):
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}", "created": "2026-11-20T10:00:00.000Z",
            "modified": "2026-11-20T10:00:00.000Z", "name": name or f"object {number}", "valid_from": "2026-11-20T10:00:00Z",
            "pattern": f"[domain-name:value = 'o{number}.feeds.example']", "pattern_type": "stix",
            "indicator_types": ["malicious-activity"]}


class Taxii:
    """A TAXII 2.1 server as strict as medallion is: the exact media type, `limit` with every `next`, filters that stay the same while
    paging, slashes at the end, an HTML page for whoever is not let in."""

    ROOT = "/api1/"
    ID = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"

    def __init__(self, certificates, user=None, page=10, **options):
        self.user, self.page = user, page
        self.objects = []
        self.nexts = {}
        self.busy = []  # (status, retry-after) to answer first
        self.times = []
        self.wrong = []  # what a client did that it must not
        self.lock = threading.Lock()
        self.host = Host(certificates, {"/taxii2/": self.discovery, self.ROOT: self.root, self.ROOT + "collections/": self.collections,
                                        f"{self.ROOT}collections/{self.ID}/objects/": self.get_objects, "/*": self.lost}, **options)
        self.url = self.host.url(f"{self.ROOT}collections/{self.ID}/")

    def grow(self, count=1):
        with self.lock:
            for _ in range(count):
                number = len(self.objects)
                self.objects.append((f"2026-11-22T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.{number:06d}Z",
                                     indicator(number)))

    def guard(self, request):
        if self.user and request.headers.get("Authorization") != self.user:
            return 401, {"Content-Type": "text/html; charset=utf-8", "WWW-Authenticate": "Basic realm=x"}, b"<html>Unauthorized</html>"
        if request.headers.get("Accept") != TAXII_TYPE:
            self.wrong.append(f"Accept: {request.headers.get('Accept')}")
            return 406, {"Content-Type": TAXII_TYPE}, b'{"title":"Not Acceptable","http_status":"406"}'
        return None

    def answer(self, request, body, headers=None):
        return self.guard(request) or (200, {"Content-Type": TAXII_TYPE, **(headers or {})}, json.dumps(body).encode())

    def lost(self, request):
        if not request.path.split("?")[0].endswith("/"):
            self.wrong.append(f"no slash: {request.path}")
            return 308, {"Location": request.path + "/", "Content-Type": "text/html"}, b"<html>Moved</html>"
        return 404, {"Content-Type": TAXII_TYPE}, b'{"title":"Not Found","http_status":"404"}'

    def discovery(self, request):
        return self.answer(request, {"title": "A TAXII server", "description": "for tests", "default": self.host.url(self.ROOT),
                                     "api_roots": [self.ROOT, self.host.url("/gone/"), "https://127.0.0.1:1/elsewhere/"]})

    def root(self, request):
        return self.answer(request, {"title": "Root one", "versions": [TAXII_TYPE], "max_content_length": 104857600})

    def collections(self, request):
        return self.answer(request, {"collections": [
            {"id": self.ID, "title": "High value \x1b[31mindicators", "can_read": True, "can_write": False, "alias": "high"},
            {"id": "472c94ae-3113-4e3e-a4dd-a9f4ac7471d4", "title": "Write only", "can_read": False, "can_write": True}]})

    def get_objects(self, request):
        self.times.append(time.monotonic())
        refused = self.guard(request)
        if refused:
            return refused
        if self.busy:
            status, after = self.busy.pop(0)
            return status, {"Retry-After": after, "Content-Type": "text/plain"}, b"later"
        query = {key: value[0] for key, value in urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query).items()}
        if "next" in query and "limit" not in query:
            self.wrong.append("next without limit")
            return 500, {"Content-Type": "text/html"}, b"<html>Internal Server Error</html>"
        token, limit = query.pop("next", None), min(int(query.pop("limit", "100")), self.page)
        with self.lock:
            rows = [row for row in self.objects if row[0] > query.get("added_after", "")]
            if token and self.nexts.get(token, (None,))[0] != query:
                self.wrong.append(f"filters changed: {query}")
                return 400, {"Content-Type": TAXII_TYPE}, b'{"title":"Filters changed","http_status":"400"}'
            start = self.nexts[token][1] if token else 0
            page, more = rows[start:start + limit], len(rows) > start + limit
            if not page:
                return 200, {"Content-Type": TAXII_TYPE}, b"{}"
            body = {"more": more, "objects": [row[1] for row in page]}
            if more:
                body["next"] = str(uuid.uuid4())
                self.nexts[body["next"]] = (query, start + limit)
        return 200, {"Content-Type": TAXII_TYPE, "X-TAXII-Date-Added-First": page[0][0], "X-TAXII-Date-Added-Last": page[-1][0]}, \
            json.dumps(body).encode()


def misp_event(number, timestamp):
    name = str(uuid.UUID(int=number + 1, version=4))
    return {"Event": {"uuid": name, "info": f"event {number}", "date": "2026-11-20", "timestamp": str(timestamp), "threat_level_id": "2",
                      "Tag": [{"name": "tlp:green"}, {"name": "rsit:malicious-code=\"c2-server\""}],
                      "Attribute": [{"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{number} {timestamp}")), "type": "domain", "to_ids": True,
                                     "category": "Network activity", "value": f"e{number}-{timestamp}.misp.example"}], "Object": []}}


class Misp:
    """A MISP instance and, under /feed/, a MISP feed of the same events."""

    KEY = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff"

    def __init__(self, certificates):
        self.events = {}
        self.published = {}
        self.gone = set()
        self.denied = 0
        self.host = Host(certificates, {"/events/restSearch": self.search, "/feed/manifest.json": self.manifest, "/feed/*": self.file})

    def put(self, number, timestamp, published=None):
        event = misp_event(number, timestamp)
        self.events[event["Event"]["uuid"]] = event
        self.published[event["Event"]["uuid"]] = published or timestamp
        return event["Event"]["uuid"]

    def manifest(self, request):
        body = json.dumps({name: {"info": event["Event"]["info"], "timestamp": event["Event"]["timestamp"], "Orgc": {"name": "x"}}
                           for name, event in self.events.items()}).encode()
        tag = '"' + hashlib.sha256(body).hexdigest() + '"'
        if request.headers.get("If-None-Match") == tag:
            return 304, {"ETag": tag}, b""
        return 200, {"ETag": tag, "Content-Type": "application/json"}, body

    def file(self, request):
        name = request.path.rsplit("/", 1)[1].removesuffix(".json")
        if name not in self.events or name in self.gone:
            return 404, {}, b""
        return 200, {"Content-Type": "application/json"}, json.dumps(self.events[name]).encode()

    def search(self, request):
        if request.headers.get("Authorization") != self.KEY or request.command != "POST":
            self.denied += 1
            return 403, {"Content-Type": "application/json"}, b'{"message":"Authentication failed."}'
        query = json.loads(request.body)
        found = [event for _, event in sorted(self.events.items())]
        if "uuid" in query:
            found = [event for event in found if event["Event"]["uuid"] == query["uuid"]]
        if "timestamp" in query:
            found = [event for event in found if int(event["Event"]["timestamp"]) >= int(query["timestamp"])]
        if "publish_timestamp" in query:
            found = [event for event in found if self.published[event["Event"]["uuid"]] >= int(query["publish_timestamp"])]
        if "limit" in query:
            limit, page = min(int(query["limit"]), 3), int(query.get("page", 1))
            found = found[(page - 1) * limit:page * limit]
        if query.get("metadata"):
            found = [{"Event": {key: value for key, value in event["Event"].items() if key not in ("Attribute", "Object")}} for event in found]
        return 200, {"Content-Type": "application/json"}, json.dumps({"response": found}).encode()


class Shadowserver:
    """The Reports API: lists signed by HMAC2, files to download."""

    KEY, SECRET = "0a1b2c3d", "s3cr3t:with colon"

    def __init__(self, certificates):
        self.days = {}  # day → list of reports
        self.files = {}
        self.listed = []
        self.host = Host(certificates, {"/api2/reports/list": self.list, "/dl/*": self.download})

    def put(self, day, kind, rows):
        number = hashlib.sha256(f"{day}{kind}{rows}".encode()).hexdigest()[:20]
        self.days.setdefault(day, []).append({"id": number, "timestamp": day, "type": kind, "report": "example-country",
                                              "file": f"{day}-{kind}-example-country.csv", "url": "https://interchange.example/"})
        self.files[number] = "\r\n".join(['"timestamp","severity","ip","port","asn","geo","tag"',
                                          *[f'"{day} 01:02:03","medium","{ip}",23,64500,"XX","telnet"' for ip in rows], ""])
        return number

    def list(self, request):
        mac = hmac.new(self.SECRET.encode(), request.body, hashlib.sha256).hexdigest()
        query = json.loads(request.body)
        if not hmac.compare_digest(mac, request.headers.get("HMAC2") or "") or query.get("apikey") != self.KEY:
            return 200, {"Content-Type": "application/json"}, b'{"error":"Authentication Failed"}'
        self.listed.append(query["date"])
        return 200, {"Content-Type": "application/json"}, json.dumps(self.days.get(query["date"], [])).encode()

    def download(self, request):
        assert "HMAC2" not in request.headers and "Authorization" not in request.headers
        body = self.files.get(request.path.rsplit("/", 1)[1])
        return (200, {"Content-Type": "text/csv"}, body.encode()) if body else (404, {}, b"")


def basic(user):
    return "Basic " + base64.b64encode(user.encode()).decode()


def gzip_bomb(size):
    return gzip.compress(b"\0" * size)


def raw(data, chunks=(), pause=0.0):
    """A route that writes bytes of its own, then closes."""
    def route(request):
        request.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            request.wfile.write(data)
            for chunk in chunks:
                request.wfile.write(chunk)
                request.wfile.flush()
                time.sleep(pause)
        except OSError:
            pass
    return route
