def test_a_service_is_down_after_three_bad_answers_and_up_with_the_first_good_one():
    shared.ops = "ops@example.com"
    shop = given(kind="service", name="Shop", address="https://shop.example.com/", state="up")
    answer("https://shop.example.com/", status=500)
    wait("2 min")
    assert shop.state == "up" and shop.failures == 2 and mails == []
    wait("1 min")
    assert shop.state == "down"
    assert mails[0].subject == "Shop is down" and mails[0].message == "**Shop** is down. The last answer was 500."

    answer("https://shop.example.com/", status=200)
    wait("1 min")
    assert shop.state == "up" and shop.failures == 0
    assert mails[1].subject == "Shop is up"


def test_what_can_not_be_reached_is_no_error_of_the_rule():
    shop = given(kind="service", name="Shop", address="https://shop.example.com/", state="up")
    answer("https://shop.example.com/", fails=True)
    wait("3 min")
    assert shop.state == "down"


def test_one_that_was_never_seen_is_not_told_of_when_it_is_up():
    shared.ops = "ops@example.com"
    shop = send(kind="service", name="Shop", address="https://shop.example.com/")
    answer("https://shop.example.com/", status=200)
    tick("probe")
    assert shop.state == "up" and mails == []
