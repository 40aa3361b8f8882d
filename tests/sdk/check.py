"""The Python half of tests/sdk/run: check.py PROGRAM SEED ROUNDS KEYS. Writes the keys for the other half, too."""

import json
import sys

import alipay_check
import allinpay_check
import keys as made
import wechat_check
from ours import Draw, Ours, Tally


def main():
    program, seed, rounds, path = sys.argv[1:5]
    draw, tally, ours = Draw(f"{seed}/python"), Tally(), Ours(program)
    keys = made.make(Draw(f"{seed}/keys"))
    with open(path, "w", encoding="utf-8") as file:
        json.dump(keys, file)
    for _ in range(int(rounds)):
        alipay_check.check(ours, tally, draw, keys)
        wechat_check.check(ours, tally, draw, keys)
        allinpay_check.check(ours, tally, draw)
    print(f"tally {tally.checks} {tally.refused} {tally.differences}")


main()
