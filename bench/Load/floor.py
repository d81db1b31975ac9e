"""What the rule of the sandbox's cases costs where nothing seals it: bare Python, one process, no host, no limits.

    floor.py loop SECONDS RULE          runs a second
    floor.py answer SOCKET RULE         answers each line (a temperature) on the socket with what the rule set
    floor.py ready COUNT RULE           a fork that has run the text of the rule: milliseconds of each
    floor.py stop COUNT RULE            from the kill of an endless fork until the next one has run the rule: milliseconds of each
"""

import os
import signal
import socket
import sys
import time


class Rule:
    pass


def load(text):
    names = {"Rule": Rule}
    exec(compile(text, "rule", "exec"), names)
    return [kind for name, kind in names.items() if isinstance(kind, type) and issubclass(kind, Rule) and kind is not Rule][0]()


def loop(seconds, text):
    rule = load(text)
    clock = time.perf_counter
    done = 0
    started = now = clock()
    end = started + float(seconds)
    while now < end:
        for number in range(1000):
            rule.temperature = 1000 + number
            if rule.check():
                rule.action()
        done += 1000
        now = clock()
    print(done / (now - started))


def answer(path, text):
    rule = load(text)
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(path)
        while asked := channel.recv(4096):
            rule.temperature = int(asked)
            if rule.check():
                rule.action()
            channel.send(rule.alert.encode())


def forked(act):
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        act(told)
        os._exit(0)
    os.close(told)
    os.read(ready, 1)
    os.close(ready)
    return pid


def ready(count, text):
    def act(told):
        load(text)
        os.write(told, b"x")

    for _ in range(int(count)):
        started = time.perf_counter()
        pid = forked(act)
        print((time.perf_counter() - started) * 1000)
        os.waitpid(pid, 0)


def stop(count, text):
    def endless(told):
        os.write(told, b"x")
        while True:
            pass

    def act(told):
        rule = load(text)
        rule.temperature = 1000
        if rule.check():
            rule.action()
        os.write(told, b"x")

    for _ in range(int(count)):
        pid = forked(endless)
        time.sleep(0.01)
        started = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        pid = forked(act)
        print((time.perf_counter() - started) * 1000)
        os.waitpid(pid, 0)


dict(loop=loop, answer=answer, ready=ready, stop=stop)[sys.argv[1]](*sys.argv[2:])
