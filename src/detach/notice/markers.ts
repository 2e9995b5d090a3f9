/**
 * The words and lines by which mail programs begin what they quote or forward, and signatures. All patterns are for
 * folded lines: small letters without marks, single blanks.
 */

/** Longer lines are no markers. */
const maxMarkerLength = 300;

export const fold = (line: string): string =>
  line
    .slice(0, maxMarkerLength)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/[\u2018\u2019\u02bc]/g, "'")
    .toLowerCase()
    .replace(/[\s\u200b-\u200f\u202a-\u202e\ufeff]+/g, ' ')
    .trim();

/** As Outlook, Gmail, Thunderbird and Apple Mail write it, in the languages of the notice and some more. */
const original = [
  'original message|original appointment|original email|reply message|forwarded (?:message|by)|begin forwarded message',
  "message d'origine|(?:message|mail|courriel) original|message initial|message transfere|message transmis|debut du message (?:reexpedie|transfere)",
  'ursprungliche (?:nachricht|mail|e-mail)|original-?nachricht|weitergeleitete (?:nachricht|mail|e-mail)|anfang der weitergeleiteten (?:nachricht|e-mail)',
  '(?:mensaje|correo) (?:original|reenviado)|inicio del mensaje reenviado',
  '(?:messaggio|mail) originale|messaggio inoltrato|inizio messaggio inoltrato',
  'oorspronkelijk(?:e)? bericht|doorgestuurd bericht|begin doorgestuurd bericht',
  'mensagem original|mensagem encaminhada|mensagem reencaminhada|inicio da mensagem (?:reencaminhada|encaminhada)',
  'ursprungligt meddelande|vidarebefordrat (?:meddelande|brev)|oprindelig meddelelse|videresendt (?:besked|meddelelse|melding)|opprinnelig melding',
  'alkuperainen viesti|valitetty viesti|edelleenlahetetty viesti|oryginalna wiadomosc|wiadomosc oryginalna|(?:przekazana wiadomosc|wiadomosc przekazana)',
  'puvodni zprava|preposlana zprava|povodna sprava|eredeti uzenet|tovabbitott uzenet|mesaj original|mesaj redirectionat|orijinal (?:ileti|mesaj)|iletilen ileti',
  'исходное сообщение|пересылаемое сообщение|пересланное сообщение|конец пересылаемого сообщения|оригінальне повідомлення|переслане повідомлення',
  '原始邮件|原始郵件|转发的邮件|转发邮件信息|轉寄郵件|邮件原件|元のメッセージ|転送されたメッセージ|original message',
].join('|');
const originalLine = new RegExp(
  `^[>*_\\s]*[-=_]{2,}\\s*(?:${original})\\s*:?\\s*[-=_]*\\*?$|^[-=_\\s]*(?:${original})\\s*[-=_]{2,}$`,
  'u',
);
const forwardLine =
  /^(?:begin forwarded message|debut du message (?:reexpedie|transfere)|anfang der weitergeleiteten (?:nachricht|e-mail)|inicio del mensaje reenviado|inizio messaggio inoltrato|begin doorgestuurd bericht|inicio da mensagem (?:reencaminhada|encaminhada)) ?:$/;

/** Lotus Notes: `-----Ann Writer/ACME wrote: -----`. */
const namedLine = /^-{3,} ?[^-].{0,120}: ?-{3,}$/;

/** GroupWise: `>>> Ann Writer <ann@a.example> 05/03/21 10:15 >>>`. What stands below has no mark. */
export const startsGroupWise = (folded: string): boolean => /^>>> [^>].*\d.* >>>$/.test(folded);

export const startsOldMessage = (folded: string): boolean =>
  originalLine.test(folded) || forwardLine.test(folded) || namedLine.test(folded);

/** The line that Outlook draws above the header of the older message. */
export const isRule = (folded: string): boolean => /^[_\-=]{5,}$/.test(folded);

const from =
  'from|de|von|da|van|fra|fran|od|lahettaja|felado|kimden|gonderen|remitente|expediteur|absender|afzender|mittente|от|від|发件人|寄件者|差出人|보낸 사람';
const others =
  'sent|date|to|cc|subject|envoye|date|a|objet|gesendet|datum|an|betreff|enviado(?: el)?|enviada(?: em)?|fecha|data|para|asunto|assunto|inviato|oggetto|verzonden|aan|onderwerp|sendt|dato|til|emne|skickat|till|amne|wyslano|do|temat|odeslano|komu|predmet|lahetetty|vastaanottaja|aihe|elkuldve|cimzett|targy|отправлено|дата|кому|тема|发送时间|收件人|主题|寄件日期|收件者|主旨|送信日時|宛先|件名';
const fromLine = new RegExp(`^[*|\\s]*(?:${from})[*\\s]*[:：][*\\s]*\\S`, 'u');
const otherLine = new RegExp(`^[*|\\s]*(?:${others})[*\\s]*[:：]`, 'u');

export const isFromLine = (folded: string): boolean => fromLine.test(folded);

const fromLabel = new RegExp(`^(?:${from})\\s*[:：]$`, 'u');
const otherLabel = new RegExp(`^(?:${others})\\s*[:：]$`, 'u');

/** Lines that `startsHeader` looks at. */
export const headerLines = 10;

/**
 * The header of an older message, as Outlook writes it above: From, and two more of its fields in the next lines. GMX
 * puts others before From; Lotus Notes writes a table, each label and each value in a cell.
 */
export function startsHeader(folded: readonly string[]): boolean {
  const [first = '', ...next] = folded;
  const count = (pattern: RegExp, to: number): number => next.slice(0, to).filter((line) => pattern.test(line)).length;
  if (isFromLine(first)) return count(otherLine, 5) >= 2;
  if (fromLabel.test(first)) return count(otherLabel, headerLines) >= 2;
  return otherLine.test(first) && next.slice(0, 2).some(isAddressed) && count(otherLine, 5) >= 2;
}

const isAddressed = (line: string): boolean => isFromLine(line) && line.includes('@');

const wrote =
  'wrote|a ecrit|schrieb|escribio|ha scritto|schreef|het volgende geschreven|folgendes geschrieben|escreveu|skrev|kirjoitti|napisal\\(?a?\\)?|napsal\\(?a?\\)?|irta|yazdi|пишет|написала?|написал\\(а\\)|пише|写道|寫道|さんは書きました';
const attribution = new RegExp(
  [
    `(?:^|[\\s,>)])(?:${wrote})(?:[\\s,:：<].*)?[:：]$`,
    '@.*\\d.*[:：]$|\\d.*@.*[:：]$',
    // Horde, and Nextcloud.
    '^(?:quoting|zitat von|citando a?|citation de|citeren van|citerar) .*[:：]$',
    '^.{0,80}\\S@\\S+ - .*\\d:\\d\\d.{0,6}$',
  ].join('|'),
  'u',
);
const opener = /^(?:on|le|am|el|il|op|em|no dia|den|pa|dne|dnia|w dniu|vao|a|na|в|at|\d+)\b.*\d/u;
const whole = new RegExp(`^(?:on|le|am|el|il|op|em|den|dne|dnia|w dniu)\\b.*\\d.*\\b(?:${wrote})\\b.*[:：]$`, 'u');

/** Whether these lines, joined, say who wrote what is quoted below: "On 3 May, Ann wrote:". */
export const isAttribution = (folded: string): boolean => folded.length < maxMarkerLength && attribution.test(folded);

/** An attribution so clear that the text after it is old even without quote marks. */
export const isWholeAttribution = (folded: string): boolean => folded.length < maxMarkerLength && whole.test(folded);

export const opensAttribution = (folded: string): boolean => opener.test(folded);

/** RFC 3676 section 4.3. */
export const isSeparator = (line: string): boolean => /^-- \r?$/.test(line);

const device =
  /^(?:(?:sent|envoye|gesendet|von meinem \S+ gesendet|enviado|inviato|verzonden|verstuurd|skickat|sendt|lahetetty|wyslane|odeslano)\b.{0,60}(?:iphone|ipad|android|samsung|galaxy|huawei|xiaomi|blackberry|windows|outlook|gmail|mail|mobil\w*|telefon\w*|telefoon|handy|smartphone|yahoo|proton\w*|device)\b.{0,40}|von meinem .{0,40} gesendet.{0,20}|(?:(?:get|obtenez|telecharge[zr]|holen sie sich|obtener|obten|scarica|ottieni|download|obter o|obter|baixar o|hent|hamta) )?outlook (?:for|pour|fur|para|per|voor|til) (?:ios|iphone|android|mac|windows|mobile)\b.{0,80}|.{0,20}aus der ferne gesendet)$/;

/** "Sent from my iPhone". */
export const isDeviceLine = (folded: string): boolean => device.test(folded);

/** "Hello Bob," above what is answered. */
export const isSalutation = (line: string): boolean => line.length <= 40 && /[,:!.]?$/.test(line);

/** The footer of a list server begins with a line that repeats one character. */
export const startsFooter = (folded: string): boolean => /^([_\-=*#~])\1{4,}/.test(folded);

const listWords =
  /mailing list|unsubscribe|listinfo|sympa|list-?owner|abmelden|abbestellen|austragen|desabonner|desinscrire|darse de baja|cancelar (?:la suscripcion|a inscricao)|disiscriversi|cancellarsi|afmelden|uitschrijven|https?:\/\/\S*list/;

/** One of the lines below that one, in what a list server adds. */
export const isListLine = (folded: string): boolean => listWords.test(folded);
