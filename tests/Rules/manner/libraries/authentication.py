import hashlib
import logging
from functools import wraps

from nebriosmodels import NebriOSModel, NebriOSField

logging.basicConfig(filename='auth.log', level=logging.INFO)


class Account(NebriOSModel):
    username = NebriOSField(required=True)
    digest = NebriOSField(required=True)
    locked = NebriOSField(default=False)
    failures = NebriOSField(default=0)
    last_login = NebriOSField()


def digest(username, password):
    return hashlib.sha256(('%s:%s' % (username, password)).encode('utf-8')).hexdigest()


def register(username, password):
    account, created = Account.get_or_create(username=username, digest=digest(username, password))
    return account


def authenticate(username, password):
    try:
        account = Account.get(username=username)
    except Process.DoesNotExist:
        return None
    if account.locked:
        return None
    if account.digest != digest(username, password):
        account.failures += 1
        account.locked = account.failures >= 3
        account.save()
        logging.info('wrong password for %s', username)
        return None
    account.failures = 0
    account.last_login = datetime.now()
    account.save()
    return account


def login_required(function):
    @wraps(function)
    def wrapper(self, *args, **kwargs):
        account = authenticate(self.username, self.password)
        del self.password
        if account is None:
            self.logged_in = False
            return None
        self.logged_in = True
        return function(self, account, *args, **kwargs)
    return wrapper
