import { TemplateError } from './template-error.ts';

/** Elements that would change the letter around them, hide what follows, or run. */
const forbidden = new Set(
  (
    'html head body title base link meta style script noscript template textarea select button form input iframe frame ' +
    'frameset noframes object embed applet svg math plaintext xmp noembed audio video canvas dialog details'
  ).split(' '),
);
const voids = new Set('br hr img wbr col area'.split(' '));
/** Attributes that hold words. In other attributes a name from a message could do harm. */
const wordAttributes = new Set('title alt aria-label download'.split(' '));

const token = /\{\{([#/])(\w+)\}\}|<!--|<(\/?)([a-zA-Z][a-zA-Z0-9-]*)((?:"[^"]*"|'[^']*'|[^'">])*)>|</g;
const attribute = /\s+([a-zA-Z][a-zA-Z0-9:-]*)\s*=\s*("[^"]*"|'[^']*')/y;

export interface CheckOptions {
  /** Placeholders that may be the address of a link. */
  readonly addresses: readonly string[];
  /** The policy of a page allows no style but that in its head, and no picture that must be fetched. */
  readonly isPage: boolean;
}

const inNotice: CheckOptions = { addresses: ['url'], isPage: false };

/**
 * A template must be a well-formed fragment, also for a letter in XHTML, and its values must stand where escaping
 * makes them harmless.
 * @throws TemplateError
 */
export function checkHtml(source: string, options: CheckOptions = inNotice): void {
  const open: string[] = [];
  for (const match of source.matchAll(token)) {
    const line = source.slice(0, match.index).split('\n').length;
    const fail = (why: string): never => {
      throw new TemplateError(`line ${line}: ${why}`);
    };
    const [whole, section, sectionName = '', slash, rawName, attributes = ''] = match;
    const name = section ? `{{#${sectionName}}}` : rawName?.toLowerCase();
    if (name === undefined) return fail(whole === '<!--' ? 'comments are not possible here' : 'write &lt; for <');
    if (section === '/' || slash === '/') {
      const last = open.pop();
      if (last !== name) fail(`${whole} closes ${last ?? 'nothing'}`);
    } else if (section === '#') open.push(name);
    else {
      if (forbidden.has(name)) fail(`<${name}> is not possible here`);
      const closed = checkAttributes(attributes, { ...within(open, options), fail });
      if (voids.has(name) && !closed) fail(`write <${name}/> for <${name}>`);
      if (!closed) open.push(name);
      else if (!voids.has(name)) fail(`<${name}/> must be closed with </${name}>`);
    }
  }
  if (open.length > 0) throw new TemplateError(`${open.at(-1) ?? ''} is never closed`);
}

/** The page of all files may be linked where it is sure that there is one. */
const within = (open: readonly string[], options: CheckOptions): CheckOptions =>
  open.includes('{{#page}}') ? { ...options, addresses: [...options.addresses, 'page'] } : options;

/** Mail programs have no place that a relative address could start from. */
const isHarmlessAddress = (value: string, isPage: boolean): boolean =>
  /^(?:https?:\/\/|mailto:|tel:)/i.test(value) || (isPage && /^[^:&\s]*$/.test(value));

interface AttributeOptions extends CheckOptions {
  readonly fail: (why: string) => never;
}

/** Whether the tag ends in a slash. */
function checkAttributes(source: string, { addresses, isPage, fail }: AttributeOptions): boolean {
  let at = 0;
  for (;;) {
    attribute.lastIndex = at;
    const [whole, rawName = '', quoted = ''] = attribute.exec(source) ?? [];
    if (whole === undefined) break;
    at += whole.length;
    const name = rawName.toLowerCase();
    const value = quoted.slice(1, -1);
    if (name.startsWith('on')) fail(`${name} is not possible here`);
    if (isPage && name === 'style') fail('style is not possible here: begin the template with a <style> element');
    if (isPage && name.startsWith('src') && !/^data:/i.test(value)) fail(`${name}: a picture must begin with data:`);
    const isAddress = name === 'href' && addresses.some((address) => value === `{{${address}}}`);
    if (name === 'href' && value === '{{page}}' && !isAddress)
      fail('{{page}} stands in href only between {{#page}} and {{/page}}: not all messages have such a page');
    if (name === 'href' && !value.includes('{{') && !isHarmlessAddress(value, isPage))
      fail(`${value}: an address begins with https://, http://, mailto: or tel:`);
    if (value.includes('{{') && !isAddress && !wordAttributes.has(name)) {
      fail(`${value} cannot stand in ${name}`);
    }
  }
  const rest = source.slice(at).trim();
  if (rest !== '' && rest !== '/') fail(`${rest}: attributes are written name="value"`);
  return rest === '/';
}
