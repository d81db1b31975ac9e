"""The rule that makes one attempt, and one that shows that the tenant still works."""

import attempt
from attempt import ATTEMPTS, outcome
import group


class attack(Rule):
    listens_to = ["attempt"]

    def action(self):
        attempt.SIBLING, attempt.HOST = shared.sibling, shared.host
        self.stopped = outcome(ATTEMPTS[self.attempt])


class works(Rule):
    listens_to = ["works"]

    def action(self):
        self.worked = self.works
