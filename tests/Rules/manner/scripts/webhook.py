import logging
from datetime import datetime, timedelta
from nebriosmodels import NebriOSModel, NebriOSField, NebriOSReference

logging.basicConfig(filename='webhook.log', level=logging.DEBUG)


class Service(NebriOSModel):
    name = NebriOSField(required=True)
    added = NebriOSField(default=datetime.now)
    hits = NebriOSField(default=0)


class Status(NebriOSModel):
    service = NebriOSReference(Service, required=True)
    running = NebriOSField(default=False)


class webhook_received(NebriOS):
    listens_to = ['payload', 'shared.webhook_on']
    required = ['payload', ('first', 'last')]
    on_error = 'hold'

    def check(self):
        if not shared.webhook_on:
            return False
        try:
            self.event_type
        except AttributeError:
            return False
        return 'repository' in self.payload and self.seen is not True

    def action(self):
        self.seen = True
        data = self.payload if isinstance(self.payload, dict) else json.loads(self.payload)
        service, created = Service.get_or_create(name=data['repository'])
        service.hits += 1
        service.save()
        status = Status(service=service, running=bool(data.get('running')))
        status.save()
        if created:
            logging.info('new service %s' % service.name)
            load_card('welcome')
        for one in Process.objects.filter(kind='status', running=True).order_by('-PROCESS_ID')[:5]:
            one['checked_at'] = datetime.now() - timedelta(hours=1)
            one.save()
        send_email(self.last_actor, """Hello {{name}}""", subject='Got it')
