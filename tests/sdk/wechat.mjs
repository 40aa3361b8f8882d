// WeChat Pay by wechatpay-axios-plugin: the XML and HMAC of APIv2 both ways, and the v3 signature by its verifier.
import plugin from 'wechatpay-axios-plugin';
import { b64, throws } from './ours.mjs';

const { Aes, Formatter, Hash, Rsa, Transformer } = plugin;

/** Their verifier: the message when its sign holds, an error when not. */
const verified = (key, message) => {
  const answered = new Transformer('', key).verifier.call({}, message, {}, 200);
  if (answered instanceof Error) throw answered;
  return answered;
};

async function requests({ ours, tally, draw, keys, settings }) {
  for (const request of [draw.request('take'), draw.request('query', { by_code: true }), draw.request('cancel', { by_code: true })]) {
    const kind = `wechat v2 ${request.kind}`;
    const sent = await ours.call('encode', { channel: 'wechat', request, wall: request.begun, entropy: draw.entropy() });
    const message = Transformer.toObject(sent.body);
    const { sign, ...fields } = message;
    tally.same(`${kind}: our number, read by theirs`, message.out_trade_no, request.attempt);
    tally.same(`${kind}: their HMAC-SHA256`, sign, Hash.sign('HMAC-SHA256', fields, settings.v2_key));
    const resigned = new Transformer(settings.mchid, settings.v2_key).signer.call({ method: 'POST', url: '/pay/x' }, fields);
    tally.same(`${kind}: their signer of the same message`, message, resigned);
    tally.isRefused(`${kind}: MD5 is another sign`, sign !== Hash.sign('MD5', fields, settings.v2_key));
    tally.isRefused(`${kind}, theirs, another amount`, sign !== Hash.sign('HMAC-SHA256', { ...fields, total_fee: '1x' }, settings.v2_key));
  }
}

async function answers({ ours, tally, draw, keys, settings }) {
  const request = draw.request('query', { by_code: true });
  const fields = {
    return_code: 'SUCCESS', result_code: 'SUCCESS', appid: settings.appid, mch_id: settings.mchid, nonce_str: draw.letters(32),
    trade_state: 'SUCCESS', out_trade_no: request.attempt, transaction_id: draw.digits(28), total_fee: String(request.amount),
    cash_fee: String(request.amount), fee_type: 'CNY', time_end: '20250601120000', attach: draw.words().replaceAll(']]>', '').trim(), device_info: '',
  };
  const paid = { paid: request.amount, trade_no: fields.transaction_id };
  const signed = (type, fields, key = settings.v2_key) => ({ ...fields, sign: Hash.sign(type, fields, key) });
  const read = (message) =>
    ours.call('decode', { channel: 'wechat', request, wall: request.begun, body: b64(Transformer.toXml(message)) });
  const good = signed('HMAC-SHA256', fields);
  tally.same('wechat v2 answer: written and signed by theirs', await read(good), paid);
  tally.holds('wechat v2 answer: their verifier', !throws(() => verified(settings.v2_key, good)));
  for (const [what, wrong] of [
    ['another amount', { ...good, total_fee: `1${good.total_fee}` }],
    ['one more field', { ...good, coupon_fee: '1' }],
    ['another key', signed('HMAC-SHA256', fields, draw.letters(32))],
  ]) {
    tally.isRefused(`wechat v2 answer, ours, ${what}`, (await read(wrong)).doubt === 'BadSignature');
    tally.isRefused(`wechat v2 answer, theirs, ${what}`, throws(() => verified(settings.v2_key, wrong)));
  }
  tally.isRefused('wechat v2 answer, ours, MD5', (await read(signed('MD5', fields))).doubt === 'BadSignature');
  const { sign, ...unsigned } = good;
  tally.isRefused('wechat v2 answer, ours, no sign', (await read(unsigned)).doubt === 'BadSignature');
}

/** The header of v3 by their formatter and verifier, and a notice by their cipher. */
async function v3({ ours, tally, draw, keys, settings }) {
  const request = draw.request('show');
  const sent = await ours.call('encode', { channel: 'wechat', request, wall: request.begun, entropy: draw.entropy() });
  const header = Object.fromEntries([...sent.headers.Authorization.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  const target = new URL(sent.url).pathname;
  const text = (body) => Formatter.request(sent.method, target, header.timestamp, header.nonce_str, body);
  tally.holds('wechat v3: their verifier', Rsa.verify(text(sent.body), header.signature, keys.ours.public));
  const changed = draw.changed(Buffer.from(text(sent.body)));
  tally.isRefused('wechat v3, theirs, one bit', !Rsa.verify(changed, header.signature, keys.ours.public));
  tally.isRefused('wechat v3, theirs, another key', !Rsa.verify(text(sent.body), header.signature, keys.theirs.public));
  await notice({ ours, tally, draw, keys, settings });
  const plain = draw.words(30);
  const sealed = Rsa.encrypt(plain, keys.ours.public);
  tally.same('wechat field sealed by theirs', await ours.call('oaep_open', { private_key: keys.ours.pkcs1, sealed }), plain);
  const cut = b64(draw.changed(Buffer.from(sealed, 'base64')));
  tally.isRefused('wechat field, ours, one bit', await ours.refuses('oaep_open', { private_key: keys.ours.pkcs1, sealed: cut }));
}

async function notice({ ours, tally, draw, keys, settings }) {
  const wall = draw.begun();
  const refund = {
    mchid: settings.mchid, out_trade_no: draw.number('P'), out_refund_no: draw.number('R'), refund_status: 'SUCCESS', amount: { refund: 7, total: 9 },
  };
  const nonce = draw.letters(12);
  const posted = (key, associated_data = 'refund') => {
    const ciphertext = Aes.AesGcm.encrypt(JSON.stringify(refund), key, nonce, 'refund');
    const resource = { algorithm: 'AEAD_AES_256_GCM', nonce, associated_data, ciphertext, original_type: 'refund' };
    const body = JSON.stringify({ id: draw.letters(32), event_type: 'REFUND.SUCCESS', resource });
    const [timestamp, salt] = [String(Math.floor(wall / 1000)), draw.letters(32)];
    const headers = {
      'wechatpay-timestamp': timestamp, 'wechatpay-nonce': salt, 'wechatpay-serial': settings.public_key_id,
      'wechatpay-signature': Rsa.sign(Formatter.response(timestamp, salt, body), keys.theirs.pkcs8),
    };
    return { channel: 'wechat', wall, headers, body: b64(body) };
  };
  const told = await ours.call('notice', posted(settings.apiv3_key));
  tally.holds(`wechat notice sealed and signed by theirs: ${told}`, told.startsWith('Refund') && told.includes(refund.out_refund_no));
  tally.isRefused('wechat notice, ours, another key', await ours.refuses('notice', posted(draw.letters(32))));
  tally.isRefused('wechat notice, ours, other associated data', await ours.refuses('notice', posted(settings.apiv3_key, 'x')));
}

export async function check(side) {
  const { ours, draw, keys } = side;
  const settings = {
    mchid: draw.digits(10),
    appid: `wx${draw.letters(16)}`,
    private_key: keys.ours.pkcs8,
    certificate: keys.certificates.app,
    public_key: keys.theirs.public,
    public_key_id: `PUB_KEY_ID_${draw.digits(30)}`,
    apiv3_key: draw.letters(32),
    v2_key: draw.letters(32),
    notify_url: 'https://example.com/notice',
    store_id: draw.letters(8),
    store_name: draw.letters(6),
    device_id: draw.letters(8),
  };
  await ours.call('open', { channel: 'wechat', kind: 'wechat', settings });
  const all = { ...side, settings };
  await requests(all);
  await answers(all);
  await v3(all);
}
