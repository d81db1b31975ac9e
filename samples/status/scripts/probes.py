"""Calls the services by the clock, and tells of what changed."""

from states import after


class probe(Rule):
    schedule = "* * * * *"
    schedule_where = {"kind": "service"}

    def action(self):
        try:
            answer = http.get(self.address, timeout=10)
            good, self.answer = answer.ok, answer.status
        except Exception as fault:
            good, self.answer = False, type(fault).__name__
        self.state, self.failures = after(self.state, self.failures or 0, good)
        self.asked_at = datetime.now()


class changed(Rule):
    listens_to = ["state"]

    def check(self):
        return self.kind == "service" and self.state in ("up", "down") and event.previous in ("up", "down", "unknown") and not (self.state == "up" and event.previous == "unknown")

    def action(self):
        self.since = event.at
        if shared.ops:
            send_email(shared.ops, "**{{name}}** is {{state}}. The last answer was {{answer}}.", subject="{{name}} is {{state}}")
