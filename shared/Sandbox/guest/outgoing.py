"""HTTP out of a cell, which has no sockets.

`http.client` and every library above it write a request to a connected socket and read the answer from it. Here they get a stand-in: it
reads the request that was written, asks the host to make the call, and gives the answer back as the bytes that a server would have sent.
Names are not looked up and certificates not checked here: both are the host's. What is no HTTP is an OSError that says so.
"""

import base64
import errno
import functools
import gzip
import http.client
import importlib
import importlib.abc
import ipaddress
import json
import re
import socket
import ssl
import sys
import urllib.parse
import zlib

ONLY_HTTP = "only HTTP goes out of a rule: use requests, urllib.request or http"
NO_PROXY = "there is no proxy to go through: calls go out by themselves"
NO_CERTIFICATE = "a client certificate can not be shown: the platform makes the call"
NOT_IN_RUN = "HTTP goes out only in a run, not while files load: make the call in check or action"
UNFINISHED = "the request was not finished before its answer was read"


class CallRefused(Exception):
    """The host made no call, or it failed; `kind` is one of Eddy.Egress.CallFaults."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind
        self.message = message


# Makes a call: (method, url, [(name, value), …], body) → (status, reason, [(name, value), …], body); raises CallRefused.
# Set by the cell for the time of a run; None while files load.
exchange = None

# How many seconds the call that is being made may take, where its caller said so. For `exchange` to read.
patience = None


def call(method, url, headers, body, timeout):
    global patience
    if exchange is None:
        raise RuntimeError(NOT_IN_RUN)
    patience = timeout
    try:
        return exchange(method, url, headers, body)
    except CallRefused as refused:
        raise _failure(refused.kind, refused.message) from None
    finally:
        patience = None


def _failure(kind, message):
    """What a socket would have raised."""
    if kind == "Dns":
        return socket.gaierror(socket.EAI_NONAME, message)
    if kind == "Connect":
        return ConnectionRefusedError(errno.ECONNREFUSED, message)
    if kind == "Refused":
        return PermissionError(errno.EACCES, message)
    if kind == "Tls":
        return ssl.SSLError(ssl.SSL_ERROR_SSL, message)
    if kind == "Timeout":
        return TimeoutError(message)
    if kind == "TooLarge":
        return OSError(errno.EMSGSIZE, message)
    return ConnectionResetError(errno.ECONNRESET, message)


# Headers that belong to one connection, and those that say where its body ends.
_OF_CONNECTION = frozenset((
    "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade"))

_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\S+) HTTP/1\.[01]")
_BEGINNING = re.compile(rb"[A-Z]{0,20}(?: \S*(?: [HTP/1.0]*\r?)?)?")


class Request:
    """The head of what a library wrote, and where its body is."""

    def __init__(self, head, rest):
        lines = head.split(b"\r\n")
        found = _REQUEST_LINE.fullmatch(lines[0])
        if found is None:
            raise OSError(errno.EPROTONOSUPPORT, ONLY_HTTP)
        self.method = found[1].decode("ascii")
        self.target = found[2].decode("latin-1")
        self.headers = []
        self.rest = rest
        for line in lines[1:]:
            if line[:1] in (b" ", b"\t") and self.headers:
                name, value = self.headers[-1]
                self.headers[-1] = (name, f"{value} {line.strip().decode('latin-1')}")
                continue
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise OSError(errno.EPROTO, f"the request has a line that is no header: {name[:100]!r}")
            self.headers.append((name, value.strip(" \t")))

    def value(self, name):
        return ", ".join(value for key, value in self.headers if key.lower() == name)

    def body(self):
        """The body; None where it has not been written to its end."""
        length = self.value("content-length")
        coding = self.value("transfer-encoding").lower()
        if coding:
            if coding != "chunked" or length:
                raise OSError(errno.EPROTO, "the request says in two ways where its body ends")
            body, after = _unchunk(self.rest)
        elif length:
            if not re.fullmatch("[0-9]{1,15}", length):
                raise OSError(errno.EPROTO, "the request's Content-Length is no number")
            size = int(length)
            body, after = (None, b"") if len(self.rest) < size else (bytes(self.rest[:size]), self.rest[size:])
        else:
            body, after = b"", self.rest
        if after:
            raise OSError(errno.EPROTO, "the request goes on after its end: it has too short a Content-Length, or none")
        return body


def _unchunk(data):
    parts = []
    at = 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None, b""
        size = bytes(data[at:end]).partition(b";")[0].strip()
        if not re.fullmatch(b"[0-9A-Fa-f]{1,8}", size):
            raise OSError(errno.EPROTO, "the request's body is not in chunks, though it says so")
        size = int(size, 16)
        at = end + 2
        if size == 0:
            # Trailers, then an empty line.
            while True:
                end = data.find(b"\r\n", at)
                if end < 0:
                    return None, b""
                if end == at:
                    return b"".join(parts), data[end + 2:]
                at = end + 2
        if len(data) < at + size + 2:
            return None, b""
        parts.append(bytes(data[at:at + size]))
        at += size + 2


def _render(method, status, reason, headers, body):
    """The answer as a server sends it that closes the connection afterwards."""
    lines = [f"HTTP/1.1 {status} {reason}"]
    bodiless = method == "HEAD" or status in (204, 304)
    for name, value in headers:
        lower = name.lower()
        if lower not in _OF_CONNECTION and (lower != "content-length" or bodiless):
            lines.append(f"{name}: {value}")
    if not bodiless:
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: close\r\n\r\n")
    return "\r\n".join(lines).encode("latin-1", "replace") + (b"" if bodiless else bytes(body))


class Wire:
    """One connection: what was written to it, and the answer that is read from it."""

    def __init__(self):
        self.host = None
        self.port = None
        self.secure = False
        self.timeout = None
        self.written = bytearray()
        self.answer = memoryview(b"")
        self.answered = False
        self.continued = False

    def write(self, data):
        if self.host is None:
            raise OSError(errno.ENOTCONN, "the socket is not connected")
        if self.answered:
            raise BrokenPipeError(errno.EPIPE, "the connection ended with its answer; open a new one for the next request")
        self.written += data

    def read(self, size, keep=False):
        if not self.answer and not self.answered:
            self.answer = memoryview(self.ask())
        data = self.answer[:size]
        if not keep:
            self.answer = self.answer[size:]
        return data

    def ask(self):
        if self.host is None:
            raise OSError(errno.ENOTCONN, "the socket is not connected")
        head, end, rest = self.written.partition(b"\r\n\r\n")
        if not end:
            line, whole, _ = head.partition(b"\r\n")
            begun = _REQUEST_LINE.fullmatch(line) if whole else line and _BEGINNING.fullmatch(line)
            raise OSError(errno.EPROTONOSUPPORT, UNFINISHED if begun else ONLY_HTTP)
        request = Request(bytes(head), rest)
        if request.method == "CONNECT" or not request.target.startswith("/"):
            raise OSError(errno.EPROTONOSUPPORT, NO_PROXY)
        body = request.body()
        if body is None:
            if request.value("expect").lower() == "100-continue" and not self.continued:
                self.continued = True
                return b"HTTP/1.1 100 Continue\r\n\r\n"
            raise OSError(errno.EPROTO, UNFINISHED)
        self.written.clear()
        answer = call(request.method, self.origin() + request.target, request.headers, body, self.timeout)
        self.answered = True
        return _render(request.method, *answer)

    def origin(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.secure else 80
        return f"{'https' if self.secure else 'http'}://{host}{'' if self.port == usual else f':{self.port}'}"


# Names have no addresses here; whoever looks one up gets an address that stands for it (198.18.0.0/15, which is nobody's).
_ADDRESSES = {}
_NAMES = {}


def _address(name):
    name = name.rstrip(".").lower()
    address = _ADDRESSES.get(name)
    if address is None:
        if len(_NAMES) >= 4096:
            _ADDRESSES.clear()
            _NAMES.clear()
        number = len(_NAMES) + 1
        address = _ADDRESSES[name] = f"198.18.{number >> 8}.{number & 255}"
        _NAMES[address] = name
    return address


def _text(host):
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii")
    if not isinstance(host, str) or not host or any(letter <= " " or letter in "/\\@%?#" for letter in host):
        raise socket.gaierror(socket.EAI_NONAME, f"{host!r} is no name of a host")
    return host


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    host = _text(host)
    if isinstance(port, (str, bytes)):
        port = port.decode("ascii") if isinstance(port, bytes) else port
        port = {"http": "80", "https": "443"}.get(port, port)
        if not port.isdigit():
            raise socket.gaierror(socket.EAI_SERVICE, ONLY_HTTP)
    port = int(port or 0)
    try:
        six = ipaddress.ip_address(host).version == 6
        address = host
    except ValueError:
        six = False
        address = _address(host)
    if family not in (0, socket.AF_INET6 if six else socket.AF_INET):
        raise socket.gaierror(socket.EAI_NONAME, f"{host} has no address of this family")
    return [(
        socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "",
        (address, port, 0, 0) if six else (address, port))]


def gethostbyname(host):
    return getaddrinfo(host, 0, socket.AF_INET)[0][4][0]


def gethostbyname_ex(host):
    return host, [], [gethostbyname(host)]


def gethostname():
    return "cell"


def getfqdn(name=""):
    return name or "cell"


def _standing(method):
    """The method for stand-ins; any other socket keeps its own."""
    real = getattr(socket.socket, method.__name__)

    @functools.wraps(method)
    def either(self, *arguments, **named):
        return (real if self._wire is None else method)(self, *arguments, **named)

    return either


class Socket(socket.socket):
    """A stream socket of the internet without a descriptor. What kind of other socket there may be, the seal decides."""

    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        self._wire = None
        if fileno is None and family in (-1, socket.AF_INET, socket.AF_INET6):
            if type not in (-1, socket.SOCK_STREAM):
                raise PermissionError(errno.EPERM, ONLY_HTTP)
            self._io_refs = 0
            self._closed = False
            self._stand_for(Wire())
            self._wire.timeout = socket.getdefaulttimeout()
        else:
            super().__init__(family, type, proto, fileno)

    def _stand_for(self, wire):
        self._wire = wire

    def __repr__(self):
        return f"<{type(self).__name__} to {self._wire.host}:{self._wire.port}>" if self._wire is not None else super().__repr__()

    @property
    def family(self):
        return socket.AF_INET if self._wire is not None else super().family

    @property
    def type(self):
        return socket.SOCK_STREAM if self._wire is not None else super().type

    @property
    def proto(self):
        return socket.IPPROTO_TCP if self._wire is not None else super().proto

    @property
    def timeout(self):
        return self.gettimeout()

    @_standing
    def connect(self, address):
        host, port = address[:2]
        host = _text(host)
        if exchange is None:
            raise RuntimeError(NOT_IN_RUN)
        self._wire.host = _NAMES.get(host, host)
        self._wire.port = int(port)

    @_standing
    def connect_ex(self, address):
        self.connect(address)
        return 0

    @_standing
    def send(self, data, flags=0):
        data = memoryview(data).cast("B")
        self._wire.write(data)
        return len(data)

    @_standing
    def sendall(self, data, flags=0):
        self._wire.write(memoryview(data).cast("B"))

    @_standing
    def recv(self, size, flags=0):
        return bytes(self._wire.read(size, flags & socket.MSG_PEEK))

    @_standing
    def recv_into(self, buffer, nbytes=0, flags=0):
        data = self._wire.read(nbytes or len(memoryview(buffer).cast("B")), flags & socket.MSG_PEEK)
        memoryview(buffer).cast("B")[:len(data)] = data
        return len(data)

    @_standing
    def settimeout(self, value):
        if value is not None and value < 0:
            raise ValueError("Timeout value out of range")
        self._wire.timeout = value

    @_standing
    def gettimeout(self):
        return self._wire.timeout

    @_standing
    def setblocking(self, flag):
        self._wire.timeout = None if flag else 0.0

    @_standing
    def getblocking(self):
        return self._wire.timeout != 0.0

    @_standing
    def setsockopt(self, *_):
        pass

    @_standing
    def getsockopt(self, level, option, size=0):
        return bytes(size) if size else 0

    @_standing
    def getpeername(self):
        if self._wire.host is None:
            raise OSError(errno.ENOTCONN, "the socket is not connected")
        return getaddrinfo(self._wire.host, self._wire.port)[0][4]

    @_standing
    def getsockname(self):
        return ("0.0.0.0", 0)

    @_standing
    def bind(self, address):
        if address[1] != 0:
            raise PermissionError(errno.EPERM, ONLY_HTTP)

    @_standing
    def listen(self, *_):
        raise PermissionError(errno.EPERM, ONLY_HTTP)

    @_standing
    def accept(self):
        raise PermissionError(errno.EPERM, ONLY_HTTP)

    @_standing
    def fileno(self):
        return -1

    @_standing
    def shutdown(self, how):
        pass


class TlsSocket(Socket, ssl.SSLSocket):
    """A stand-in that was wrapped for TLS. The host speaks it, and checks the certificate whatever the context says."""

    def __init__(self, wire, context, server_hostname):
        self._io_refs = 0
        self._closed = False
        self._stand_for(wire)
        self._context = context
        self.server_side = False
        self.server_hostname = server_hostname

    @property
    def session(self):
        return None

    @property
    def session_reused(self):
        return False

    def read(self, len=1024, buffer=None):
        return self.recv(len) if buffer is None else self.recv_into(buffer, len)

    def write(self, data):
        return self.send(data)

    def do_handshake(self, block=False):
        pass

    def pending(self):
        return len(self._wire.answer)

    def version(self):
        return "TLSv1.3"

    def cipher(self):
        return "TLS_AES_256_GCM_SHA384", "TLSv1.3", 256

    def shared_ciphers(self):
        return None

    def compression(self):
        return None

    def selected_alpn_protocol(self):
        return "http/1.1"

    def selected_npn_protocol(self):
        return None

    def getpeercert(self, binary_form=False):
        if binary_form:
            return b""
        name = self.server_hostname or self._wire.host
        return {"subject": ((("commonName", name),),), "subjectAltName": (("DNS", name), ("IP Address", name))}

    def get_channel_binding(self, cb_type="tls-unique"):
        return None

    def unwrap(self):
        raise OSError(errno.EOPNOTSUPP, ONLY_HTTP)


def _wrap_socket(
        self, sock, server_side=False, do_handshake_on_connect=True, suppress_ragged_eofs=True, server_hostname=None, session=None):
    wire = getattr(sock, "_wire", None)
    if wire is None or server_side:
        raise OSError(errno.EOPNOTSUPP, ONLY_HTTP)
    if wire.secure:
        raise OSError(errno.EOPNOTSUPP, NO_PROXY)
    if self.check_hostname and not server_hostname:
        raise ValueError("check_hostname requires server_hostname")
    wire.secure = True
    sock._stand_for(Wire())
    return TlsSocket(wire, self, server_hostname)


def _wrap_bio(self, *_, **__):
    raise OSError(errno.EOPNOTSUPP, ONLY_HTTP)


def _nothing(self, *_, **__):
    pass


def _load_cert_chain(self, *_, **__):
    raise OSError(errno.EOPNOTSUPP, NO_CERTIFICATE)


def _cert_verify(self, conn, url, verify, cert):
    if cert:
        raise OSError(errno.EOPNOTSUPP, NO_CERTIFICATE)


class Adapters(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports requests.adapters, which looks for a file of certificates before each call, and tells it that there is none to check."""

    def __init__(self, loader=None):
        self.loader = loader

    def find_spec(self, name, path=None, target=None):
        if name != "requests.adapters":
            return None
        for finder in sys.meta_path:
            spec = None if isinstance(finder, Adapters) else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = Adapters(spec.loader)
                return spec
        return None

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        module.HTTPAdapter.cert_verify = _cert_verify

    def __getattr__(self, name):
        return getattr(self.__dict__["loader"], name)


ADAPTERS = Adapters()


def install():
    """Puts the stand-ins where libraries look. Once in a process, after its own sockets are open."""
    prepare()
    replace()


def replace():
    """What a process that still needs sockets of its own leaves for last."""
    socket.socket = Socket
    # Before the tenant's libraries, for these may bring a requests of their own.
    sys.meta_path.insert(0, ADAPTERS)


def prepare():
    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = gethostbyname
    socket.gethostbyname_ex = gethostbyname_ex
    socket.gethostname = gethostname
    socket.getfqdn = getfqdn
    context = ssl.SSLContext
    context.wrap_socket = _wrap_socket
    context.wrap_bio = _wrap_bio
    context.load_verify_locations = context.load_default_certs = context.set_default_verify_paths = _nothing
    context.load_cert_chain = _load_cert_chain
    loaded = sys.modules.get("requests.adapters")
    if loaded is not None:
        loaded.HTTPAdapter.cert_verify = _cert_verify


class HttpError(OSError):
    """An answer whose status says that the call failed; `response` is the answer."""

    def __init__(self, message, response):
        super().__init__(message)
        self.response = response


class Response:
    """What `http` answers with."""

    def __init__(self, method, url, status, reason, headers, content):
        self.method = method
        self.url = url
        self.status = status
        self.reason = reason
        self.headers = http.client.HTTPMessage()
        for name, value in headers:
            self.headers[name] = value
        coding = self.headers.get("Content-Encoding", "").strip().lower()
        self.content = _decode(coding, content) if content else content

    @property
    def ok(self):
        return self.status < 400

    @property
    def text(self):
        try:
            return self.content.decode(self.headers.get_content_charset() or "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.content)

    def raise_for_status(self):
        if not self.ok:
            raise HttpError(f"{self.method} {self.url.partition('?')[0]} answered {self.status} {self.reason}", self)
        return self

    def __repr__(self):
        return f"<{self.status} {self.reason} of {self.method} {self.url.partition('?')[0]}>"


def _decode(coding, content):
    try:
        if coding in ("gzip", "x-gzip"):
            return gzip.decompress(content)
        if coding == "deflate":
            try:
                return zlib.decompress(content)
            except zlib.error:
                return zlib.decompress(content, -zlib.MAX_WBITS)
    except (OSError, EOFError, zlib.error) as error:
        raise OSError(errno.EPROTO, f"the answer's {coding} can not be unpacked: {error}") from None
    return content


_REDIRECTS = 5


class Http:
    """`http` of tenants' files: `http.get(url).json()`. What it does not know itself is the standard package's."""

    def request(self, method, url, *, params=None, headers=None, data=None, json=None, auth=None, timeout=None):
        method = method.upper()
        url = _with_params(url, params)
        headers = dict(headers or {})
        body = _body(headers, data, json)
        if auth is not None:
            user, password = auth
            _default(headers, "Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii"))
        _default(headers, "Accept-Encoding", "gzip, deflate")
        _default(headers, "User-Agent", "Eddy")
        for _ in range(_REDIRECTS + 1):
            response = Response(method, url, *call(method, url, [(name, str(value)) for name, value in headers.items()], body, timeout))
            target = response.headers.get("Location")
            if response.status not in (301, 302, 303, 307, 308) or not target:
                return response
            target = urllib.parse.urljoin(url, target)
            if _origin(target) != _origin(url):
                headers = {name: value for name, value in headers.items() if name.lower() not in ("authorization", "cookie")}
            if response.status == 303 and method != "HEAD" or response.status in (301, 302) and method == "POST":
                method, body = "GET", b""
                headers = {name: value for name, value in headers.items() if name.lower() not in ("content-type", "content-encoding")}
            url = target
        raise HttpError(f"{url.partition('?')[0]} is one redirect too many: {_REDIRECTS} are followed", response)

    def get(self, url, params=None, **more):
        return self.request("GET", url, params=params, **more)

    def head(self, url, **more):
        return self.request("HEAD", url, **more)

    def delete(self, url, **more):
        return self.request("DELETE", url, **more)

    def post(self, url, data=None, **more):
        return self.request("POST", url, data=data, **more)

    def put(self, url, data=None, **more):
        return self.request("PUT", url, data=data, **more)

    def patch(self, url, data=None, **more):
        return self.request("PATCH", url, data=data, **more)

    def __getattr__(self, name):
        if name in ("client", "cookies", "cookiejar", "server"):
            return importlib.import_module("http." + name)
        if name in ("HTTPStatus", "HTTPMethod"):
            return getattr(importlib.import_module("http"), name)
        raise AttributeError(f"http has no {name}")

    def __repr__(self):
        return "<http: get, post, put, patch, delete, head, request>"


def _default(headers, name, value):
    if not any(key.lower() == name.lower() for key in headers):
        headers[name] = value


def _with_params(url, params):
    if not params:
        return url
    url, mark, fragment = url.partition("#")
    query = params if isinstance(params, str) else urllib.parse.urlencode(params, doseq=True)
    return f"{url}{'&' if '?' in url else '?'}{query}{mark}{fragment}"


def _body(headers, data, value):
    if value is not None:
        if data is not None:
            raise TypeError("a request has data or json, not both")
        _default(headers, "Content-Type", "application/json")
        return json.dumps(value).encode()
    if data is None:
        return b""
    if isinstance(data, (bytes, bytearray)):
        return bytes(data)
    if isinstance(data, str):
        _default(headers, "Content-Type", "text/plain; charset=utf-8")
        return data.encode()
    _default(headers, "Content-Type", "application/x-www-form-urlencoded")
    return urllib.parse.urlencode(data, doseq=True).encode()


def _origin(url):
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
