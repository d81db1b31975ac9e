def job(**more):
    return send(kind="job", title="Gardener", lead="lead@example.com", **more)


def applicant(job, name):
    return send(kind="applicant", job=job, name=name, mail=name.lower() + "@example.com")


def test_an_application_is_confirmed_and_shown_to_the_lead():
    one = applicant(job(), "Ann")
    assert one.state == "new" and one.PARENT.title == "Gardener"
    assert mails[0].to == ["ann@example.com"] and mails[0].subject == "Your application"
    assert cards[0].name == "decide" and cards[0].user == "lead@example.com"


def test_who_is_taken_fills_the_place_and_the_others_are_declined():
    place = job()
    ann, bob, cid = (applicant(place, name) for name in ("Ann", "Bob", "Cid"))
    send(ann, decision="invite")
    send(bob, decision="take")
    assert [one.state for one in (ann, bob, cid)] == ["decline", "take", "decline"]
    assert place.state == "filled" and place.taken == 1
    assert "we are glad to offer you the place as **Gardener**" in [mail.message for mail in mails if mail.to == ["bob@example.com"]][-1]

    dora = applicant(place, "Dora")
    assert dora.decision == "decline"
    assert [mail.subject for mail in mails if mail.to == ["dora@example.com"]] == ["Your application as Gardener"]


def test_two_places_take_two():
    place = job(places=2)
    ann, bob = applicant(place, "Ann"), applicant(place, "Bob")
    send(ann, decision="take")
    assert place.state == "open"
    send(bob, decision="take")
    assert place.state == "filled"
