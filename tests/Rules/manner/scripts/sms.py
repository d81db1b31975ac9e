from functools import wraps
import random


def retry_on_failure(times):
    def outer(function):
        @wraps(function)
        def inner(self, *args, **kwargs):
            last = None
            for attempt in range(times):
                try:
                    return function(self, *args, **kwargs)
                except Exception as error:
                    last = error
                    log.info('attempt %d failed' % attempt)
            raise last
        return inner
    return outer


class send_sms(NebriOS):
    listens_to = ['sms_text', 'sms_retry']
    max_tries = 3

    def check(self):
        return self.sms_sent != True and (self.sms_tries or 0) < self.max_tries

    @retry_on_failure(2)
    def action(self):
        self.sms_tries = (self.sms_tries or 0) + 1
        response = requests_post(self)
        self.sms_sent = response.status_code == 200
        if not self.sms_sent:
            self.sms_retry_at = datetime.now() + timedelta(minutes=5)


def requests_post(process):
    import requests
    return requests.post(shared.sms_url, auth=(shared.sms_sid, secrets.SMS), data={'To': process.to, 'Body': process.sms_text})


class retry_sms(NebriOS):
    schedule = '*/5 * * * *'
    schedule_where = {'sms_sent': False}

    def check(self):
        return self.sms_retry_at and self.sms_retry_at < datetime.now()

    def action(self):
        self.sms_retry = random.randint(0, 10 ** 6)
        del self['sms_retry_at']
