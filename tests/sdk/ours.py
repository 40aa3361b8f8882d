"""Our side, as a process that answers line by line, and the tally of what was compared."""

import base64
import json
import random
import subprocess

CHINESE = "可乐雪碧茶水咖啡售货机订单支付宝微信龘😀"
SPECIAL = " !\"#$%'()*+,-./:;<=>?@[]^_`{|}~\\&"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Refused(Exception):
    """Our side answered with an error."""


class Ours:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, do, **fields):
        line = json.dumps({"do": do, **{name: value for name, value in fields.items() if value is not None}})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["ok"]

    def refuses(self, do, **fields):
        try:
            self(do, **fields)
        except Refused:
            return True
        return False


class Tally:
    def __init__(self):
        self.checks = 0
        self.refused = 0
        self.differences = 0

    def same(self, what, ours, theirs):
        self._count(ours == theirs, f"{what}\n  ours:   {ours!r}\n  theirs: {theirs!r}")

    def holds(self, what, does):
        self._count(bool(does), what)

    def is_refused(self, what, was):
        """Something that must be refused, and by whom, stands in `what`."""
        self.refused += bool(was)
        self._count(bool(was), f"{what}: it was not refused")

    def _count(self, good, what):
        self.checks += 1
        if not good:
            self.differences += 1
            print(f"DIFFERENCE {what}")


class Draw(random.Random):
    """Random inputs of the kinds that the channels see."""

    def words(self, longest=40):
        return "".join(self.choice(CHINESE + SPECIAL + LETTERS) for _ in range(self.randint(1, longest)))

    def letters(self, length):
        return "".join(self.choice(LETTERS) for _ in range(length))

    def digits(self, length):
        return str(self.randint(1, 9)) + "".join(self.choice("0123456789") for _ in range(length - 1))

    def number(self, letter):
        return letter + "".join(self.choice(CROCKFORD) for _ in range(25))

    def begun(self):
        return self.randint(1_600_000_000_000, 2_000_000_000_000)

    def entropy(self):
        return base64.b64encode(self.randbytes(32)).decode()

    def request(self, kind, **more):
        amount = self.randint(1, 10_000_000)
        return {
            "kind": kind,
            "attempt": self.number("P"),
            "refund": self.number("R"),
            "amount": amount,
            "back": self.randint(1, amount),
            "subject": self.words(),
            "begun": self.begun(),
            "code": self.choice(["28", "13"]) + self.digits(16),
            **more,
        }

    def changed(self, data):
        """The same bytes with one bit turned over."""
        place = self.randrange(len(data))
        return data[:place] + bytes([data[place] ^ 1 << self.randrange(8)]) + data[place + 1 :]


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()
