"""`send_email` and `load_card`: what a run tells people. It is gathered here, with the files that it saves, and told to the host with the end of a run that ends well."""

import re

import limits
import processes
from values import encode, quote

EFFECTS = 100
RECEIVERS = 50
TEXT = 256 << 10
SUBJECT = 1000
# All texts of a run together, as they are told.
TOLD = 1 << 20

# What the run under way has asked for, in its order, as the JSON that the host is told.
gathered = []

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\U0010ffff-]{1,64}").fullmatch
_LABEL = re.compile(r"[A-Za-z0-9\x80-\U0010ffff](?:[A-Za-z0-9\x80-\U0010ffff-]*[A-Za-z0-9\x80-\U0010ffff])?").fullmatch
_CARD = re.compile(r"[A-Za-z0-9_-]{1,100}").fullmatch


def send_email(to, message, subject=None, pid=None, attach_variables=True):
    """Mail to one or more people. `{{key}}` prints a KVP of the process, as it is when the run ends."""
    running("no mail can be sent while files load, only in a run")
    of = _process(pid)
    receivers = _receivers(to)
    text = _text("the message of send_email", message, TEXT)
    about = "0" if subject is None else _line("the subject of send_email", subject, SUBJECT)
    if not isinstance(attach_variables, (bool, int)):
        raise TypeError(f"attach_variables of send_email is True or False, not {type(attach_variables).__name__}")
    _gather(f'["mail",{of},[{",".join(map(quote, receivers))}],{text},{about},{1 if attach_variables and of else 0}]')


def load_card(name, pid=None, user=None):
    """Shows a card to a user: to the last actor, where nobody is named."""
    running("no card can be shown while files load, only in a run")
    of = _process(pid)
    if user is None and processes.run.is_nobody:
        print("load_card: nobody is signed in, so nobody is shown the card; say whom, as in load_card(name, user='ann@example.com').")
        return
    if not isinstance(name, str):
        raise TypeError(f"load_card takes the name of a card, not {type(name).__name__}")
    if not _CARD(name):
        raise ValueError(f"{_shown(name)} is no name of a card: that has 1 to 100 letters, digits, _ and -, as in load_card('welcome')")
    _gather(f'["card",{of},{quote(name)},{"0" if user is None else _line("the user of load_card", user, 254)}]')


def act_for(actor):
    """From here on the cascade's cards are for this one."""
    told = f'["actor",{_line("last_actor", actor, 254)}]'
    if is_acting():
        gathered[0] = told
    else:
        gathered.insert(0, told)


def running(otherwise):
    if processes.run is None or not processes.run.running:
        raise RuntimeError(otherwise)


def is_acting():
    return bool(gathered) and gathered[0].startswith('["actor"')


def _gather(told):
    if sum(not one.startswith('["file"') for one in gathered) - is_acting() >= EFFECTS:
        raise ValueError(f"a run sends at most {EFFECTS} mails and cards, and this would be one more")
    if sum(map(limits.size, gathered)) + limits.size(told) > TOLD:
        raise ValueError(f"the mails and cards of a run have at most {TOLD} bytes of text together, and this one goes beyond")
    gathered.append(told)


def _process(given):
    """The number of the process that is meant; the host must know it, too."""
    run = processes.run
    if given is None:
        # That of an API script is none, unless it names one.
        return run.pid
    reference = getattr(type(given), "__reference__", None)
    pid = processes.pid_of(given) if reference is None else reference(given)
    run.bag(pid)
    return pid


def _receivers(to):
    if isinstance(to, str):
        to = [to]
    elif not isinstance(to, (list, tuple, set, frozenset)):
        raise TypeError(f"send_email takes an address, several with commas or a list of them, not {type(to).__name__}; there is nobody to send to")
    receivers = []
    for one in to:
        if not isinstance(one, str):
            raise TypeError(f"an address of send_email is text, not {type(one).__name__}")
        for part in one.split(","):
            # A line break at the end is no blank: it could begin another header.
            address = part.strip(" \t")
            if address and address not in receivers:
                _check_address(address)
                receivers.append(address)
    if not receivers:
        raise ValueError("send_email has no address to send to")
    if len(receivers) > RECEIVERS:
        raise ValueError(f"a mail has at most {RECEIVERS} receivers, and this one has {len(receivers)}")
    return receivers


def _check_address(address):
    local, at, domain = address.rpartition("@")
    labels = domain.split(".")
    if (not at or not address.isprintable() or len(address.encode()) > 254
            or not _LOCAL(local) or local[0] == "." or local[-1] == "." or ".." in local
            or len(labels) < 2 or not all(_LABEL(label) and len(label.encode()) <= 63 for label in labels)):
        raise ValueError(f"{_shown(address)} is no mail address, as somebody@example.com is one")


def _text(what, value, most):
    if not isinstance(value, str):
        raise TypeError(f"{what} is text, not {type(value).__name__}")
    text = encode(what, str(value))
    if (size := limits.size(value)) > most:
        raise ValueError(f"{what} has {size} bytes, and {most} is the limit")
    return text


def _line(what, value, most):
    text = _text(what, value, most)
    if not value.strip():
        raise ValueError(f"{what} is empty")
    if any(ord(character) < 32 or 0x7f <= ord(character) < 0xa0 or character in "\u2028\u2029" for character in value):
        raise ValueError(f"{what} has a line break or a control character in it: {_shown(value)}")
    return text


def _shown(text):
    return ascii(text if len(text) <= 80 else text[:80] + "…")
