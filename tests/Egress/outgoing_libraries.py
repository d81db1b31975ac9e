"""Every library that people know, unmodified, over guest/outgoing.py: python3 outgoing_libraries.py GUEST [Class…].

The web is a function here: what it is asked is what the host would be asked. No real socket may be made.
"""

import base64
import gzip
import io
import json
import logging
import sys
import unittest
import urllib.parse
import warnings
import zlib

sys.path.insert(0, sys.argv.pop(1))

import outgoing

outgoing.install()

import ftplib
import http.client
import http.cookiejar
import imaplib
import smtplib
import socket
import ssl
import urllib.error
import urllib.request
import xmlrpc.client

import httplib2
import requests
import urllib3


def no_socket(event, _):
    if event in ("socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname"):
        raise AssertionError(event + " of the machine")


sys.addaudithook(no_socket)

CALLS = []
FAULTS = {
    "dns.test": "Dns", "refused.test": "Refused", "connect.test": "Connect", "tls.test": "Tls", "timeout.test": "Timeout",
    "large.test": "TooLarge", "protocol.test": "Protocol"}


class Call:
    def __init__(self, method, url, headers, body):
        self.method = method
        self.url = url
        self.headers = {name.lower(): value for name, value in headers}
        self.pairs = headers
        self.body = body
        self.patience = outgoing.patience
        self.path = urllib.parse.urlsplit(url).path
        self.query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


def web(method, url, headers, body):
    assert type(body) is bytes and all(type(name) is str and type(value) is str for name, value in headers)
    call = Call(method, url, headers, body)
    CALLS.append(call)
    kind = FAULTS.get(urllib.parse.urlsplit(url).hostname)
    if kind:
        raise outgoing.CallRefused(kind, f"A sentence about {kind}.")
    text = [("Content-Type", "text/plain; charset=utf-8"), ("Server", "test")]
    if call.path == "/redirect":
        return int(call.query.get("status", 302)), "Go", [("Location", call.query["to"]), ("Content-Length", "0")], b""
    if call.path == "/loop":
        return 302, "Go", [("Location", "/loop")], b""
    if call.path == "/missing":
        return 404, "Not Found", text, b"nothing here"
    if call.path == "/none":
        return 204, "No Content", [], b""
    if call.path == "/unchanged":
        return 304, "Not Modified", [("ETag", '"1"')], b""
    if call.path == "/auth":
        if call.headers.get("authorization") != "Basic " + base64.b64encode(b"ann:secret").decode():
            return 401, "Unauthorized", [("WWW-Authenticate", 'Basic realm="r"')], b"who?"
    if call.path == "/gzip":
        return 200, "OK", text + [("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")], gzip.compress(b"packed")
    if call.path == "/deflate":
        return 200, "OK", text + [("Content-Encoding", "deflate")], zlib.compress(b"packed")
    if call.path == "/cookie":
        return 200, "OK", text + [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/")], b"set"
    if call.path == "/long":
        return 200, "OK", text + [("Content-Length", "1000000"), ("Keep-Alive", "timeout=5"), ("Connection", "keep-alive")], b"0123456789" * 100_000
    if method == "HEAD":
        return 200, "OK", text + [("Content-Length", "12345")], b""
    if call.path == "/json":
        return 200, "OK", [("Content-Type", "application/json")], b'{"rate": 1.07}'
    return 200, "OK", text, "héllo".encode()


class Web(unittest.TestCase):
    def setUp(self):
        CALLS.clear()
        outgoing.exchange = web

    @property
    def last(self):
        return CALLS[-1]

    def paths(self):
        return [call.path for call in CALLS]


class Requests(Web):
    def test_get(self):
        answer = requests.get("https://api.test/json?a=1", params={"b": "ü &"}, headers={"X-Mine": "yes"}, timeout=3)
        self.assertEqual(answer.json(), {"rate": 1.07})
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(self.last.url, "https://api.test/json?a=1&b=%C3%BC+%26")
        self.assertEqual(self.last.headers["x-mine"], "yes")
        self.assertEqual(self.last.headers["host"], "api.test")
        self.assertEqual(self.last.patience, 3)

    def test_every_method(self):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            self.assertEqual(requests.request(method, "http://api.test/x").text, "héllo")
            self.assertEqual(self.last.method, method)
        answer = requests.head("http://api.test/x")
        self.assertEqual((answer.content, answer.headers["Content-Length"]), (b"", "12345"))
        self.assertEqual(requests.get("http://api.test/none").status_code, 204)
        self.assertEqual(requests.get("http://api.test/unchanged").status_code, 304)

    def test_bodies(self):
        requests.post("https://api.test/x", json={"a": [1, "ü"]})
        self.assertEqual(json.loads(self.last.body), {"a": [1, "ü"]})
        self.assertEqual(self.last.headers["content-type"], "application/json")
        requests.post("https://api.test/x", data={"a": "1", "b": "x y"})
        self.assertEqual(self.last.body, b"a=1&b=x+y")
        requests.put("https://api.test/x", data="text ü".encode())
        self.assertEqual(self.last.body.decode(), "text ü")
        requests.post("https://api.test/x", data=io.BytesIO(b"a" * 200_000))
        self.assertEqual(len(self.last.body), 200_000)
        requests.post("https://api.test/x", data=(part for part in (b"one", b"two" * 50_000)))
        self.assertEqual(self.last.body, b"one" + b"two" * 50_000)
        self.assertEqual(self.last.headers["transfer-encoding"], "chunked")

    def test_files(self):
        requests.post("https://api.test/x", files={"report": ("r.csv", b"a;b\r\n\r\n1;2", "text/csv")}, data={"kind": "day"})
        self.assertIn(b'name="report"; filename="r.csv"', self.last.body)
        self.assertIn(b"a;b\r\n\r\n1;2", self.last.body)
        self.assertIn(b'name="kind"', self.last.body)

    def test_redirects(self):
        answer = requests.get("https://api.test/redirect?to=/json", auth=("ann", "secret"))
        self.assertEqual((answer.json()["rate"], [one.status_code for one in answer.history]), (1.07, [302]))
        self.assertIn("authorization", self.last.headers)
        requests.get("https://api.test/redirect?to=http://other.test/", auth=("ann", "secret"))
        self.assertEqual(self.last.url, "http://other.test/")
        self.assertNotIn("authorization", self.last.headers)
        requests.post("https://api.test/redirect?status=307&to=/x", data=b"again")
        self.assertEqual((self.last.method, self.last.body), ("POST", b"again"))
        requests.post("https://api.test/redirect?status=303&to=/x", data=b"again")
        self.assertEqual((self.last.method, self.last.body), ("GET", b""))
        self.assertEqual(requests.get("https://api.test/redirect?to=/x", allow_redirects=False).status_code, 302)
        with self.assertRaises(requests.TooManyRedirects):
            requests.get("https://api.test/loop")

    def test_sessions_and_cookies(self):
        with requests.Session() as session:
            session.headers["X-All"] = "1"
            session.get("https://api.test/cookie")
            session.get("https://api.test/x")
            self.assertEqual(sorted(self.last.headers["cookie"].split("; ")), ["a=1", "b=2"])
            self.assertEqual(self.last.headers["x-all"], "1")
            for _ in range(20):
                self.assertEqual(session.get("https://api.test/x").text, "héllo")

    def test_auth(self):
        self.assertEqual(requests.get("https://api.test/auth").status_code, 401)
        self.assertEqual(requests.get("https://api.test/auth", auth=("ann", "secret")).status_code, 200)
        self.assertEqual(requests.get("https://ann:secret@api.test/auth").status_code, 200)
        self.assertEqual(self.last.url, "https://api.test/auth")
        with self.assertRaises(requests.HTTPError):
            requests.get("https://api.test/missing").raise_for_status()

    def test_streams(self):
        with requests.get("https://api.test/long", stream=True) as answer:
            parts = list(answer.iter_content(65536))
        self.assertEqual((len(parts), sum(map(len, parts))), (16, 1_000_000))
        answer = requests.get("https://api.test/long", stream=True)
        self.assertEqual(answer.raw.read(10), b"0123456789")
        self.assertEqual(answer.raw.read(3), b"012")
        answer.close()
        answer = requests.get("https://api.test/gzip", stream=True)
        self.assertEqual(gzip.decompress(answer.raw.read()), b"packed")
        self.assertEqual(next(requests.get("https://api.test/x", stream=True).iter_lines()), "héllo".encode())

    def test_compressed(self):
        self.assertEqual(requests.get("https://api.test/gzip").text, "packed")
        self.assertEqual(requests.get("https://api.test/deflate").text, "packed")

    def test_certificates_are_the_hosts_affair(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            requests.get("https://api.test/x", verify=False)
            requests.get("https://api.test/x", verify=True)
        requests.get("https://api.test/x", verify="/no/such/file.pem")
        self.assertEqual(self.last.url, "https://api.test/x")
        with self.assertRaisesRegex(OSError, "client certificate"):
            requests.get("https://api.test/x", cert="/no/such/key.pem")

    def test_faults(self):
        for host, error in (
                ("dns", requests.ConnectionError), ("refused", requests.ConnectionError), ("connect", requests.ConnectionError),
                ("tls", requests.exceptions.SSLError), ("timeout", requests.Timeout), ("large", requests.ConnectionError),
                ("protocol", requests.ConnectionError)):
            with self.assertRaisesRegex(error, "A sentence about" if host != "timeout" else "timed out"):
                requests.get(f"https://{host}.test/", timeout=2)

    def test_proxies_are_none(self):
        for url in ("http://api.test/x", "https://api.test/x"):
            with self.assertRaisesRegex(requests.ConnectionError, "no proxy"):
                requests.get(url, proxies={"http": "http://proxy.test:3128", "https": "http://proxy.test:3128"})
        self.assertEqual(CALLS, [])

    def test_ports_names_and_addresses(self):
        for url in ("http://api.test:8080/x", "https://api.test:8443/x", "http://10.0.0.1/x", "http://[2606:4700::1111]:8080/x"):
            requests.get(url)
            self.assertEqual(self.last.url, url)
        requests.get("https://bücher.test/x")
        self.assertEqual(self.last.url, "https://xn--bcher-kva.test/x")
        requests.get("https://API.test:443/x")
        self.assertEqual(self.last.url, "https://api.test/x")


class Urllib(Web):
    def test_get_and_post(self):
        with urllib.request.urlopen("https://api.test/x?q=1", timeout=5) as answer:
            self.assertEqual((answer.status, answer.read().decode(), answer.headers["Server"]), (200, "héllo", "test"))
        request = urllib.request.Request("http://api.test/x", data=b"a=1", headers={"X-Mine": "1"}, method="PUT")
        urllib.request.urlopen(request)
        self.assertEqual((self.last.method, self.last.body, self.last.headers["x-mine"], self.last.patience), ("PUT", b"a=1", "1", None))

    def test_redirects_and_errors(self):
        answer = urllib.request.urlopen("https://api.test/redirect?to=https://other.test/json")
        self.assertEqual((answer.url, json.load(answer)), ("https://other.test/json", {"rate": 1.07}))
        with self.assertRaises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen("https://api.test/missing")
        self.assertEqual((raised.exception.code, raised.exception.read()), (404, b"nothing here"))
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen("https://api.test/loop")

    def test_auth_and_cookies(self):
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, "https://api.test/", "ann", "secret")
        opener = urllib.request.build_opener(
            urllib.request.HTTPBasicAuthHandler(passwords), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.assertEqual(opener.open("https://api.test/auth").status, 200)
        opener.open("https://api.test/cookie")
        opener.open("https://api.test/x")
        self.assertEqual(self.last.headers["cookie"], "a=1; b=2")

    def test_contexts(self):
        for context in (ssl.create_default_context(), ssl._create_unverified_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)):
            self.assertEqual(urllib.request.urlopen("https://api.test/x", context=context).status, 200)
        with self.assertRaisesRegex(OSError, "client certificate"):
            ssl.create_default_context().load_cert_chain("/no/such/key.pem")

    def test_faults(self):
        for host, kind in (
                ("dns", socket.gaierror), ("refused", PermissionError), ("connect", ConnectionRefusedError), ("tls", ssl.SSLError),
                ("large", OSError), ("protocol", ConnectionResetError)):
            with self.assertRaisesRegex((urllib.error.URLError, kind), "A sentence about"):
                urllib.request.urlopen(f"https://{host}.test/")
        with self.assertRaisesRegex((TimeoutError, urllib.error.URLError), "A sentence about Timeout"):
            urllib.request.urlopen("https://timeout.test/", timeout=1)

    def test_xmlrpc_goes_the_same_road(self):
        with self.assertRaises(xmlrpc.client.ProtocolError) as raised:
            xmlrpc.client.ServerProxy("https://api.test/missing").system.listMethods()
        self.assertEqual(raised.exception.errcode, 404)
        self.assertIn(b"<methodName>system.listMethods</methodName>", self.last.body)


class HttpClient(Web):
    def test_request(self):
        connection = http.client.HTTPSConnection("api.test", 8443, timeout=4)
        connection.request("POST", "/x?a=%20", body="text", headers={"X-Mine": "1"})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.reason, answer.version, answer.read(3), answer.read()), (200, "OK", 11, b"h\xc3\xa9", b"llo"))
        self.assertEqual((self.last.url, self.last.body, self.last.patience), ("https://api.test:8443/x?a=%20", b"text", 4))
        self.assertTrue(answer.will_close)
        connection.request("GET", "/json")
        self.assertEqual(connection.getresponse().read(), b'{"rate": 1.07}')

    def test_putrequest(self):
        connection = http.client.HTTPConnection("api.test")
        connection.putrequest("PUT", "/x", skip_accept_encoding=True)
        connection.putheader("Content-Length", "6")
        connection.putheader("X-Two", "a", "b")
        connection.endheaders()
        connection.send(b"abc")
        connection.send(b"def")
        self.assertEqual(connection.getresponse().status, 200)
        self.assertEqual((self.last.method, self.last.body, self.last.headers["x-two"]), ("PUT", b"abcdef", "a b"))

    def test_chunks(self):
        connection = http.client.HTTPConnection("api.test")
        connection.request("POST", "/x", body=iter([b"one", b"", b"two" * 10_000]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
        self.assertEqual(connection.getresponse().status, 200)
        self.assertEqual(self.last.body, b"one" + b"two" * 10_000)

    def test_head_and_none(self):
        connection = http.client.HTTPConnection("api.test")
        connection.request("HEAD", "/x")
        answer = connection.getresponse()
        self.assertEqual((answer.read(), answer.getheader("Content-Length")), (b"", "12345"))
        connection.request("GET", "/none")
        self.assertEqual(connection.getresponse().read(), b"")

    def test_a_body_that_is_not_finished(self):
        connection = http.client.HTTPConnection("api.test")
        connection.putrequest("PUT", "/x")
        connection.putheader("Content-Length", "6")
        connection.endheaders()
        connection.send(b"abc")
        with self.assertRaisesRegex(OSError, "not finished"):
            connection.getresponse()
        self.assertEqual(CALLS, [])

    def test_two_lengths_are_refused(self):
        for headers in ((("Content-Length", "3"), ("Transfer-Encoding", "chunked")), (("Content-Length", "3"), ("Content-Length", "4")),
                        (("Content-Length", "1"),), (("Content-Length", "-1"),), (("Transfer-Encoding", "gzip, chunked"),), ()):
            connection = http.client.HTTPConnection("api.test")
            connection.putrequest("PUT", "/x")
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders()
            connection.send(b"abc")
            with self.assertRaises(OSError):
                connection.getresponse()
        self.assertEqual(CALLS, [])

    def test_tunnels_are_none(self):
        connection = http.client.HTTPSConnection("proxy.test", 3128)
        connection.set_tunnel("api.test")
        with self.assertRaisesRegex(OSError, "no proxy"):
            connection.request("GET", "/")
        self.assertEqual(CALLS, [])


class Urllib3(Web):
    def test_pool(self):
        pool = urllib3.PoolManager(maxsize=2)
        for _ in range(5):
            answer = pool.request("GET", "https://api.test/x", headers={"X-Mine": "1"})
            self.assertEqual((answer.status, answer.data.decode()), (200, "héllo"))
        self.assertEqual(len(CALLS), 5)
        answer = pool.request("POST", "https://api.test/x", fields={"file": ("a.txt", "text")})
        self.assertIn(b'filename="a.txt"', self.last.body)
        answer = pool.request("GET", "https://api.test/gzip", preload_content=False)
        self.assertEqual(b"".join(answer.stream(3, decode_content=True)), b"packed")
        self.assertEqual(pool.request("GET", "https://api.test/redirect?to=/json").data, b'{"rate": 1.07}')

    def test_certificate_settings(self):
        pool = urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs="/no/such/file.pem", assert_hostname="api.test")
        self.assertEqual(pool.request("GET", "https://api.test/x").status, 200)
        # What is pinned can not be shown, and so is refused rather than believed.
        with self.assertRaises(urllib3.exceptions.MaxRetryError):
            urllib3.PoolManager(assert_fingerprint="00" * 32, retries=0).request("GET", "https://api.test/x")

    def test_faults(self):
        for host in ("dns", "refused", "connect", "tls", "timeout", "large", "protocol"):
            with self.assertRaises(urllib3.exceptions.HTTPError):
                urllib3.PoolManager(retries=False).request("GET", f"https://{host}.test/")


class Httplib2(Web):
    def test_request(self):
        client = httplib2.Http(timeout=7)
        answer, content = client.request("https://api.test/x", "POST", body="a=1", headers={"X-Mine": "1"})
        self.assertEqual((answer.status, content.decode(), self.last.body, self.last.patience), (200, "héllo", b"a=1", 7))
        answer, content = client.request("https://api.test/redirect?to=/json")
        self.assertEqual((content, answer.previous.status), (b'{"rate": 1.07}', 302))
        self.assertEqual(client.request("https://api.test/gzip")[1], b"packed")
        self.assertEqual(client.request("http://api.test:8080/x", "HEAD")[0].status, 200)
        self.assertEqual(client.request("https://api.test/missing")[0].status, 404)

    def test_auth_and_certificates(self):
        client = httplib2.Http(disable_ssl_certificate_validation=True)
        client.add_credentials("ann", "secret")
        self.assertEqual(client.request("https://api.test/auth")[0].status, 200)

    def test_faults(self):
        for host in ("dns", "refused", "connect", "tls", "timeout", "large", "protocol"):
            with self.assertRaisesRegex((OSError, httplib2.HttpLib2Error), "A sentence|nable to find"):
                httplib2.Http().request(f"https://{host}.test/")


class Sockets(Web):
    def test_expect_100(self):
        one = socket.create_connection(("api.test", 80), timeout=3)
        one.sendall(b"POST /x HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        self.assertEqual(one.recv(1000), b"HTTP/1.1 100 Continue\r\n\r\n")
        one.sendall(b"body")
        self.assertTrue(one.recv(8).startswith(b"HTTP/1.1"))
        self.assertEqual(self.last.body, b"body")

    def test_plain(self):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
            one.settimeout(2.5)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            one.connect((socket.gethostbyname("api.test"), 80))
            self.assertEqual(one.send(b"GET /json HTTP/1.0\r\n"), 20)
            one.sendall(memoryview(b"Host: api.test\r\n\r\n"))
            one.shutdown(socket.SHUT_WR)
            self.assertEqual(one.recv(4, socket.MSG_PEEK), b"HTTP")
            buffer = bytearray(4)
            self.assertEqual((one.recv_into(buffer), bytes(buffer)), (4, b"HTTP"))
            data = b""
            while part := one.recv(7):
                data += part
            self.assertTrue(data.endswith(b'\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{"rate": 1.07}'))
            self.assertEqual(self.last.url, "http://api.test/json")
            self.assertEqual((one.gettimeout(), one.fileno(), one.getpeername()[1], one.family), (2.5, -1, 80, socket.AF_INET))
            with self.assertRaises(BrokenPipeError):
                one.sendall(b"GET / HTTP/1.1\r\n\r\n")

    def test_tls(self):
        context = ssl.create_default_context()
        with self.assertRaises(ValueError):
            context.wrap_socket(socket.create_connection(("api.test", 443)))
        one = context.wrap_socket(socket.create_connection(("api.test", 443)), server_hostname="api.test")
        self.assertIsInstance(one, ssl.SSLSocket)
        self.assertIsInstance(one, socket.socket)
        self.assertEqual((one.version(), one.selected_alpn_protocol(), one.cipher()[1], one.context), ("TLSv1.3", "http/1.1", "TLSv1.3", context))
        self.assertEqual(dict(one.getpeercert()["subjectAltName"])["DNS"], "api.test")
        one.write(b"GET /x HTTP/1.1\r\nHost: api.test\r\n\r\n")
        self.assertTrue(one.read(8).startswith(b"HTTP/1.1"))
        self.assertEqual(self.last.url, "https://api.test/x")
        with self.assertRaisesRegex(OSError, "no proxy"):
            context.wrap_socket(one, server_hostname="other.test")
        one.close()

    def test_what_is_no_http(self):
        tries = {
            "smtp": lambda: smtplib.SMTP("mail.test"), "smtps": lambda: smtplib.SMTP_SSL("mail.test"),
            "ftp": lambda: ftplib.FTP("ftp.test"), "imap": lambda: imaplib.IMAP4("mail.test"),
            "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "raw": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW),
            "listen": lambda: socket.create_server(("", 8080)), "server": lambda: socket.socket().listen(),
            "redis": lambda: self.talk(b"PING\r\n"), "bytes": lambda: self.talk(b"\x00\x01\x02" * 1000),
            "http/2": lambda: self.talk(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "no target": lambda: self.talk(b"GET HTTP/1.1\r\n\r\n"),
            "http/0.9": lambda: self.talk(b"GET /\r\n\r\n"), "nothing": lambda: self.talk(b"")}
        for name, attempt in tries.items():
            with self.subTest(name), self.assertRaisesRegex(Exception, "only HTTP goes out of a rule"):
                attempt()
        self.assertEqual(CALLS, [])

    @staticmethod
    def talk(data):
        one = socket.create_connection(("any.test", 6379))
        one.sendall(data)
        one.recv(100)

    def test_pipelines_and_broken_heads_are_refused(self):
        for data in (b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /a HTTP/1.1\r\nno header\r\n\r\n",
                     b"GET /a HTTP/1.1\r\nHost: a\r\n", b"GET http://b.test/ HTTP/1.1\r\n\r\n", b"GET * HTTP/1.1\r\n\r\n",
                     b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"):
            with self.subTest(data), self.assertRaises(OSError):
                self.talk(data)
        self.assertEqual(CALLS, [])

    def test_names(self):
        first = socket.getaddrinfo("one.test", 443)
        self.assertEqual(first, socket.getaddrinfo("ONE.test.", "https", type=socket.SOCK_STREAM))
        self.assertNotEqual(first, socket.getaddrinfo("two.test", 443))
        self.assertEqual(socket.getaddrinfo("::1", 80)[0][:2], (socket.AF_INET6, socket.SOCK_STREAM))
        self.assertEqual(socket.getaddrinfo(b"8.8.8.8", 80)[0][4], ("8.8.8.8", 80))
        for name in ("", "a b", "a/b", "a@b", "a?b", None):
            with self.assertRaises(socket.gaierror):
                socket.getaddrinfo(name, 80)
        with self.assertRaises(socket.gaierror):
            socket.getaddrinfo("one.test", 80, socket.AF_INET6)
        for number in range(10_000):
            socket.getaddrinfo(f"n{number}.test", 80)
        self.assertLessEqual(len(outgoing._NAMES), 4096)
        self.assertEqual((socket.gethostname(), socket.getfqdn()), ("cell", "cell"))

    def test_a_real_socket_stays_one(self):
        with self.assertRaises(AssertionError):
            socket.socket(socket.AF_UNIX)


class OwnHelper(Web):
    http = outgoing.Http()

    def test_get(self):
        self.assertEqual(self.http.get("https://api.test/json", params={"a": [1, 2]}, headers={"X-Mine": 1}, timeout=2).json(), {"rate": 1.07})
        self.assertEqual((self.last.url, self.last.headers["x-mine"], self.last.patience), ("https://api.test/json?a=1&a=2", "1", 2))
        answer = self.http.get("https://api.test/x?b=1#f", params="c=2")
        self.assertEqual((answer.status, answer.ok, answer.text, answer.content, answer.headers["CONTENT-type"]), (200, True, "héllo", "héllo".encode(), "text/plain; charset=utf-8"))
        self.assertEqual(self.last.url, "https://api.test/x?b=1&c=2#f")

    def test_methods_and_bodies(self):
        self.http.post("https://api.test/x", json={"a": "ü"})
        self.assertEqual((json.loads(self.last.body), self.last.headers["content-type"]), ({"a": "ü"}, "application/json"))
        self.http.put("https://api.test/x", data={"a": "b c"}, auth=("ann", "secret"))
        self.assertEqual((self.last.body, self.last.headers["authorization"]), (b"a=b+c", "Basic YW5uOnNlY3JldA=="))
        self.http.patch("https://api.test/x", "text", headers={"content-type": "text/x"})
        self.assertEqual((self.last.body, self.last.headers["content-type"]), (b"text", "text/x"))
        self.http.delete("https://api.test/x")
        self.assertEqual((self.last.method, self.last.body), ("DELETE", b""))
        self.assertEqual(self.http.head("https://api.test/x").headers["Content-Length"], "12345")
        self.http.request("report", "https://api.test/x", data=b"\x00")
        self.assertEqual((self.last.method, self.last.body), ("REPORT", b"\x00"))
        with self.assertRaises(TypeError):
            self.http.post("https://api.test/x", data="a", json={})

    def test_redirects(self):
        self.assertEqual(self.http.get("https://api.test/redirect?to=/json", auth=("ann", "secret")).json()["rate"], 1.07)
        self.assertIn("authorization", self.last.headers)
        answer = self.http.post("https://api.test/redirect?to=https://other.test/x", json={}, auth=("ann", "secret"))
        self.assertEqual((answer.url, self.last.method, self.last.body), ("https://other.test/x", "GET", b""))
        self.assertNotIn("authorization", self.last.headers)
        self.assertNotIn("content-type", self.last.headers)
        with self.assertRaisesRegex(OSError, "one redirect too many"):
            self.http.get("https://api.test/loop")

    def test_failures(self):
        answer = self.http.get("https://api.test/missing?key=geheim")
        self.assertFalse(answer.ok)
        with self.assertRaisesRegex(outgoing.HttpError, "^GET https://api.test/missing answered 404 Not Found$") as raised:
            answer.raise_for_status()
        self.assertIs(raised.exception.response, answer)
        self.assertIs(self.http.get("https://api.test/x").raise_for_status().ok, True)
        with self.assertRaisesRegex(PermissionError, "A sentence about Refused"):
            self.http.get("https://refused.test/")
        with self.assertRaisesRegex(TimeoutError, "A sentence"):
            self.http.get("https://timeout.test/")

    def test_compressed(self):
        self.assertEqual(self.http.get("https://api.test/gzip").text, "packed")
        self.assertEqual(self.http.get("https://api.test/deflate").text, "packed")

    def test_it_is_the_standard_package_too(self):
        self.assertIs(self.http.client, http.client)
        self.assertIs(self.http.HTTPStatus, http.HTTPStatus)
        self.assertIs(self.http.cookies, sys.modules["http.cookies"])
        with self.assertRaises(AttributeError):
            self.http.nonsense


class Loading(Web):
    def test_nothing_goes_out_while_files_load(self):
        outgoing.exchange = None
        for attempt in (
                lambda: requests.get("https://api.test/"), lambda: urllib.request.urlopen("https://api.test/"),
                lambda: http.client.HTTPConnection("api.test").connect(), lambda: httplib2.Http().request("https://api.test/"),
                lambda: urllib3.PoolManager().request("GET", "https://api.test/"), lambda: outgoing.Http().get("https://api.test/")):
            with self.assertRaisesRegex(RuntimeError, "only in a run"):
                attempt()

    def test_a_connection_of_the_files_is_of_use_in_a_run(self):
        outgoing.exchange = None
        session = requests.Session()
        outgoing.exchange = web
        self.assertEqual(session.get("https://api.test/x").status_code, 200)


if __name__ == "__main__":
    logging.disable()
    unittest.main(warnings="ignore")
