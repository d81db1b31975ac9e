import hashlib
import hmac


def requires_login(function):
    def wrapped(request, *args, **kwargs):
        if not request.is_authenticated:
            return HttpResponseForbidden
        return function(request, *args, **kwargs)
    wrapped.__name__ = function.__name__
    return wrapped


class Token(Model):
    user = Field(required=True)
    value = Field()

    @classmethod
    def make(cls, user):
        token = cls(user=user, value=hashlib.sha256(user.encode()).hexdigest())
        token.save()
        return token


@requires_login
def token(request):
    try:
        found = Token.get(user=request.user)
    except Process.DoesNotExist:
        found = Token.make(request.user)
    if request.method == 'POST' and not hmac.compare_digest(request.POST.value or '', found.value):
        raise HttpResponseBadRequest('no')
    return JsonResponse({'token': found.value, 'at': datetime.now().isoformat()})
