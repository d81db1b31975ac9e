"""`secrets`, `sign` and `verify`: a tenant's secrets as its files see them. No value is ever here, only placeholders that the host fills in."""

import hmac
import secrets as standard

# Set by the cell: ask_sign(placeholder, algorithm, data) -> bytes. None where nothing may be asked, as while files load.
ask_sign = None

_ALGORITHMS = ("sha256", "sha384", "sha512", "sha1", "sha256-base64")


class SecretNames:
    """`secrets.NAME` is the placeholder of that secret. What Python's own module secrets has is here too."""

    __slots__ = ("_placeholders",)

    def __init__(self):
        object.__setattr__(self, "_placeholders", {})

    def __getattr__(self, name):
        found = self._placeholders.get(name)
        if found is not None:
            return found
        if name in standard.__all__:
            return getattr(standard, name)
        known = ", ".join(sorted(self._placeholders)) or "none"
        raise AttributeError(f"there is no secret {name!r}; set it with PUT /api/secrets/{name}. There are: {known}", name=name, obj=self)

    def __getitem__(self, name):
        return getattr(self, name)

    def __setattr__(self, name, value):
        raise AttributeError("a secret is set from outside, with PUT /api/secrets/" + name)

    def __contains__(self, name):
        return name in self._placeholders

    def __iter__(self):
        return iter(sorted(self._placeholders))

    def __dir__(self):
        return sorted([*self._placeholders, *standard.__all__])

    def __repr__(self):
        return f"<secrets: {', '.join(self) or 'none'}>"


secrets = SecretNames()


def told(placeholders):
    """What the host says: the placeholders by name."""
    object.__setattr__(secrets, "_placeholders", dict(placeholders))


def sign(secret, data, algorithm="sha256"):
    """The HMAC of the data under the secret's value, in hexadecimal. The host computes it, since nobody here knows the value."""
    placeholder = _placeholder(secret)
    if algorithm not in _ALGORITHMS:
        raise ValueError(f"sign() takes one of {', '.join(_ALGORITHMS[:4])} as its algorithm, not {algorithm!r}")
    if ask_sign is None:
        raise RuntimeError("sign() works in a run, not while files load")
    return ask_sign(placeholder, algorithm, _bytes(data)).hex()


def verify(secret, data, signature, algorithm="sha256"):
    """Whether this is the signature, in hexadecimal, of the data; 'sha256=' may stand before it. None never is."""
    expected = sign(secret, data, algorithm)
    if signature is None:
        return False
    given = _bytes(signature).lower()
    prefix = algorithm.encode() + b"="
    if given.startswith(prefix):
        given = given[len(prefix):]
    return hmac.compare_digest(expected.encode(), given)


def _placeholder(secret):
    if isinstance(secret, str):
        known = secrets._placeholders
        if secret in known:
            return known[secret]
        if secret in known.values():
            return str(secret)
    raise ValueError("sign() takes a secret, as in sign(secrets.NAME, data); " + (
        f"there is none called {secret[:64]!r}" if isinstance(secret, str) else f"this is a {type(secret).__name__}"))


def _bytes(data):
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"sign() takes text or bytes, not a {type(data).__name__}")
