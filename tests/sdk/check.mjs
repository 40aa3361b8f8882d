// The Node half of tests/sdk/run: check.mjs PROGRAM SEED ROUNDS KEYS.
import { readFileSync } from 'node:fs';
import * as alipay from './alipay.mjs';
import * as allinpay from './allinpay.mjs';
import { Draw, Ours, Tally } from './ours.mjs';
import * as wechat from './wechat.mjs';

const [program, seed, rounds, path] = process.argv.slice(2);
const side = {
  ours: new Ours(program),
  tally: new Tally(),
  draw: new Draw(`${seed}/node`),
  keys: JSON.parse(readFileSync(path, 'utf8')),
};
for (let round = 0; round < Number(rounds); round += 1) {
  await alipay.check(side, round);
  await wechat.check(side);
  await allinpay.check(side);
}
side.ours.end();
const { checks, refused, differences } = side.tally;
console.log(`tally ${checks} ${refused} ${differences}`);
