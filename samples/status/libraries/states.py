"""What a service's state is after one more answer."""

PATIENCE = 3


def after(state, failures, good):
    """(state, failures): down after so many bad answers in a row, up with the first good one."""
    if good:
        return "up", 0
    failures += 1
    return ("down" if failures >= PATIENCE else state or "unknown"), failures
