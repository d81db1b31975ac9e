def test_a_room_is_told_of_once_until_it_was_cool():
    shared.ops = "ops@example.com"
    for temperature in (70, 91, 95):
        send(room="attic", temperature=temperature)
    attic = Process.objects.get(kind="room")
    assert attic.name == "attic" and attic.highest == 95 and attic.readings == [70, 91, 95]
    assert [mail.subject for mail in mails] == ["attic is too hot"]
    assert cards[0].name == "room" and cards[0].user == "ops@example.com"

    send(room="attic", temperature=60)
    assert attic.hot is False
    send(room="attic", temperature=92)
    assert len(mails) == 2


def test_the_limit_is_a_shared_kvp_and_nobody_need_be_told():
    shared.hot = 20
    send(room="cellar", temperature=25)
    assert Process.objects.get(kind="room").hot is True
    assert mails == []
