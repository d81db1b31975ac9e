"""A job with its applicants below it."""


class opened(Rule):
    listens_to = ["kind"]
    required = ["title", "lead"]

    def check(self):
        return self.kind == "job"

    def action(self):
        self.state = "open"
        self.places = self.places or 1
        self.taken = 0


class applied(Rule):
    listens_to = ["mail"]
    required = ["name", "job"]

    def check(self):
        return self.kind == "applicant"

    def action(self):
        self.PARENT = self.job
        self.title = self.PARENT.title
        if self.PARENT.state != "open":
            self.decision = "decline"
            return
        self.state = "new"
        send_email(self.mail, "Dear {{name}},\n\nyour application as {{title}} is here. You will hear from us.", subject="Your application", attach_variables=False)
        load_card("decide", user=self.PARENT.lead)


class decided(Rule):
    listens_to = ["decision"]

    def check(self):
        return self.kind == "applicant" and self.decision in MAILS and self.state != self.decision

    def action(self):
        self.state = self.decision
        send_email(self.mail, MAILS[self.decision], subject="Your application as {{title}}", attach_variables=False)
        if self.decision == "invite":
            load_card("decide", user=parent.lead)


class filled(Rule):
    listens_to = ["child.state"]

    def check(self):
        return self.kind == "job" and self.state == "open"

    def action(self):
        self.taken = len(children.filter(state="take"))
        if self.taken < self.places:
            return
        self.state = "filled"
        for one in children:
            if one.state in ("new", "invite"):
                one.decision = "decline"


MAILS = {
    "invite": "Dear {{name}},\n\nwe would like to meet you. When would it suit you?",
    "take": "Dear {{name}},\n\nwe are glad to offer you the place as **{{title}}**.",
    "decline": "Dear {{name}},\n\nthe place as {{title}} goes to somebody else. Thank you for your time.",
}
