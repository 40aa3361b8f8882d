// Allinpay: SM2 and SM4 by sm-crypto for both of its interfaces; VSP's MD5 and SHA1withRSA by Node's own crypto.
import { createHash, createSign, createVerify } from 'node:crypto';
import smCrypto from 'sm-crypto';
import { b64 } from './ours.mjs';

const { sm2, sm4 } = smCrypto;
const SM2_KEY = '301306072a8648ce3d020106082a811ccf5501822d';
const USER = '1234567812345678';

/** A pair of SM2 keys, the halves in hex for theirs and in DER for ours. */
function pair(draw) {
  const secret = `00${draw.hex(62)}`;
  const point = sm2.getPublicKeyFromPrivateKey(secret);
  const inner = `30250201010420${secret}`;
  const der = `020100${SM2_KEY}0427${inner}`;
  return {
    secret,
    point,
    pkcs8: b64(Buffer.from(`30${(der.length / 2).toString(16)}${der}`, 'hex')),
    spki: b64(Buffer.from(`3059${SM2_KEY}034200${point}`, 'hex')),
  };
}

const toSign = (fields, left) =>
  Object.keys(fields).filter((name) => !left.includes(name) && fields[name] !== '').sort().map((name) => `${name}=${fields[name]}`).join('&');
const sm2Sign = (text, key, userId = USER) =>
  Buffer.from(sm2.doSignature(text, key.secret, { hash: true, der: true, userId, publicKey: key.point }), 'hex').toString('base64');
const sm2Verify = (text, sign, key, userId = USER) =>
  sm2.doVerifySignature(text, Buffer.from(sign, 'base64').toString('hex'), key.point, { hash: true, der: true, userId });
const md5 = (text) => createHash('md5').update(text).digest('hex').toUpperCase();

/** The three ways of VSP to seal its string, each with ways that must not pass. */
function ways(draw, keys) {
  const key = draw.letters(24);
  const [ours, theirs, nobody] = [pair(draw), pair(draw), pair(draw)];
  const rsa = (text, pair) => createSign('RSA-SHA1').update(text).sign(pair.pkcs8, 'base64');
  const atItsPlace = (fields) => md5(toSign({ ...fields, key }, ['sign']));
  return {
    MD5: {
      settings: { app_key: key },
      holds: (fields, sign) => atItsPlace(fields) === sign,
      sign: atItsPlace,
      wrong: {
        'the key at the end': (fields) => md5(`${toSign(fields, ['sign'])}&key=${key}`),
        'another key': (fields) => md5(toSign({ ...fields, key: `${key}x` }, ['sign'])),
        'no key': (fields) => md5(toSign(fields, ['sign'])),
      },
    },
    RSA: {
      settings: { private_key: keys.ours.pkcs8, allinpay_key: keys.small.public },
      holds: (fields, sign) => createVerify('RSA-SHA1').update(toSign(fields, ['sign'])).verify(keys.ours.public, sign, 'base64'),
      sign: (fields) => rsa(toSign(fields, ['sign']), keys.small),
      wrong: {
        SHA256: (fields) => createSign('RSA-SHA256').update(toSign(fields, ['sign'])).sign(keys.small.pkcs8, 'base64'),
        "a stranger's key": (fields) => rsa(toSign(fields, ['sign']), keys.nobody),
        'without signtype': (fields) => rsa(toSign(fields, ['sign', 'signtype']), keys.small),
      },
    },
    SM2: {
      settings: { private_key: ours.pkcs8, allinpay_key: theirs.spki },
      holds: (fields, sign) => sm2Verify(toSign(fields, ['sign']), sign, ours),
      sign: (fields) => sm2Sign(toSign(fields, ['sign']), theirs),
      wrong: {
        'another user id': (fields) => sm2Sign(toSign(fields, ['sign']), theirs, 'ALICE123@YAHOO.COM'),
        "a stranger's key": (fields) => sm2Sign(toSign(fields, ['sign']), nobody),
        'raw r and s': (fields) =>
          b64(Buffer.from(sm2.doSignature(toSign(fields, ['sign']), theirs.secret, { hash: true, userId: USER }), 'hex')),
      },
    },
  };
}

async function vsp({ ours, tally, draw, keys }) {
  for (const [name, way] of Object.entries(ways(draw, keys))) {
    const [cusid, appid] = [draw.digits(15), draw.digits(8)];
    const settings = { sign_type: name, cusid, appid, notify_url: 'https://example.com/n?a=b', ...way.settings };
    await ours.call('open', { channel: 'vsp', kind: 'vsp', settings });
    for (const kind of ['show', 'take', 'query', 'cancel', 'refund']) {
      const sent = await ours.call('encode', { channel: 'vsp', request: draw.request(kind), wall: draw.begun(), entropy: draw.entropy() });
      const { sign, ...fields } = Object.fromEntries(new URLSearchParams(sent.body));
      tally.holds(`vsp ${name} ${kind}: what ours signed`, way.holds(fields, sign));
      tally.isRefused(`vsp ${name} ${kind}, theirs, another merchant`, !way.holds({ ...fields, cusid: draw.digits(15) }, sign));
      tally.isRefused(`vsp ${name} ${kind}, theirs, another random text`, !way.holds({ ...fields, randomstr: 'x' }, sign));
    }
    await vspAnswers({ ours, tally, draw, name, way, cusid, appid });
  }
}

async function vspAnswers({ ours, tally, draw, name, way, cusid, appid }) {
  const request = draw.request('query');
  const fields = {
    retcode: 'SUCCESS', retmsg: '', cusid, appid, reqsn: request.attempt, trxid: draw.digits(18), trxstatus: '0000', errmsg: '', trxcode: 'VSP511',
    trxamt: String(request.amount), initamt: String(request.amount), fintime: '20250601120000', trxreserved: draw.words(), randomstr: draw.letters(12), signtype: name,
  };
  const read = (message) => ours.call('decode', { channel: 'vsp', request, wall: request.begun, body: b64(JSON.stringify(message)) });
  const good = { ...fields, sign: way.sign(fields) };
  tally.same(`vsp ${name} answer signed by theirs`, await read(good), { paid: request.amount, trade_no: fields.trxid });
  const wrong = { 'another amount': { ...good, trxamt: `1${good.trxamt}` }, 'one more field': { ...good, acct: 'x' } };
  for (const [what, sign] of Object.entries(way.wrong)) wrong[what] = { ...fields, sign: sign(fields) };
  for (const [what, message] of Object.entries(wrong)) {
    tally.isRefused(`vsp ${name} answer, ours, ${what}`, (await read(message)).doubt === 'BadSignature');
  }
}

async function yst({ ours, tally, draw }) {
  const [our, their, nobody] = [pair(draw), pair(draw), pair(draw)];
  const settings = {
    app_id: draw.digits(20), private_key: our.pkcs8, allinpay_key: their.spki, secret_key: draw.hex(32), receiver: draw.letters(12), cusid: draw.digits(15),
  };
  await ours.call('open', { channel: 'yst', kind: 'yst', settings });
  for (const kind of ['show', 'take', 'query', 'refund']) {
    const sent = JSON.parse((await ours.call('encode', { channel: 'yst', request: draw.request(kind), wall: draw.begun(), entropy: draw.entropy() })).body);
    const text = toSign(sent, ['sign', 'signType']);
    tally.holds(`yst ${kind}: their verifier`, sm2Verify(text, sent.sign, our));
    tally.isRefused(`yst ${kind}, theirs, another user id`, !sm2Verify(text, sent.sign, our, 'ALICE123@YAHOO.COM'));
    tally.isRefused(`yst ${kind}, theirs, one byte`, !sm2Verify(`${text}x`, sent.sign, our));
    tally.isRefused(`yst ${kind}, theirs, another key`, !sm2Verify(text, sent.sign, their));
  }
  await ystAnswers({ ours, tally, draw, settings, their, nobody });
  await sealedFields({ ours, tally, draw, settings });
}

async function ystAnswers({ ours, tally, draw, settings, their, nobody }) {
  const request = draw.request('query');
  const inner = {
    respCode: '00000', respMsg: draw.words(), result: '1', reqTraceNum: request.attempt, respTraceNum: draw.digits(20), orderAmount: request.amount,
  };
  const fields = { appId: settings.app_id, code: '00000', msg: '', bizData: JSON.stringify(inner), charset: 'UTF-8', version: '1.0' };
  const body = (fields, sign) => b64(JSON.stringify({ ...fields, sign, signType: 'SM3withSM2' }));
  const read = (fields, sign) => ours.call('decode', { channel: 'yst', request, wall: request.begun, body: body(fields, sign) });
  const text = toSign(fields, []);
  const good = sm2Sign(text, their);
  tally.same('yst answer signed by theirs', await read(fields, good), { paid: request.amount, trade_no: inner.respTraceNum });
  tally.same('yst notice signed by theirs', await ours.call('notice', { channel: 'yst', body: body(fields, good) }), request.attempt);
  const other = { ...fields, bizData: fields.bizData.replace('"orderAmount":', '"orderAmount":1') };
  for (const [what, message, sign] of [
    ['another amount', other, good],
    ['another user id', fields, sm2Sign(text, their, 'ALICE123@YAHOO.COM')],
    ["a stranger's key", fields, sm2Sign(text, nobody)],
    ['one bit of the signature', fields, b64(draw.changed(Buffer.from(good, 'base64')))],
    ['no signature', fields, ''],
  ]) {
    tally.isRefused(`yst answer, ours, ${what}`, (await read(message, sign)).doubt === 'BadSignature');
    tally.isRefused(`yst notice, ours, ${what}`, await ours.refuses('notice', { channel: 'yst', body: body(message, sign) }));
  }
}

async function sealedFields({ ours, tally, draw, settings }) {
  const [key, plain] = [settings.secret_key, draw.words(60)];
  const theirs = sm4.encrypt(plain, key);
  tally.same('sm4: the same text', await ours.call('sealed_field', { channel: 'yst', plain }), theirs);
  tally.same('sm4: sealed by theirs, opened by ours', await ours.call('sm4_decrypt', { key, sealed: theirs }), plain);
  tally.same('sm4: sealed by ours, opened by theirs', sm4.decrypt(await ours.call('sm4_encrypt', { key, plain }), key), plain);
  tally.isRefused('sm4, ours, not whole blocks', await ours.refuses('sm4_decrypt', { key, sealed: theirs.slice(2) }));
  tally.isRefused('sm4, ours, no hex', await ours.refuses('sm4_decrypt', { key, sealed: `g${theirs.slice(1)}` }));
}

export async function check(side) {
  await vsp(side);
  await yst(side);
}
