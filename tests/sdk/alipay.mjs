// Alipay by alipay-sdk: requests in certificate mode, encrypted contents, certificate numbers, answers, protocol v3.
import { createServer } from 'node:http';
import { createSign } from 'node:crypto';
import { AlipaySdk } from 'alipay-sdk';
import { b64, throws } from './ours.mjs';

const CALLS = {
  show: 'alipay.trade.precreate',
  take: 'alipay.trade.pay',
  query: 'alipay.trade.query',
  refund: 'alipay.trade.refund',
};

const parameters = (request) =>
  Object.fromEntries([...new URL(request.url).searchParams, ...new URLSearchParams(request.body)]);

const signed = (text, key) => createSign('RSA-SHA256').update(text).sign(key.pkcs8, 'base64');

const sdkOf = (keys, appId, encryptKey, more = {}) =>
  new AlipaySdk({
    appId,
    privateKey: keys.ours.pkcs8,
    keyType: 'PKCS8',
    appCertContent: keys.certificates.app,
    alipayPublicCertContent: keys.certificates.alipay,
    alipayRootCertContent: keys.certificates.root,
    encryptKey,
    ...more,
  });

async function serialNumbers({ ours, tally, keys, sdk }) {
  const { app, alipay, root } = keys.certificates;
  tally.same('alipay app_cert_sn', await ours.call('alipay_sn', { pem: app }), sdk.config.appCertSn);
  tally.same('alipay alipay_cert_sn', await ours.call('alipay_sn', { pem: alipay }), sdk.config.alipayCertSn);
  tally.same('alipay root_cert_sn', await ours.call('alipay_root_sn', { pem: root }), sdk.config.alipayRootCertSn);
}

/** Their client's request of the same business text at the same second, and their verifier with our public key. */
async function requests({ ours, tally, draw, keys, sdk, settings }) {
  const verifier = new AlipaySdk({ appId: '1', privateKey: keys.nobody.pkcs8, keyType: 'PKCS8', alipayPublicKey: keys.ours.public });
  for (const [kind, method] of Object.entries(CALLS)) {
    const encoded = await ours.call('encode', { channel: 'alipay', request: draw.request(kind), wall: draw.begun(), entropy: draw.entropy() });
    const sent = parameters(encoded);
    const plain = settings.aes_key ? sdk.aesDecrypt(sent.biz_content) : sent.biz_content;
    const params = { format: 'JSON', timestamp: sent.timestamp, bizContent: JSON.parse(plain) };
    if (sent.notify_url) params.notifyUrl = sent.notify_url;
    if (settings.aes_key) params.needEncrypt = true;
    const theirs = sdk.sdkExecute(method, params, { bizContentAutoSnakeCase: false });
    tally.same(`alipay ${kind}: their client's request`, sent, Object.fromEntries(new URLSearchParams(theirs)));
    tally.holds(`alipay ${kind}: their verifier`, verifier.checkNotifySignV2(sent));
    const other = { ...sent, app_id: draw.digits(16) };
    tally.isRefused(`alipay ${kind}, theirs, another application`, !verifier.checkNotifySignV2(other));
    const cut = { ...sent, biz_content: sent.biz_content.slice(1) };
    tally.isRefused(`alipay ${kind}, theirs, a byte less`, !verifier.checkNotifySignV2(cut));
  }
}

async function contents({ ours, tally, draw }) {
  const key = b64(draw.bytes(16));
  const sdk = new AlipaySdk({ appId: '1', privateKey: 'x', encryptKey: key });
  const plain = draw.words(100);
  const sealed = await ours.call('aes_encrypt', { key, plain });
  tally.same('alipay content sealed by ours, opened by theirs', sdk.aesDecrypt(sealed), plain);
  tally.same('alipay content sealed by ours, opened by ours', await ours.call('aes_decrypt', { key, sealed }), plain);
  const short = sealed.slice(0, -8);
  tally.isRefused('alipay content, ours, not whole blocks', await ours.refuses('aes_decrypt', { key, sealed: short }));
}

/** Answers under their certificate's number, plain or encrypted, and one under a certificate that they changed to. */
async function answers({ ours, tally, draw, keys, sdk, settings }) {
  const wanted = draw.request('query');
  const [tradeNo, yuan] = [draw.digits(28), `${Math.floor(wanted.amount / 100)}.${String(wanted.amount % 100).padStart(2, '0')}`];
  const node = JSON.stringify({
    code: '10000', msg: 'Success', out_trade_no: wanted.attempt, total_amount: yuan, trade_no: tradeNo,
    trade_status: 'TRADE_SUCCESS', store_name: draw.words(),
  });
  const content = settings.aes_key ? JSON.stringify(await ours.call('aes_encrypt', { key: settings.aes_key, plain: node })) : node;
  const body = (content, sign, sn) => `{"alipay_trade_query_response":${content},"alipay_cert_sn":"${sn}","sign":"${sign}"}`;
  const read = (text) => ours.call('decode', { channel: 'alipay', request: wanted, wall: wanted.begun, body: b64(text) });
  const check = (text) => sdk.checkResponseSign(text, 'alipay_trade_query_response', JSON.parse(text).sign);
  const paid = { paid: wanted.amount, trade_no: tradeNo };
  const sn = sdk.config.alipayCertSn;
  const good = body(content, signed(content, keys.theirs), sn);
  tally.same('alipay answer in certificate mode', await read(good), paid);
  // Their client cuts an encrypted node wrongly, so that only plain ones are put to it.
  if (!settings.aes_key) tally.holds('alipay answer: their verifier', !throws(() => check(good)));
  const forged = body(content, signed(content, keys.nobody), sn);
  tally.isRefused("alipay answer, ours, a stranger's key", (await read(forged)).doubt === 'BadSignature');
  if (!settings.aes_key) tally.isRefused("alipay answer, theirs, a stranger's key", throws(() => check(forged)));
  const swapped = body(`${content.slice(0, -2)}x${content.slice(-2)}`, signed(content, keys.theirs), sn);
  tally.isRefused('alipay answer, ours, a byte more', 'doubt' in (await read(swapped)));
  await changedCertificate({ ours, tally, keys, sdk, read, paid, body, content });
}

async function changedCertificate({ ours, tally, keys, read, paid, body, content }) {
  const numberOf = (pem) => new AlipaySdk({
    appId: '1', privateKey: 'x', appCertContent: pem, alipayPublicCertContent: pem, alipayRootCertContent: keys.certificates.root,
  }).config.appCertSn;
  const sent = (pem) => b64(`{"alipay_open_app_alipaycert_download_response":{"code":"10000","alipay_cert_content":"${b64(pem)}"}}`);
  const { later, stranger } = keys.certificates;
  const answer = body(content, signed(content, keys.later), numberOf(later));
  tally.same('alipay: a certificate that is not here', await read(answer), { unknown_key: numberOf(later) });
  const take = (pem, serial) => ({ channel: 'alipay', serial, body: sent(pem) });
  tally.isRefused('alipay certificate, ours, of no root of theirs', await ours.refuses('key', take(stranger, numberOf(stranger))));
  tally.isRefused('alipay certificate, ours, another number', await ours.refuses('key', take(stranger, numberOf(later))));
  await ours.call('key', take(later, numberOf(later)));
  tally.same('alipay answer by a fetched certificate', await read(answer), paid);
}

/** One call of their REST client to a server on loopback that answers with a signature as the protocol wants it. */
async function protocolV3({ ours, tally, draw, keys, settings }) {
  const reply = JSON.stringify({ trade_no: draw.digits(28), subject: draw.words() });
  const [stamp, nonce] = [String(draw.begun()), draw.hex(32)];
  const seen = {};
  let key = keys.theirs;
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      Object.assign(seen, { target: request.url, authorization: request.headers.authorization, body: Buffer.concat(parts).toString() });
      response.setHeader('alipay-timestamp', stamp);
      response.setHeader('alipay-nonce', nonce);
      response.setHeader('alipay-signature', signed(`${stamp}\n${nonce}\n${reply}\n`, key));
      response.end(reply);
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const sdk = sdkOf(keys, settings.app_id, undefined, { endpoint: `http://127.0.0.1:${server.address().port}` });
  const body = { out_trade_no: draw.number('P'), subject: draw.words() };
  const call = () => sdk.curl('POST', '/v3/alipay/trade/query', { body, query: { q: draw.words() } });
  const answered = await call();
  const part = (name) => seen.authorization.match(new RegExp(`${name}=([^,]*)`))[1];
  const fields = { private_key: keys.ours.pkcs8, method: 'POST', app_id: settings.app_id, app_cert_sn: part('app_cert_sn') };
  const asked = { ...fields, nonce: part('nonce'), timestamp: Number(part('timestamp')), target: seen.target, body: seen.body };
  tally.same('alipay v3: their Authorization', await ours.call('v3_authorization', asked), seen.authorization);
  const other = await ours.call('v3_authorization', { ...asked, body: `${seen.body} ` });
  tally.isRefused('alipay v3, a blank more in the body', other !== seen.authorization);
  const verify = (body, signer) => ours.call('v3_verify', {
    public_key: keys.theirs.public, timestamp: stamp, nonce, body, sign: signed(`${stamp}\n${nonce}\n${reply}\n`, signer),
  });
  tally.holds('alipay v3 answer: ours and theirs verify', (await verify(reply, keys.theirs)) && answered.responseHttpStatus === 200);
  tally.isRefused('alipay v3 answer, ours, a byte more', !(await verify(`${reply} `, keys.theirs)));
  key = keys.nobody;
  tally.isRefused("alipay v3 answer, theirs, a stranger's key", await call().then(() => false, () => true));
  tally.isRefused("alipay v3 answer, ours, a stranger's key", !(await verify(reply, keys.nobody)));
  await new Promise((closed) => { server.close(closed); server.closeAllConnections(); });
}

export async function check(side, round) {
  const { ours, draw, keys } = side;
  const settings = {
    app_id: draw.digits(16),
    private_key: keys.ours.pkcs8,
    app_cert: keys.certificates.app,
    alipay_cert: keys.certificates.alipay,
    root_cert: keys.certificates.root,
    notify_url: draw.choice([null, 'https://example.com/n?a=b']),
    aes_key: draw.choice([null, b64(draw.bytes(16))]),
    terminal_id: draw.letters(8),
  };
  await ours.call('open', { channel: 'alipay', kind: 'alipay', settings });
  const all = { ...side, settings, sdk: sdkOf(keys, settings.app_id, settings.aes_key ?? undefined) };
  await serialNumbers(all);
  await requests(all);
  await contents(all);
  await answers(all);
  // A server for every round would only take time.
  if (round < 5) await protocolV3(all);
}
