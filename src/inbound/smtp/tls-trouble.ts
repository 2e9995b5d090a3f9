/** Why a TLS handshake or session failed, in words for the log. */

const noCertificate = 'the client does not accept our certificate';
const noVersion = 'the client has no version of TLS that is taken here (1.2 and 1.3)';
const noCipher = 'the client has no cipher or curve that is taken here';

/** By OpenSSL's reason, without the `tlsv1 alert` or `sslv3 alert` in front of what the client says. */
const words: Readonly<Record<string, string>> = {
  'wrong version number': 'what the client sent is no TLS',
  'packet length too long': 'what the client sent is no TLS',
  'record layer failure': 'what the client sent is no TLS',
  'http request': 'the client speaks HTTP',
  'unsupported protocol': noVersion,
  'version too low': noVersion,
  'protocol version': noVersion,
  'no shared cipher': noCipher,
  'no suitable key share': noCipher,
  'no suitable groups': noCipher,
  'handshake failure': noCipher,
  'unknown ca': noCertificate,
  'bad certificate': noCertificate,
  'certificate unknown': noCertificate,
  'certificate expired': noCertificate,
  'unsupported certificate': noCertificate,
};

/** @returns undefined when the error is none of TLS */
export function tlsTrouble(error: Error): string | undefined {
  const reason = openSslReason(error);
  if (reason === undefined) return undefined;
  return words[reason.replace(/^(?:tlsv1|tlsv13|sslv3|ssl\/tls) (?:alert )?/, '')] ?? reason;
}

/** Of OpenSSL: `reason`, or the part of the message before its file and line, as in `…:SSL routines:f:reason:../deps/…`. */
function openSslReason(error: Error): string | undefined {
  if ('reason' in error && typeof error.reason === 'string') return error.reason;
  return /:SSL routines:[^:]*:([^:]+)/.exec(error.message)?.[1];
}
