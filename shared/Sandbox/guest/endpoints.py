"""API scripts: what a function under api/ is given and may answer, and who may call it."""

import ast
import datetime
import decimal
import functools
import importlib
import inspect
import json
import re
import urllib.parse

import failures
import processes
import webhooks

# There without import, as those of a run are.
NAMES = (
    "HttpResponse", "HttpResponseForbidden", "HttpResponseBadRequest", "HttpResponseNotFound", "HttpResponseRedirect", "JsonResponse",
    "members_only", "key_required", "group_required", "cors", "verify_webhook")

_NONE = inspect.Parameter.empty
_STATUS = range(200, 600)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}").fullmatch
MOST = 4 << 20


class Refusal(Exception):
    """The request can not be taken as it is: a status and a sentence for the caller."""

    def __init__(self, status, detail):
        super().__init__(detail)
        self.status = status


class Fields:
    """Named values of a request, as attributes and as items. What is not there is None."""

    __slots__ = ("_given", "last_actor")

    def __init__(self, given, last_actor=None):
        _set_given(self, given)
        _set_actor(self, last_actor)

    def __getattr__(self, name):
        if name[:2] == "__" and name[-2:] == "__":
            raise AttributeError(name)
        return self._given.get(name)

    def __setattr__(self, name, value):
        self._given[name] = value

    def __delattr__(self, name):
        self._given.pop(name, None)

    def __getitem__(self, name):
        return self._given.get(name)

    def __setitem__(self, name, value):
        self._given[name] = value

    def __delitem__(self, name):
        self._given.pop(name, None)

    def __contains__(self, name):
        return name in self._given

    def __iter__(self):
        return iter(self._given.items())

    def __len__(self):
        return len(self._given)

    def get(self, name, default=None):
        return self._given.get(name, default)

    def keys(self):
        return self._given.keys()

    def items(self):
        return self._given.items()

    def values(self):
        return self._given.values()

    def as_dict(self):
        return dict(self._given)

    def __repr__(self):
        return f"<{', '.join(self._given) or 'no fields'}>"


_set_given = Fields.__dict__["_given"].__set__
_set_actor = Fields.__dict__["last_actor"].__set__


class Body(str):
    """The body's text; a name in brackets is looked up in the JSON that it is."""

    __slots__ = ()

    @property
    def json(self):
        try:
            return json.loads(self)
        except ValueError as error:
            raise Refusal(400, f"The body is to be JSON, and it can not be read: {error}.") from None

    def __getitem__(self, at):
        return self.json[at] if isinstance(at, str) else str.__getitem__(self, at)

    def get(self, name, default=None):
        read = self.json
        return read.get(name, default) if isinstance(read, dict) else default

    def __kvp__(self):
        try:
            return json.loads(self)
        except ValueError:
            return str(self)


class Headers(dict):
    """Headers by name, in whatever case it is written."""

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __contains__(self, name):
        return super().__contains__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


class Upload:
    """A file of a form."""

    __slots__ = ("name", "content_type", "content")

    def __init__(self, name, content_type, content):
        self.name = name
        self.content_type = content_type
        self.content = content

    @property
    def size(self):
        return len(self.content)

    def read(self):
        return self.content

    def text(self):
        return self.content.decode("utf-8-sig", "replace")

    def __repr__(self):
        return f"<{self.name}, {len(self.content)} bytes>"


class Request:
    """What was asked, and who asked."""

    def __init__(self, method, origin, path, query, address, headers, raw, user, groups, key, scopes):
        self.method = method
        self.path = path
        self.RAW = raw
        self.headers = Headers()
        for name, value in zip(headers[::2], headers[1::2]):
            name = name.lower()
            held = dict.get(self.headers, name)
            dict.__setitem__(self.headers, name, value if held is None else f"{held}, {value}")
        self.user = user
        self.is_authenticated = user is not None
        self.api_key = key
        self.__access__ = (groups, scopes)
        self.__where__ = (origin, query, address)

    @property
    def url(self):
        """The whole address, as the caller has it."""
        origin, query, _ = self.__where__
        return origin + self.path + (f"?{query}" if query else "")

    @functools.cached_property
    def GET(self):
        return Fields(_pairs(self.__where__[1]))

    @functools.cached_property
    def POST(self):
        form = self.FORM
        if form is not None:
            return Fields(form.as_dict(), form.last_actor)
        if self._kind.endswith("json"):
            try:
                read = json.loads(self.RAW)
            except ValueError:
                read = None
            if isinstance(read, dict):
                return Fields(read, self.user)
        return Fields({})

    @functools.cached_property
    def FORM(self):
        kind = self._kind
        if kind == "application/x-www-form-urlencoded":
            return Fields(_pairs(self.RAW.decode("utf-8", "replace")), self.user)
        return Fields(self._parts[0], self.user) if kind == "multipart/form-data" else None

    @functools.cached_property
    def FILES(self):
        return Fields(self._parts[1] if self._kind == "multipart/form-data" else {})

    @functools.cached_property
    def BODY(self):
        charset = "utf-8"
        for part in self.headers.get("Content-Type", "").split(";")[1:]:
            name, _, value = part.strip().partition("=")
            if name.lower() == "charset":
                charset = value.strip('"')
        try:
            return Body(self.RAW.decode(charset, "replace"))
        except LookupError:
            return Body(self.RAW.decode("utf-8", "replace"))

    @functools.cached_property
    def META(self):
        origin, query, address = self.__where__
        site = urllib.parse.urlsplit(origin)
        meta = {
            "REQUEST_METHOD": self.method, "PATH_INFO": self.path, "QUERY_STRING": query, "REMOTE_ADDR": address, "SERVER_NAME": site.hostname or "",
            "SERVER_PORT": str(site.port or (443 if site.scheme == "https" else 80)), "CONTENT_LENGTH": str(len(self.RAW)), "CONTENT_TYPE": self.headers.get("Content-Type", "")}
        for name, value in self.headers.items():
            meta["HTTP_" + name.upper().replace("-", "_")] = value
        return meta

    @functools.cached_property
    def PROCESS(self):
        for fields in (self.GET, self.POST):
            for name in ("PROCESS_ID", "pid"):
                given = fields.get(name)
                if given in (None, ""):
                    continue
                try:
                    pid = processes.pid_of(given)
                    processes.run.bag(pid)
                except (TypeError, processes.DoesNotExist):
                    return None
                return processes.live(pid) if pid > 0 else None
        return None

    @property
    def _kind(self):
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @functools.cached_property
    def _parts(self):
        from email.parser import BytesParser
        from email.policy import HTTP

        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + self.headers.get("Content-Type", "").encode("latin-1", "replace") + b"\r\n\r\n" + self.RAW)
        fields, files = [], {}
        for part in message.iter_parts() if message.is_multipart() else ():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True) or b""
            if not isinstance(name, str):
                continue
            if (file := part.get_filename()) is not None:
                _gather(files, name, Upload(file, part.get_content_type(), content))
            else:
                fields.append((name, content.decode("utf-8", "replace")))
        return _gathered(fields), files

    def __repr__(self):
        return f"<{self.method} {self.path}>"


def _pairs(text):
    return _gathered(urllib.parse.parse_qsl(text, keep_blank_values=True, max_num_fields=10_000))


def _gathered(pairs):
    given = {}
    for name, value in pairs:
        _gather(given, name, value)
    return given


def _gather(given, name, value):
    held = given.get(name)
    if name not in given:
        given[name] = value
    elif isinstance(held, list):
        held.append(value)
    else:
        given[name] = [held, value]


class HttpResponse(Exception):
    """An answer, to be returned or raised. Raised, it drops what was set."""

    status_code = 200
    content_type = "text/html; charset=utf-8"

    def __init__(self, content="", content_type=None, status=None, headers=None, *, mimetype=None):
        super().__init__()
        self.content = content
        self.status_code = type(self).status_code if status is None else status
        self.headers = dict(headers or {})
        self.headers.setdefault("Content-Type", content_type or mimetype or type(self).content_type)

    def __getitem__(self, name):
        return self.headers[name]

    def __setitem__(self, name, value):
        self.headers[name] = value

    def set_cookie(self, name, value="", max_age=None, path="/", secure=True, httponly=True, samesite="Lax"):
        """A cookie of the tenant's host."""
        parts = [f"{name}={urllib.parse.quote(str(value))}", f"Path={path}", f"SameSite={samesite}"]
        parts += ([f"Max-Age={int(max_age)}"] if max_age is not None else []) + (["Secure"] if secure else []) + (["HttpOnly"] if httponly else [])
        self.headers.setdefault("Set-Cookie", []).append("; ".join(parts))

    def __str__(self):
        return f"{self.status_code}"


class HttpResponseForbidden(HttpResponse):
    status_code = 403


class HttpResponseBadRequest(HttpResponse):
    status_code = 400


class HttpResponseNotFound(HttpResponse):
    status_code = 404


class HttpResponseRedirect(HttpResponse):
    status_code = 302

    def __init__(self, to, status=None):
        super().__init__("", status=status)
        self.headers["Location"] = str(to)


class JsonResponse(HttpResponse):
    content_type = "application/json"

    def __init__(self, data, status=None, headers=None, **_):
        super().__init__(json.dumps(data, default=plain, ensure_ascii=False), status=status, headers=headers)


for _kind in (HttpResponse, HttpResponseForbidden, HttpResponseBadRequest, HttpResponseNotFound, HttpResponseRedirect, JsonResponse, Request, Fields, Body, Upload):
    _kind.__module__ = "eddy"


def plain(value):
    """As JSON that everybody reads: moments in ISO 8601, decimals as text, processes as their KVPs."""
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, Fields):
        return value.as_dict()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, processes.Query):
        return list(value)
    if (reference := getattr(type(value), "__reference__", None)) is not None:
        process = value if isinstance(value, processes.Process) else processes.found(reference(value))
        return {"PROCESS_ID": process.PROCESS_ID, **process.as_dict()}
    raise TypeError(f"a {type(value).__name__} can not be answered as JSON; answer a dict, list, text, number, process, or an HttpResponse")


def told(value):
    """(status, [header, value, …], bytes) of what a function returned."""
    if isinstance(value, type) and issubclass(value, HttpResponse):
        value = value()
    if value is None:
        return 204, [], b""
    if isinstance(value, HttpResponse):
        if type(value.status_code) is not int or value.status_code not in _STATUS:
            raise ValueError(f"an answer's status is a number from 200 to 599, not {value.status_code!r}")
        headers = []
        for name, given in value.headers.items():
            for one in given if isinstance(given, list) else [given]:
                headers += [_header_name(name), _header(one)]
        return value.status_code, headers, _bytes(value.content)
    if isinstance(value, str):
        return 200, ["Content-Type", "text/plain; charset=utf-8"], _bytes(value)
    if isinstance(value, (bytes, bytearray)):
        return 200, ["Content-Type", "application/octet-stream"], _bytes(value)
    return 200, ["Content-Type", "application/json"], _bytes(json.dumps(value, default=plain, ensure_ascii=False))


def problem(refusal):
    """As RFC 9457 has it."""
    titles = {400: "The request can not be taken", 401: "Who are you?", 403: "This is not for you"}
    said = {"type": "about:blank", "title": titles.get(refusal.status, "Refused"), "status": refusal.status, "detail": str(refusal)}
    headers = ["Content-Type", "application/problem+json"]
    if refusal.status == 401:
        headers += ["WWW-Authenticate", "Bearer"]
    return refusal.status, headers, json.dumps(said).encode()


def _header_name(value):
    text = str(value)
    if not _TOKEN(text):
        raise ValueError(f"the name of a header has letters, digits and - and at most 200 of them, and {ascii(text[:80])} is none")
    return text


def _header(value):
    text = str(value)
    if any(ord(character) < 32 or ord(character) > 126 for character in text):
        raise ValueError(f"a header is printable ASCII on one line, and {ascii(text[:80])} is not")
    return text


def _bytes(content):
    content = bytes(content) if isinstance(content, (bytes, bytearray, memoryview)) else str(content).encode("utf-8", "replace")
    if len(content) > MOST:
        raise ValueError(f"an answer has at most {MOST} bytes, and this one has {len(content)}")
    return content


def members_only(function):
    """Only members of the tenant who are signed in may call it."""
    return _guarded(function, lambda request: None if request.is_authenticated else (401, "This is for members: sign in on this site first."))


def key_required(scope="read"):
    """Only who shows an API key of the tenant with this scope may call it."""
    if scope not in ("ingest", "read", "write"):
        raise ValueError(f"key_required takes 'ingest', 'read' or 'write', as an API key has them, not {scope!r}")
    return lambda function: _guarded(function, lambda request: None if scope in request.__access__[1] else (
        (403, f"The API key {request.api_key} has not the scope {scope}.") if request.api_key else
        (401, f"This takes an API key with the scope {scope}: send it as 'Authorization: Bearer eddy_…'.")))


def group_required(*groups):
    """Only members in one of these groups may call it."""
    def check(request):
        if any(group in request.__access__[0] for group in groups):
            return None
        return (403, "This is not for you.") if request.is_authenticated else (401, "This is for members: sign in on this site first.")
    return lambda function: _guarded(function, check)


def cors(*origins):
    """Pages of these origins may call it from a browser; "*" stands for all of them, without cookies."""
    def mark(function):
        return function
    if len(origins) == 1 and callable(origins[0]):
        raise TypeError('cors takes the origins that may call, as in @cors("https://shop.example")')
    return mark


def _guarded(function, refuses):
    if not callable(function):
        raise TypeError("an access decorator stands directly above a function")

    @functools.wraps(function)
    def guarded(request, *rest, **named):
        if (no := refuses(request)) is not None:
            raise Refusal(*no)
        return function(request, *rest, **named)
    return guarded


def call(module, name, request):
    """What the function answers: (status, headers, body)."""
    function = getattr(importlib.import_module(module), name)
    plainly = inspect.unwrap(function)
    try:
        named = list(inspect.signature(plainly, eval_str=True).parameters.values())[1:]
    except (TypeError, ValueError, NameError):
        named = ()
    given = {}
    for parameter in named:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        value = request.GET.get(parameter.name)
        if value is None:
            value = request.POST.get(parameter.name)
        if value is None:
            if parameter.default is _NONE:
                raise Refusal(400, f"{parameter.name} is missing: give it in the address, the form or the JSON.")
            continue
        given[parameter.name] = _converted(parameter, value)
    return told(function(request, **given))


_READ = {
    int: int, float: float, decimal.Decimal: decimal.Decimal, datetime.date: datetime.date.fromisoformat, datetime.datetime: datetime.datetime.fromisoformat,
    datetime.time: datetime.time.fromisoformat, bool: lambda text: {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False, "": False}[text.lower()]}
_CALLED = {int: "a whole number", float: "a number", decimal.Decimal: "a number", datetime.date: "a date as in 2026-03-01", datetime.datetime: "a date and time as in 2026-03-01T10:00",
           datetime.time: "a time as in 10:00", bool: "true or false", str: "text", list: "a list", dict: "an object"}


def _converted(parameter, value):
    kind = parameter.annotation
    if kind is _NONE or kind not in _CALLED or type(value) is kind:
        return value
    if kind is list:
        return [value]
    try:
        if isinstance(value, str) and kind in _READ:
            return _READ[kind](value.strip())
        if kind in (float, decimal.Decimal) and type(value) in (int, float):
            return kind(value) if kind is float else kind(str(value))
    except (ValueError, ArithmeticError, KeyError):
        pass
    raise Refusal(400, f"{parameter.name} is to be {_CALLED[kind]}, and {ascii(value)[:80]} is not.")


def described(path, text):
    """The endpoints of a module, by its text alone: [name, line, documentation, access, origins, [[parameter, hint, is needed], …], hint of the answer]."""
    try:
        tree = ast.parse(text, path)
    except (SyntaxError, ValueError):
        return []
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            found[node.name] = _described(node)
    return list(found.values())


def _described(node):
    access, origins = [], []
    for one in node.decorator_list:
        name = getattr(one.func if isinstance(one, ast.Call) else one, "id", None)
        given = [argument.value for argument in getattr(one, "args", ()) if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
        if name == "members_only":
            access.append("members")
        elif name == "key_required":
            access.append("key:" + (given[0] if given else "read"))
        elif name == "group_required":
            access.append("group:" + ",".join(given))
        elif name == "cors":
            origins += given
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args]
    needed = len(named) - len(arguments.defaults)
    parameters = [[one.arg, _hint(one.annotation), at < needed] for at, one in enumerate(named)][1:]
    parameters += [[one.arg, _hint(one.annotation), default is None] for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults)]
    return [node.name, node.lineno, failures.cut(failures.clean(ast.get_docstring(node) or ""), 2000), " ".join(access), origins, parameters, _hint(node.returns)]


def _hint(node):
    return None if node is None else failures.cut(ast.unparse(node), 200)


def verify_webhook(request, kind, secret=None, tolerance=300):
    """Whether the request was signed by the service of this kind, no longer ago than `tolerance` seconds where it tells the time. The secret is called KIND_WEBHOOK_SECRET where none is named."""
    return webhooks.verify(request, kind, secret, tolerance)
