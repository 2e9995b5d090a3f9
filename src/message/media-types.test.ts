import assert from 'node:assert/strict';
import { test } from 'node:test';
import database from 'mime-db';
import { extensionOf, typeOf, unknownType } from './media-types.ts';

/** What people send by mail: the type, the extension to give to it, further extensions that mean it. */
const usual: readonly (readonly [type: string, extension: string, ...others: string[]])[] = [
  ['application/pdf', 'pdf'],
  ['application/zip', 'zip'],
  ['application/gzip', 'gz', 'tgz'],
  ['application/x-7z-compressed', '7z'],
  ['application/vnd.rar', 'rar'],
  ['application/x-tar', 'tar'],
  ['application/msword', 'doc'],
  ['application/vnd.ms-excel', 'xls'],
  ['application/vnd.ms-powerpoint', 'ppt'],
  ['application/vnd.ms-outlook', 'msg'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
  ['application/vnd.openxmlformats-officedocument.presentationml.presentation', 'pptx'],
  ['application/vnd.oasis.opendocument.text', 'odt'],
  ['application/rtf', 'rtf'],
  ['application/json', 'json'],
  ['application/xml', 'xml'],
  ['application/ms-tnef', 'dat'],
  ['application/postscript', 'ps', 'eps', 'ai'],
  ['application/x-iso9660-image', 'iso'],
  ['image/jpeg', 'jpg', 'jpeg'],
  ['image/png', 'png'],
  ['image/heic', 'heic'],
  ['image/tiff', 'tif', 'tiff'],
  ['image/svg+xml', 'svg'],
  ['image/vnd.adobe.photoshop', 'psd'],
  ['image/vnd.dwg', 'dwg'],
  ['audio/mpeg', 'mp3'],
  ['audio/mp4', 'm4a'],
  ['audio/ogg', 'ogg', 'opus'],
  ['audio/wav', 'wav'],
  ['audio/flac', 'flac'],
  ['video/mp4', 'mp4', 'm4v'],
  ['video/quicktime', 'mov'],
  ['video/x-msvideo', 'avi'],
  ['video/x-matroska', 'mkv'],
  ['video/webm', 'webm'],
  ['video/mpeg', 'mpg', 'mpeg'],
  ['text/plain', 'txt', 'log'],
  ['text/csv', 'csv'],
  ['text/html', 'html', 'htm'],
  ['text/markdown', 'md'],
  ['text/calendar', 'ics'],
  ['text/vcard', 'vcf'],
  ['message/rfc822', 'eml'],
];

test('recordings of phones have the extensions that programs open', () => {
  const recordings = {
    'audio/3gpp': '3gp',
    'audio/3gpp2': '3g2',
    'audio/aac': 'aac',
    'audio/ac3': 'ac3',
    'audio/amr': 'amr',
    'audio/amr-wb': 'awb',
    'audio/evrc': 'evc',
    'audio/evrc-qcp': 'qcp',
    'audio/mp4a-latm': 'm4a',
    'audio/opus': 'opus',
    'audio/qcelp': 'qcp',
    'audio/speex': 'spx',
    'audio/vnd.qcelp': 'qcp',
    'audio/vnd.wave': 'wav',
    'audio/x-caf': 'caf',
    'video/3gpp2': '3g2',
  };
  for (const [type, extension] of Object.entries(recordings)) assert.equal(extensionOf(type), extension, type);
});

test('types and extensions of what people send', () => {
  for (const [type, extension, ...others] of usual) {
    assert.equal(extensionOf(type), extension, type);
    for (const name of [extension, ...others]) assert.equal(typeOf(name), type, name);
  }
  assert.equal(extensionOf(unknownType), undefined);
  assert.equal(extensionOf('constructor'), undefined);
  assert.equal(typeOf('constructor'), undefined);
  assert.equal(typeOf(''), undefined);
});

test('what the database says is fit for a name and for a header field', () => {
  for (const type of Object.keys(database)) assert.match(extensionOf(type) ?? 'x', /^[a-z0-9_-]{1,40}$/, type);
  for (const { extensions = [] } of Object.values(database)) {
    for (const extension of extensions) assert.match(typeOf(extension) ?? '', /^[a-z-]+\/[a-z0-9.+-]+$/, extension);
  }
});
