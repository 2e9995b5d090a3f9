/** Types that a browser opens with a viewer, a player or a program, and never runs as content of this host. */
const harmless =
  /^(?:(?:audio|video|font)\/[\w.+-]+|image\/(?!svg)[\w.-]+|text\/(?:plain|csv)|application\/(?:pdf|zip|gzip|rtf|msword|epub\+zip|vnd\.[\w.-]+))$/;

/**
 * The Content-Type of a download. What a browser could run (HTML, SVG and other XML, scripts) or unpack (MIME, HTML
 * archives) is sent as bytes without a type. The file arrives unchanged, and its name still says what it is.
 */
export const contentType = (type: string): string => (harmless.test(type) ? type : 'application/octet-stream');
