from libraries.authentication import login_required, register


class sign_up(NebriOS):
    listens_to = ['sign_up']

    def check(self):
        return self.sign_up == True and self.password is not None

    def action(self):
        account = register(self.username, self.password)
        self.account = account.PROCESS_ID
        del self.password


class login(NebriOS):
    listens_to = ['login']

    def check(self):
        return self.login == True

    @login_required
    def action(self, account):
        self.account = account.PROCESS_ID
        self.welcome = 'Hello %s' % account.username
        load_card('welcome')
