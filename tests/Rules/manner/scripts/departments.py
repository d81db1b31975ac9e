class hire(NebriOS):
    listens_to = ['child.hired', 'head_count']

    def check(self):
        return self.kind == 'department'

    def action(self):
        self.head_count = len(children.filter(hired=True))
        self.names = sorted(c.name for c in self.CHILDREN if c.hired)
        for c in children:
            if not c.badge:
                c.badge = 'B-%s' % c.PROCESS_ID
        if self.PARENT:
            self.PARENT.total = (self.PARENT.total or 0) + 1


class open_position(NebriOS):
    listens_to = ['position']

    def action(self):
        new_child.kind = 'employee'
        new_child.title = self.position
        new_child.hired = False
        others = Process.objects.filter(kind='employee', title=self.position).exclude(hired=True)
        self.open = others.count()
        try:
            boss = Process.objects.get(kind='boss', department=self.pid)
        except Process.DoesNotExist:
            boss = Process.objects.create(kind='boss', department=self.pid)
        boss.last = event.value if event else None
        boss.save()


class on_parent(NebriOS):
    listens_to = ['parent.closed']

    def check(self):
        return parent.closed is True and not self.closed

    def action(self):
        self.closed = True
        self.closed_by = parent.last_actor
