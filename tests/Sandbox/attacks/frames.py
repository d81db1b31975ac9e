"""Frames that the guest would never send. The host's check must stop each, and the runs before and after keep their places."""

import itertools
import json
import os
import time

from attempt import attempt, frame, own

RULE = 0  # `attack`; `works` is 1


def tell(*steps, number=None):
    """Sends steps as the guest would, in a frame of the slice that is under way."""
    text = ",".join([str(own("Line").number if number is None else number), *steps])
    os.write(3, frame(f"[{text}]".replace("PID", str(own("Bag").pid))))


def run(rest, rule=RULE, pid="PID"):
    return f"[3,{rule},{pid},{rest}]"


def lie(name, *steps, **more):
    attempt(name, "lie", lambda: tell(*steps, **more) or time.sleep(1))


def raw(name, data, stopped="lie"):
    attempt(name, stopped, lambda: os.write(3, data) and time.sleep(1))


raw("a negative length", b"\xff\xff\xff\xff")
raw("the longest length", b"\xff\xff\xff\x7f")
raw("a length above the limit", (8 * 1024 * 1024 + 1).to_bytes(4, "little"))
raw("an empty frame", b"\0\0\0\0")
raw("no JSON", frame("never"))
raw("bytes that are no text", frame(b"[\xff\xfe]"))
raw("an object", frame("{}"))
raw("a text", frame('"x"'))
raw("a number", frame("1"))
raw("an empty list", frame("[]"))
raw("two lists", frame("[1][1]"))
raw("a list that does not end", frame("[1,"))
raw("a comment", frame("[/* x */1,5]"))
raw("a mark of bytes", frame(b"\xef\xbb\xbf[1,5]"))
raw("ten thousand brackets", frame("[" * 10_000))
raw("ten thousand objects", frame('{"a":' * 10_000))
attempt("a million brackets in a value", "lie", lambda: tell(run('1,0,0,["a",' + "[" * 1_000_000 + "]" * 1_000_000 + "],0,0,0")) or time.sleep(1))
attempt("a value deeper than values are", "lie", lambda: tell(run('1,0,0,["a",' + "[" * 75 + "]" * 75 + "],0,0,0")) or time.sleep(1))

lie("the answer to another slice", "5", number=999)
lie("the answer to no slice", "5", number=0)
lie("a number that is none", "5", number="1e0")
lie("a number of a hundred digits", "5", number="9" * 100)
lie("a step that there is not", "1")
lie("a step below all", "-1")
lie("a step that is text", '"5"')
lie("a step that is nothing", "null")
lie("a list of no steps", "[]")
lie("a run of another kind", f"[9,{RULE},PID]")
attempt("the end in the middle of a run", "lie|own word|open: None", lambda: tell("5") or time.sleep(1))
attempt("the end, and more", "own word", lambda: tell(run("1,0,0"), "5", "0") or time.sleep(1))
attempt("the end twice", "own word", lambda: tell(run("1,0,0"), "5", "5") or time.sleep(1))
lie("an arrival out of turn", "0")
lie("a stop of a cascade that may go on", "4")
lie("a second beginning", f"[2,{RULE},PID]", f"[2,{RULE},PID]")
lie("a beginning, and more in its frame", f"[2,{RULE},PID]", "0")
lie("a beginning of another rule", f"[2,1,PID]")
lie("a beginning in another process", f"[2,{RULE},16]")
lie("a rule that there is not", run("1,0,0", rule=7))
lie("a rule below all", run("1,0,0", rule=-1))
lie("a rule of more bits", run("1,0,0", rule=1 << 32))
lie("an outcome in another process", run("1,0,0", pid=16))
lie("an outcome in the shared bag", run("1,0,0", pid=0))
lie("an outcome in a process below all", run("1,0,0", pid=-1))
attempt("an outcome of a run that was never begun", "own word", lambda: tell(run("1,0,0"), run("1,0,0")) or time.sleep(1))
lie("an outcome of another rule", run("1,0,0", rule=1))
lie("an outcome that there is not", run("4,0,0"))
lie("an outcome below all", run("-1,0,0"))
lie("an outcome of more bits", run("65537,0,0"))
lie("an outcome that is text", run('"1",0,0'))
lie("time that is text", run('1,"0",0'))
lie("time that is a fraction", run("1,0.5,0"))
lie("time that is too long for a number", run("1,99999999999999999999,0"))
lie("no outcome", f"[3,{RULE},PID]")
lie("an outcome that ends early", f"[3,{RULE},PID,1,0")
lie("a run with too much", run("1,0,0,0,0,0,0,0"))
lie("a run with too little", run("1,0,0,0"))
lie("changes of a run that said no", run('0,0,0,["a",1],0,0,0'))
lie("changes of a run that failed", run('2,0,0,["a",1],0,0,["E","m",null,null,null]'))
lie("a failure without an error", run("2,0,0"))
lie("an error of a run that went well", run('1,0,0,0,0,0,["E","m",null,null,null]'))
lie("an error that is too long", run('2,0,0,0,0,0,["E","%s",null,null,null]' % ("m" * 4000)))
lie("a traceback that is too long", run('2,0,0,0,0,0,["E","m",null,null,"%s"]' % ("m" * 30_000)))
lie("an error of too many parts", run('2,0,0,0,0,0,["E","m",null,null,null,null]'))
lie("an error's line that is none", run('2,0,0,0,0,0,["E","m",null,1e99,null]'))
lie("a log above the limit", run('1,0,0,0,0,"%s",0' % ("x" * 5000)))
lie("a log with NUL", run(r'1,0,0,0,0,"\u0000",0'))
lie("a log with half a character", run(r'1,0,0,0,0,"\ud800",0'))
lie("a key without characters", run('1,0,0,["",1],0,0,0'))
lie("a key that is too long", run('1,0,0,["%s",1],0,0,0' % ("k" * 129)))
lie("a key with NUL", run(r'1,0,0,["a\u0000",1],0,0,0'))
lie("a key with a line feed", run(r'1,0,0,["a\n",1],0,0,0'))
lie("a key with half a character", run(r'1,0,0,["\udc00",1],0,0,0'))
lie("a key that is a number", run("1,0,0,[1,1],0,0,0"))
lie("a key without a value", run('1,0,0,["a"],0,0,0'))
lie("a removal of two keys", run('1,0,0,[["a","b"]],0,0,0'))
lie("a removal of nothing", run("1,0,0,[[]],0,0,0"))
lie("changes that are text", run('1,0,0,"a",0,0,0'))
lie("changes that are an object", run('1,0,0,{"a":1},0,0,0'))
lie("changes that are true", run("1,0,0,true,0,0,0"))
lie("one KVP twice", run('1,0,0,["a",1,"a",2],0,0,0'))
lie("a value with an exponent", run('1,0,0,["a",1e5],0,0,0'))
lie("a value with an exponent in a list", run('1,0,0,["a",[1E400]],0,0,0'))
lie("a number of too many digits", run('1,0,0,["a",%s],0,0,0' % ("9" * 5000)))
lie("a value with NUL", run(r'1,0,0,["a","\u0000"],0,0,0'))
lie("a value with half a character", run(r'1,0,0,["a",{"b":"\ud83d"}],0,0,0'))
lie("a value with an escape that is not canonical", run(r'1,0,0,["a","\u0041"],0,0,0'))
lie("a value that is no text", run('1,0,0,["a",NaN],0,0,0'))
lie("a value above the limit", run('1,0,0,["a","%s"],0,0,0' % ("v" * 70_000)))
lie("a value above the limit in bytes", run('1,0,0,["a","%s"],0,0,0' % ("\u20ac" * 30_000)))
attempt("more changes than a run may make", "lie", lambda: tell(run(
    "1,0,0,[" + ",".join(f'"k{i}",1' for i in range(51)) + "],0,0,0")) or time.sleep(1))
attempt("more changes than a run may make, in two bags", "lie", lambda: tell(run(
    "1,0,0,[" + ",".join(f'"k{i}",1' for i in range(30)) + "],[" + ",".join(f'"k{i}",1' for i in range(30)) + "],0,0")) or time.sleep(1))
attempt("more bytes than a run may change", "lie", lambda: tell(run(
    "1,0,0,[" + ",".join(f'"k{i}","{"v" * 60_000}"' for i in range(5)) + "],0,0,0")) or time.sleep(1))
lie("a call that is none", '["call"]')
raw("a call that can not be read", frame('["call"]'))
raw("an ask of no kind", frame('["open","/etc/passwd",""]'))
raw("a file that is no data", frame('["file","scripts/attack.py",""]'))
raw("a script to be saved", frame('["save","scripts/attack.py",""]'))
raw("a file by a way round", frame('["file","../scripts/attack.py",""]'))
lie("a file that was not given", run('1,0,0,0,0,0,0,[],[["file","workspace/a"]]'))
raw("a part that is not text", frame('["part",5]'))
raw("another greeting", frame('["hello",1]'))
raw("files that were loaded again", frame('["loaded",[["scripts/attack.py:attack",["*"]]],[]]'))
raw("a file that is being loaded", frame('["begin","scripts/attack.py"]'))


@attempt("a flood of frames that tell nothing", "lie")
def _flood():
    empty = frame(f"[{own('Line').number}]") * 1000
    while True:
        os.write(3, empty)


@attempt("a slow flood of frames that tell nothing", "lie")
def _slow_flood():
    empty = frame(f"[{own('Line').number}]")
    while True:
        os.write(3, empty)
        time.sleep(0.05)


@attempt("a flood of bytes", "lie")
def _bytes():
    while True:
        os.write(3, b"\x7f" * 65536)


@attempt("more than the host could keep", "lie|Cascade")
def _hoard():
    # A run that wakes itself for ever, each with as much as a run may change.
    for turn in itertools.count():
        tell(run('1,0,0,["attempt","%d%s"],0,0,0' % (turn, "v" * 60_000)))


@attempt("the channel closed, and no end", "signal 9")
def _closed():
    os.close(3)
    while True:
        time.sleep(1)


@attempt("the channel shut down, and no end", "signal 9")
def _shut():
    import socket
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=3).shutdown(socket.SHUT_RDWR)
    while True:
        time.sleep(1)


@attempt("half of the channel shut down", "signal 9")
def _half():
    import socket
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=3).shutdown(socket.SHUT_WR)
    while True:
        time.sleep(1)


@attempt("a frame and then the end", "own word")
def _end():
    tell(run("1,0,0"))
    os._exit(0)


@attempt("half a frame and then the end", "exit 0")
def _half_frame():
    os.write(3, b"\x10\0\0\0[1")
    os._exit(0)


@attempt("an end that looks like want of memory", "Memory")
def _memory():
    os._exit(86)


@attempt("an end that looks like a broken seal", "exit 77")
def _seal():
    os._exit(77)


@attempt("what is told after the run's own outcome", "lie")
def _afterwards():
    line = own("Line")
    send = line.send

    def later(text):
        send(text)
        os.write(3, frame(json.dumps([line.number, 5])) * 3)
    line.send = later
    tell("0")
    time.sleep(1)
