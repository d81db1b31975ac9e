"""Signatures of webhooks. The host computes what they should be, since no secret is here; they are compared in constant time."""

import base64
import hashlib
import hmac
import time
import urllib.parse

import secret_names

_KINDS = ("standard", "stripe", "github", "slack", "twilio")


def verify(request, kind, secret, tolerance):
    kind = str(kind).lower()
    if kind not in _KINDS:
        raise ValueError(f"verify_webhook knows {', '.join(_KINDS)}, not {kind!r}")
    secret = secret_names.secrets[f"{kind.upper()}_WEBHOOK_SECRET"] if secret is None else secret
    return {"standard": _standard, "stripe": _stripe, "github": _github, "slack": _slack, "twilio": _twilio}[kind](request, secret, tolerance)


def _is_recent(moment, tolerance):
    try:
        return abs(time.time() - int(moment)) <= tolerance
    except (TypeError, ValueError):
        return False


def _is_one(expected, given):
    """Each is compared, however many there are."""
    return any([hmac.compare_digest(expected.encode(), one.encode("utf-8", "replace")) for one in given])


def _standard(request, secret, tolerance):
    """https://www.standardwebhooks.com: several signatures with spaces, each 'v1,' and Base64; the key is the Base64 behind 'whsec_'."""
    headers = request.headers
    name, moment = headers.get("webhook-id"), headers.get("webhook-timestamp")
    if not name or not _is_recent(moment, tolerance):
        return False
    expected = bytes.fromhex(secret_names.sign(secret, f"{name}.{moment}.".encode() + request.RAW, "sha256-base64"))
    given = [one[3:] for one in headers.get("webhook-signature", "").split() if one.startswith("v1,")]
    return _is_one(base64.b64encode(expected).decode(), given)


def _stripe(request, secret, tolerance):
    pairs = [part.strip().partition("=") for part in request.headers.get("Stripe-Signature", "").split(",")]
    moment = next((value for name, _, value in pairs if name == "t"), None)
    if not _is_recent(moment, tolerance):
        return False
    return _is_one(secret_names.sign(secret, f"{moment}.".encode() + request.RAW), [value for name, _, value in pairs if name == "v1"])


def _github(request, secret, tolerance):
    """GitHub tells no time: a delivery that is sent again verifies again."""
    given = request.headers.get("X-Hub-Signature-256", "")
    return given.startswith("sha256=") and _is_one(secret_names.sign(secret, request.RAW), [given[7:]])


def _slack(request, secret, tolerance):
    moment, given = request.headers.get("X-Slack-Request-Timestamp"), request.headers.get("X-Slack-Signature", "")
    if not _is_recent(moment, tolerance) or not given.startswith("v0="):
        return False
    return _is_one(secret_names.sign(secret, f"v0:{moment}:".encode() + request.RAW), [given[3:]])


def _twilio(request, secret, tolerance):
    """The address, and behind it the form's fields by name; a body that is no form is told by its digest in the address. Twilio tells no time."""
    text = request.url
    if request.FORM is not None:
        text += "".join(name + value for name, value in sorted({(name, one) for name, given in request.FORM for one in (given if isinstance(given, list) else [given])}))
    elif request.RAW:
        told = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(text).query)).get("bodySHA256", "")
        if not hmac.compare_digest(hashlib.sha256(request.RAW).hexdigest().encode(), told.encode()):
            return False
    expected = base64.b64encode(bytes.fromhex(secret_names.sign(secret, text, "sha1"))).decode()
    return _is_one(expected, [request.headers.get("X-Twilio-Signature", "")])
