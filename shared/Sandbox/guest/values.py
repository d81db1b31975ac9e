"""Values of KVPs and their canonical JSON (docs/values.md). A value's text is its identity: equal means equal text."""

import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from json.decoder import JSONDecoder
from json.encoder import encode_basestring as quote
from zoneinfo import ZoneInfo

DEPTH = 64

_scan = JSONDecoder().scan_once
_NONE = type(None)
_forbidden = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search
# Keys that were good before.
known = set()


# Makes the process of this number; set by what knows processes.
process = None


def check_key(key):
    """Raises unless `key` may name a KVP."""
    if key in known:
        return
    if type(key) is not str:
        raise TypeError(f"a KVP's key is text, not {type(key).__name__}")
    if not 1 <= len(key) <= 128:
        raise ValueError(f"a KVP's key has 1 to 128 characters, not {len(key)}")
    if _forbidden(key):
        raise ValueError(f"the key {key!a} has a control character or half a character in it")
    if len(known) > 10_000:
        known.clear()
    known.add(key)


def encode(key, value):
    """The canonical JSON of a value. Raises a TypeError or ValueError that names the key."""
    kind = type(value)
    if kind is str:
        return _text(key, value)
    if kind is int:
        return _whole(key, value)
    return _encode(key, value, 0)


def decode(text):
    """The value of a canonical JSON text: new lists and dictionaries at each call."""
    value = _scan(text, 0)[0]
    return _untag(value) if '"$' in text and type(value) in (dict, list) else value


def _text(key, text):
    if "\0" in text:
        raise ValueError(f"{key}: text can not have NUL characters")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{key}: text can not have half characters (lone surrogates)") from None
    return quote(text)


def _whole(key, number):
    try:
        return int.__repr__(number)
    except ValueError:
        raise ValueError(f"{key}: a whole number can have 4300 digits, and this one has more") from None


def _float(key, number):
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(f"{key}: {number} is no value")
    if number == 0:
        return "0.0"
    text = float.__repr__(number)
    if "e" in text:
        text = format(Decimal(text), "f")
        if "." not in text:
            text += ".0"
    return text


def _decimal(key, number):
    if not number.is_finite():
        raise ValueError(f"{key}: {number} is no value")
    if abs(number.as_tuple().exponent) > 100_000:
        raise ValueError(f"{key}: the exponent of {number} is too large")
    return '{"$decimal":"' + format(number, "f") + '"}'


def _time_of_day(value):
    text = value.strftime("%H:%M:%S")
    return text + f".{value.microsecond:06}".rstrip("0") if value.microsecond else text


def _datetime(value):
    text = f"{value.year:04}-{value.month:02}-{value.day:02}T" + _time_of_day(value)
    if value.tzinfo is not None and (offset := value.utcoffset()) is not None:
        text += str(timezone(offset))[3:] or "+00:00"
        if isinstance(value.tzinfo, ZoneInfo) and value.tzinfo.key:
            text += f"[{value.tzinfo.key}]"
    return '{"$datetime":"' + text + '"}'


def _encode(key, value, depth):
    kind = type(value)
    if kind is str:
        return _text(key, value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return _whole(key, value)
    if kind is float:
        return _float(key, value)
    if depth >= DEPTH:
        raise ValueError(f"{key}: lists and dictionaries are nested deeper than {DEPTH}")
    if isinstance(value, dict):
        return _dictionary(key, value, depth)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([_encode(key, item, depth + 1) for item in value]) + "]"
    if isinstance(value, datetime):
        return _datetime(value)
    if isinstance(value, date):
        return '{"$date":"' + f"{value.year:04}-{value.month:02}-{value.day:02}" + '"}'
    if isinstance(value, time):
        if value.tzinfo is not None:
            raise TypeError(f"{key}: a time of day has no zone; use a datetime")
        return '{"$time":"' + _time_of_day(value) + '"}'
    if isinstance(value, Decimal):
        return _decimal(key, value)
    if isinstance(value, (bytes, bytearray)):
        try:
            return _text(key, bytes(value).decode())
        except UnicodeDecodeError:
            raise TypeError(f"{key}: bytes that are no UTF-8 text can not be a value") from None
    pid = getattr(kind, "__reference__", None)
    if pid is not None:
        return '{"$process":' + str(pid(value)) + "}"
    if (own := getattr(kind, "__kvp__", None)) is not None:
        return _encode(key, own(value), depth)
    # Enumerations and other refinements of the plain types are stored as what they refine.
    if isinstance(value, str):
        return _text(key, str.__str__(value))
    if isinstance(value, int):
        return _whole(key, int(value))
    if isinstance(value, float):
        return _float(key, float(value))
    raise TypeError(f"{key}: a {kind.__name__} can not be a value")


def _dictionary(key, value, depth):
    # Only dict's own methods: a subclass may answer what it likes.
    names = list(dict.keys(value))
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{key}: the keys of a dictionary are text, and {name!r} is not")
    names.sort()
    wrap = len(names) == 1 and names[0].startswith("$")
    if wrap and depth + 1 >= DEPTH:
        raise ValueError(f"{key}: lists and dictionaries are nested deeper than {DEPTH}")
    text = "{" + ",".join([
        _text(key, name) + ":" + _encode(key, dict.__getitem__(value, name), depth + 1 + wrap) for name in names]) + "}"
    return '{"$dict":' + text + "}" if wrap else text


def _untag(value):
    if type(value) is list:
        return [_untag(item) for item in value]
    if type(value) is not dict:
        return value
    if len(value) == 1:
        (tag, content), = value.items()
        if tag == "$dict" and type(content) is dict:
            return {name: _untag(item) for name, item in content.items()}
        read = _TAGS.get(tag)
        if read is not None:
            try:
                return read(content)
            except (ValueError, TypeError, KeyError, ArithmeticError):
                return {tag: _untag(content)}
    return {name: _untag(item) for name, item in value.items()}


def _read_datetime(text):
    if not text.endswith("]"):
        return datetime.fromisoformat(text)
    text, _, zone = text[:-1].partition("[")
    fixed = datetime.fromisoformat(text)
    zone = ZoneInfo(zone)
    for fold in (0, 1):
        local = fixed.replace(tzinfo=zone, fold=fold)
        if local.utcoffset() == fixed.utcoffset():
            return local
    return fixed.astimezone(zone)


def _read_process(pid):
    if type(pid) is not int or pid < 1:
        raise ValueError("no process")
    return process(pid)


_TAGS = {
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$datetime": _read_datetime,
    "$decimal": Decimal,
    "$process": _read_process,
}
