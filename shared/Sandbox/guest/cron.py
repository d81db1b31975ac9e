"""What a schedule's five fields may be."""

import re

MOST = 200

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (("minute", 0, 59, ()), ("hour", 0, 23, ()), ("day of the month", 1, 31, ()), ("month", 1, 12, _MONTHS), ("day of the week", 0, 7, _DAYS))
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class _Fault(Exception):
    """Why a text is no schedule, in a sentence."""


def fault(text):
    """Why a text is no schedule, in a sentence; None if it is one."""
    if len(text) > MOST:
        return f"a schedule has at most {MOST} characters"
    parts = re.findall(r"[^ \t]+", text)
    if len(parts) != 5:
        return f"a schedule has five fields (minute, hour, day of the month, month, day of the week), and {text!r} has {len(parts)}; every day at seven is \"0 7 * * *\""
    try:
        _, _, days, months, _ = (set().union(*(_item(item, *field) for item in part.split(","))) for part, field in zip(parts, _FIELDS))
    except _Fault as error:
        return str(error)
    if parts[4].startswith("*") and not any(min(days) <= _LONGEST[month - 1] for month in months):
        return f"the day of the month {parts[2]} never comes in the month {parts[3]}, so this would never run"
    return None


def _item(item, name, least, most, names):
    """The values of one part of a list."""
    body, slash, step = item.partition("/")
    if slash and not (_number(step) and 1 <= int(step) <= most):
        raise _Fault(f"{item!r} is no {name}: after / stands a whole number from 1 to {most}")
    step = int(step) if slash else 1
    if body == "*":
        return range(least, most + 1, step)
    first, dash, last = body.partition("-")
    values = [_value(text, name, least, most, names) for text in ((first, last) if dash else (first,))]
    # A week may begin with Sunday and end with it, by whichever number.
    if most == 7 and dash:
        values = [0 if values[0] == 7 and values[1] != 7 else values[0], 7 if values[1] == 0 and values[0] > 0 else values[1]]
    if dash and values[0] > values[1]:
        raise _Fault(f"{item!r} is no {name}: a range goes from the smaller to the greater")
    return range(values[0], (values[1] if dash else most if slash else values[0]) + 1, step)


def _number(text):
    return text.isascii() and text.isdigit() and len(text) <= 9


def _value(text, name, least, most, names):
    if text.upper() in names:
        return names.index(text.upper()) + least
    if _number(text) and least <= int(text) <= most:
        return int(text)
    spelled = f" or {names[0]} to {names[-1]}" if names else ""
    raise _Fault(f"{text!r} is no {name}: it is a number from {least} to {most}{spelled}, a range such as {least}-{most}, */n, or a list of these with commas")
