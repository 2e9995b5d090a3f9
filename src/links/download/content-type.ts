/** Types that a browser hands to a viewer, a player or a program, and never runs in the name of this host. */
const harmless =
  /^(?:(?:audio|video|font)\/[\w.+-]+|image\/(?!svg)[\w.-]+|text\/(?:plain|csv)|application\/(?:pdf|zip|gzip|rtf|msword|epub\+zip|vnd\.[\w.-]+))$/;

/**
 * The Content-Type of a download. What a browser could run (HTML, SVG and other XML, scripts) or take apart (MIME,
 * HTML archives) becomes bytes without a type: it arrives the same, and its name still says what it is.
 */
export const contentType = (type: string): string => (harmless.test(type) ? type : 'application/octet-stream');
