"""One process for each room; what comes in is noted there."""


class reading(Rule):
    listens_to = ["temperature"]
    required = ["room"]

    def check(self):
        return self.kind != "room"

    def action(self):
        room, made = Process.objects.get_or_create(kind="room", name=self.room)
        room.temperature = self.temperature
        room.highest = max(room.highest if room.highest is not None else self.temperature, self.temperature)
        room.readings = [*(room.readings or []), self.temperature][-100:]
        room.at = event.at
        room.save()


class too_hot(Rule):
    listens_to = ["temperature"]

    def check(self):
        return self.kind == "room" and self.temperature > limit()

    def action(self):
        if self.hot:
            return
        self.hot = True
        if shared.ops:
            send_email(shared.ops, "**{{name}}** has {{temperature}} degrees.\n\nNote [what was done]({{cards.room}}).", subject="{{name}} is too hot")
            load_card("room", user=shared.ops)


class cool_again(Rule):
    listens_to = ["temperature"]

    def check(self):
        return self.kind == "room" and self.hot and self.temperature <= limit()

    def action(self):
        self.hot = False


def limit():
    return 90 if shared.hot is None else shared.hot
