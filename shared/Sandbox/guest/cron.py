"""What a schedule's five fields may be."""

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (("minute", 0, 59, ()), ("hour", 0, 23, ()), ("day of the month", 1, 31, ()), ("month", 1, 12, _MONTHS), ("day of the week", 0, 7, _DAYS))


def fault(text):
    """Why a text is no schedule, in a sentence; None if it is one."""
    parts = text.split()
    if len(parts) != 5:
        return f"a schedule has five fields (minute, hour, day of the month, month, day of the week), and {text!r} has {len(parts)}; every day at seven is \"0 7 * * *\""
    for part, field in zip(parts, _FIELDS):
        for item in part.split(","):
            if found := _item_fault(item, *field):
                return found
    return None


def _item_fault(item, name, least, most, names):
    body, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 1 <= int(step[:4]) <= most):
        return f"{item!r} is no {name}: after / stands a whole number from 1 to {most}"
    if body == "*":
        return None
    first, dash, last = body.partition("-")
    values = []
    for text in (first, last) if dash else (first,):
        if text.upper() in names:
            values.append(names.index(text.upper()) + least)
        elif text.isascii() and text.isdigit() and least <= int(text[:4]) <= most:
            values.append(int(text))
        else:
            spelled = f" or {names[0]} to {names[-1]}" if names else ""
            return f"{text!r} is no {name}: it is a number from {least} to {most}{spelled}, a range such as {least}-{most}, */n, or a list of these with commas"
    # A week may begin with Sunday and end with it, by whichever number.
    if most == 7 and len(values) == 2:
        values = [0 if values[0] == 7 and values[1] != 7 else values[0], 7 if values[1] == 0 and values[0] > 0 else values[1]]
    if len(values) == 2 and values[0] > values[1]:
        return f"{item!r} is no {name}: a range goes from the smaller to the greater"
    return None
