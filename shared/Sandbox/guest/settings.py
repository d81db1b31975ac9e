"""What a rule's class says of when it runs: each setting is checked when its file loads. All raise a RuleError that explains."""

import re

import cron
from processes import Query, operand
from values import check_key, quote

LONGEST = 366 * 24 * 3600
MOST_RUNS = 1000
MOST_RETRIES = 10

_DURATION = re.compile(r"(\d{1,9})\s*(ms|s|sec|m|min|h|d)")
_THROTTLE = re.compile(r"(\d{1,9})\s*/\s*(.+)")
_SECONDS = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


class RuleError(Exception):
    """A rule class that can not be in force."""


def required(name, cls):
    """What a rule requires: keys, and tuples of keys."""
    given = getattr(cls, "required", ())
    if given is None or given == ():
        return ()
    if isinstance(given, str) or not isinstance(given, (list, tuple)):
        raise RuleError(f'required of {name} must be a list of keys, as in required = ["email", ("first", "last")]')
    for one in given:
        for key in (one if isinstance(one, (list, tuple)) else (one,)):
            if not isinstance(key, str):
                raise RuleError(f"required of {name} has {key!r}, which is no text")
            _check(f"required of {name}", key)
    return tuple(tuple(map(str, one)) if isinstance(one, (list, tuple)) else str(one) for one in given)


def holds(name, cls):
    """Whether later events of a process wait for a run of the rule that failed there."""
    given = getattr(cls, "on_error", "skip")
    if given not in ("skip", "hold"):
        raise RuleError(f'on_error of {name} is {given!r}, and may be "skip" (go on with later events) or "hold" (keep them behind the run that failed)')
    return given == "hold"


def flow(name, cls):
    """[microseconds of debounce or 0, runs of throttle or 0, microseconds that these are in, key that tells streams apart or None, retries]."""
    debounce, throttle, per, retry = (getattr(cls, setting, None) for setting in ("debounce", "throttle", "per", "retry"))
    quiet = _micros(f"debounce of {name}", debounce, '"10s"') if debounce is not None else 0
    runs = within = 0
    if throttle is not None:
        match = _THROTTLE.fullmatch(throttle.strip()) if isinstance(throttle, str) else None
        if match is None or not 1 <= int(match[1]) <= MOST_RUNS:
            raise RuleError(f'throttle of {name} is {throttle!r}, and is written as runs in a time, as "5/min" or "1/10s", with 1 to {MOST_RUNS} runs')
        runs = int(match[1])
        within = _micros(f"throttle of {name}", match[2] if match[2][0].isdigit() else "1" + match[2], '"5/min"')
    if quiet and runs:
        raise RuleError(f"{name} has debounce and throttle; take the one or the other")
    if per is not None:
        if not isinstance(per, str):
            raise RuleError(f"per of {name} is {per!r}, and is a key")
        _check(f"per of {name}", per)
        if not quiet and not runs:
            raise RuleError(f"per of {name} tells streams of debounce or throttle apart, and it has neither")
    if retry is not None and (type(retry) is not int or not 0 <= retry <= MOST_RETRIES):
        raise RuleError(f"retry of {name} is {retry!r}, and is a whole number from 0 to {MOST_RETRIES}")
    return [quiet, runs, within, None if per is None else str(per), retry or 0]


def schedule(name, cls):
    """(cron, what a process must have for it as the host asks it) or None."""
    given, where = getattr(cls, "schedule", None), getattr(cls, "schedule_where", None)
    if given is None:
        if where is not None:
            raise RuleError(f"schedule_where of {name} narrows a schedule, and it has none")
        return None
    if not isinstance(given, str):
        raise RuleError(f'schedule of {name} is {given!r}, and is text, as in schedule = "0 7 * * *"')
    if (fault := cron.fault(given)) is not None:
        raise RuleError(f"schedule of {name}: {fault}")
    if where is None:
        return [str(given), None]
    if not isinstance(where, dict) or not all(isinstance(key, str) for key in where):
        raise RuleError(f'schedule_where of {name} is {where!r}, and is a dictionary, as in schedule_where = {{"kind": "invoice"}}')
    try:
        return [str(given), asked(Query().filter(**where))]
    except (TypeError, ValueError) as error:
        raise RuleError(f"schedule_where of {name}: {error}") from None


def asked(query):
    """What a query looks for, as the host reads it."""
    return '{"where":[' + ",".join(
        "[" + ("true" if negated else "false") + ",[" + ",".join(
            f"[{quote(key)},{quote(operation)},{operand(value)}]" for key, operation, value in conditions) + "]]"
        for negated, conditions in query._where) + "]}"


def _micros(what, text, example):
    match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not 0 < seconds <= LONGEST:
        raise RuleError(f"{what} is {text!r}, and is written as a number with ms, s, min, h or d, as {example}, for at most 366 days")
    return round(seconds * 1_000_000)


def _check(what, key):
    try:
        check_key(key)
    except ValueError as error:
        raise RuleError(f"{what}: {error}") from None
