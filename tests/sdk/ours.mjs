// Our side, as a process that answers line by line, the tally, and random inputs by a seed.
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const CHINESE = [...'可乐雪碧茶水咖啡售货机订单支付宝微信龘😀'];
const SPECIAL = [..." !\"#$%'()*+,-./:;<=>?@[]^_`{|}~\\&"];
const CROCKFORD = [...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'];
const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'];

export const b64 = (data) => Buffer.from(data).toString('base64');

export class Ours {
  constructor(program) {
    this.process = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async call(what, fields) {
    this.process.stdin.write(`${JSON.stringify({ do: what, ...fields })}\n`);
    const answer = JSON.parse((await this.lines.next()).value);
    if ('error' in answer) throw new Error(answer.error);
    return answer.ok;
  }

  refuses(what, fields) {
    return this.call(what, fields).then(() => false, () => true);
  }

  end() {
    this.process.stdin.end();
  }
}

export class Tally {
  checks = 0;
  refused = 0;
  differences = 0;

  same(what, ours, theirs) {
    const [a, b] = [ours, theirs].map((value) => JSON.stringify(sorted(value)));
    this.#count(a === b, `${what}\n  ours:   ${a}\n  theirs: ${b}`);
  }

  holds(what, does) {
    this.#count(does, what);
  }

  /** Something that must be refused, and by whom, stands in `what`. */
  isRefused(what, was) {
    this.refused += was ? 1 : 0;
    this.#count(was, `${what}: it was not refused`);
  }

  #count(good, what) {
    this.checks += 1;
    if (good) return;
    this.differences += 1;
    console.log(`DIFFERENCE ${what}`);
  }
}

const sorted = (value) =>
  value && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** Random inputs of the kinds that the channels see: SHA-256 over the seed and a counter. */
export class Draw {
  constructor(seed) {
    this.seed = seed;
    this.drawn = 0;
  }

  bytes(length) {
    const blocks = [];
    for (let have = 0; have < length; have += 32) {
      blocks.push(createHash('sha256').update(`${this.seed}/${this.drawn++}`).digest());
    }
    return Buffer.concat(blocks).subarray(0, length);
  }

  below(limit) {
    return this.bytes(6).readUIntBE(0, 6) % limit;
  }

  between(least, most) {
    return least + this.below(most - least + 1);
  }

  choice(list) {
    return list[this.below(list.length)];
  }

  #text(alphabet, length) {
    return Array.from({ length }, () => this.choice(alphabet)).join('');
  }

  words(longest = 40) {
    return this.#text([...CHINESE, ...SPECIAL, ...LETTERS], this.between(1, longest));
  }

  letters(length) {
    return this.#text(LETTERS, length);
  }

  digits(length) {
    return this.between(1, 9) + this.#text([...'0123456789'], length - 1);
  }

  hex(length) {
    return this.#text([...'0123456789abcdef'], length);
  }

  number(letter) {
    return letter + this.#text(CROCKFORD, 25);
  }

  begun() {
    return this.between(1_600_000_000_000, 2_000_000_000_000);
  }

  entropy() {
    return b64(this.bytes(32));
  }

  request(kind, more = {}) {
    const amount = this.between(1, 10_000_000);
    return {
      kind,
      attempt: this.number('P'),
      refund: this.number('R'),
      amount,
      back: this.between(1, amount),
      subject: this.words(),
      begun: this.begun(),
      code: this.choice(['28', '13']) + this.digits(16),
      ...more,
    };
  }

  /** The same bytes with one bit turned over. */
  changed(data) {
    const copy = Buffer.from(data);
    copy[this.below(copy.length)] ^= 1 << this.below(8);
    return copy;
  }
}

export const throws = (work) => {
  try {
    work();
    return false;
  } catch {
    return true;
  }
};
