/**
 * The words and lines by which mail programs begin what they quote or forward, and signatures. All patterns are for
 * folded lines: small letters without marks, single blanks. None has two repetitions in a row that could share out the
 * same characters in more than one way: that takes quadratic time on lines made for it.
 */

/** Longer lines are no markers. */
const maxMarkerLength = 300;

export function fold(line: string): string {
  const start = line.slice(0, maxMarkerLength);
  // ASCII has no marks to remove. Looking for them took half of the time of a text of many short lines.
  return (isAscii(start) ? start : withoutMarks(start)).toLowerCase().replace(blanks, ' ').trim();
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

const blanks = /[\s\u200b-\u200f\u202a-\u202e\ufeff]+/g;

const withoutMarks = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/[\u2018\u2019\u02bc]/g, "'")
    .replace(/[łŁøØđĐı]/g, (letter) => plainLetters[letter] ?? letter);

/** Letters with strokes, and the i without a dot: they are no letters with marks for Unicode. */
const plainLetters: Readonly<Record<string, string>> = { ł: 'l', Ł: 'l', ø: 'o', Ø: 'o', đ: 'd', Đ: 'd', ı: 'i' };

/** A pattern for folded lines. Its words are folded too: Hangul and kana do not match otherwise. */
const foldedPattern = (source: string): RegExp => new RegExp(withoutMarks(source), 'u');

/** As Outlook, Gmail, Thunderbird and Apple Mail write it, in the languages of the notice and some more. */
const original = [
  'original message|original appointment|original email|reply message|forwarded (?:message|by)|begin forwarded message',
  "message d'origine|(?:message|mail|courriel) (?:original|transfere)|message initial|message transmis|debut du message (?:reexpedie|transfere)",
  'ursprungliche (?:nachricht|mail|e-mail)|original-?nachricht|weitergeleitete (?:nachricht|mail|e-mail)|anfang der weitergeleiteten (?:nachricht|e-mail)',
  '(?:mensaje|correo) (?:original|reenviado)|inicio del mensaje reenviado',
  '(?:messaggio|mail) originale|messaggio inoltrato|inizio messaggio inoltrato',
  'oorspronkelijk(?:e)? bericht|origineel bericht|doorgestuurd bericht|begin doorgestuurd bericht',
  'mensagem original|mensagem encaminhada|mensagem reencaminhada|inicio da mensagem (?:reencaminhada|encaminhada)',
  "ursprunglicher termin|rendez-vous d'origine|cita original|appuntamento originale|oorspronkelijke afspraak|compromisso original",
  'ursprungligt meddelande|vidarebefordrat (?:meddelande|brev)|oprindelig meddelelse|videresendt (?:besked|meddelelse|melding)|opprinnelig melding',
  'alkuperainen viesti|valitetty viesti|edelleenlahetetty viesti|oryginalna wiadomosc|wiadomosc oryginalna|(?:przekazana wiadomosc|wiadomosc przekazana)',
  'puvodni zprava|preposlana zprava|povodna sprava|eredeti uzenet|tovabbitott uzenet|mesaj original|mesaj redirectionat|orijinal (?:ileti|mesaj)|iletilen ileti',
  'исходное сообщение|пересылаемое сообщение|пересланное сообщение|конец пересылаемого сообщения|оригінальне повідомлення|переслане повідомлення',
  '原始邮件|原始郵件|转发的邮件|转发邮件信息|轉寄郵件|邮件原件|元のメッセージ|転送されたメッセージ|original message',
].join('|');
const originalLine = foldedPattern(
  `^(?:[>*_\\s]*[>*\\s])?[-=_]{2,}(?![-=_])\\s*(?:${original})\\s*:?\\s*[-=_]*\\*?$|^[-=_\\s]*(?:${original})\\s*[-=_]{2,}$`,
);
/** Such words alone in a line, as BlackBerry writes them: an older message begins there if its header follows. */
const titleLine = foldedPattern(`^(?:${original})$`);
const forwardLine = foldedPattern(
  `^(?:${[
    'begin forwarded message|debut du message (?:reexpedie|transfere)|anfang der weitergeleiteten (?:nachricht|e-mail)',
    'inicio del mensaje reenviado|inizio messaggio inoltrato|begin doorgestuurd bericht|inicio da mensagem (?:reencaminhada|encaminhada)',
    'start pa videresendt (?:besked|meddelelse)|start pa videresendt melding|(?:borjan pa )?vidarebefordrat (?:brev|meddelande)|valitetty viesti alkaa',
    'poczatek przekazywanej wiadomosci|zacatek preposlane zpravy|начало переадресованного сообщения',
  ].join('|')}) ?:$`,
);

/** Lotus Notes: `-----Ann Writer/ACME wrote: -----`. */
const namedLine = /^-{3,} ?[^-].{0,120}: ?-{3,}$/;

/** Mutt: `----- Forwarded message from Ann Writer <ann@a.example> -----`. Lotus Notes: `Forwarded by Ann on …`. */
const forwardedFromLine =
  /^-{3,} ?(?:forwarded (?:message from|by)|weitergeleitet von|reachemine par|transmis par|re-?enviado por|remitido por|inoltrato da|doorgestuurd door|encaminhado por|repassado por) .+(?<=---)$/;

/** Ticket systems: `##- Please type your reply above this line -##`. */
const replyAboveLine = /^##- ?[^#]+-##$/;

/** GroupWise: `>>> Ann Writer <ann@a.example> 05/03/21 10:15 >>>`. What stands below has no mark. */
export const startsGroupWise = (folded: string): boolean => /^>>> [^>]\D*\d.* >>>$/.test(folded);

/** A line that belongs to the header below it: the one that Outlook draws, or a title. */
export const isAboveHeader = (folded: string): boolean => /^[_\-=]{5,}$/.test(folded) || titleLine.test(folded);

const from =
  'from|de|von|da|van|fra|fran|od|lahettaja|felado|kimden|gonderen|remitente|expediteur|absender|afzender|mittente|remetente|от|від|发件人|寄件者|差出人|보낸 사람';
const others =
  'sent|date|to|cc|subject|destinataire|destinatario|empfanger|ontvanger|envoye|date|a|objet|gesendet|datum|an|betreff|enviado(?: el)?|enviada(?: em)?|fecha|data|para|asunto|assunto|inviato|oggetto|verzonden|aan|onderwerp|sendt|dato|til|emne|skickat|till|amne|wyslano|do|temat|odeslano|komu|predmet|lahetetty|vastaanottaja|aihe|elkuldve|cimzett|targy|отправлено|дата|кому|тема|发送时间|收件人|主题|寄件日期|收件者|主旨|送信日時|宛先|件名|보낸 날짜|날짜|받는 사람|참조|제목';
const fromLine = foldedPattern(`^[*|\\s]*(?:${from})[*\\s]*[:：][*\\s]*\\S`);
const otherLine = foldedPattern(`^[*|\\s]*(?:${others})[*\\s]*[:：]`);

export const isFromLine = (folded: string): boolean => fromLine.test(folded);

const fromLabel = foldedPattern(`^(?:${from})\\s*[:：]$`);
const otherLabel = foldedPattern(`^(?:${others})\\s*[:：]$`);

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
  if (notesDate.test(next[0] ?? '')) return count(notesTo, headerLines) > 0 && count(notesSubject, headerLines) > 0;
  return otherLine.test(first) && next.slice(0, 2).some(isAddressed) && count(otherLine, 5) >= 2;
}

/** Lotus Notes of old: the author, the time, and labels without colons, each in a line. */
const notesDate = /^\d{1,4}[./-]\d{1,2}[./-]\d{2,4} \d{1,2}:\d\d\b/;
const notesTo = /^(?:to|an|a|para|aan)$/;
const notesSubject = /^(?:subject|betreff|thema|objet|asunto|oggetto|onderwerp|assunto)$/;

const isAddressed = (line: string): boolean => isFromLine(line) && line.includes('@');

/** In these languages the verb is the last word, in the others the name may follow it. */
const wroteAtEnd = 'wrote|a ecrit|escribio|ha scritto|escreveu|het volgende geschreven|folgendes geschrieben';
const wroteBeforeName =
  'schrieb|schreef|skrev|kirjoitti|napisal\\(?a?\\)?|napsal\\(?a?\\)?|irta|yazdi|пишет|написала?|написал\\(а\\)|пише|写道|寫道|さんは書きました';
const attribution = foldedPattern(
  [
    `(?:^|[\\s,>)])(?:${wroteAtEnd}|${wroteBeforeName})(?:[\\s,:：<].*)?[:：]$`,
    '@\\D*\\d.*[:：]$|\\d[^@]*@.*[:：]$',
    // Horde, and Nextcloud.
    '^(?:quoting|zitat von|citando a?|citation de|citeren van|citerar) .*[:：]$',
    '^.{0,80}\\S@\\S+ - .*\\d:\\d\\d.{0,6}$',
  ].join('|'),
);
const opener = /^(?:on|le|am|el|il|op|em|no dia|den|pa|dne|dnia|w dniu|vao|a|na|в|at|\d+)\b.*\d/u;
const wholeOpener = /^(?:on|le|am|el|il|op|em|den|dne|dnia|w dniu)\b/;
const whole = foldedPattern(
  `${wholeOpener.source}\\D*\\d.*\\b(?:(?:${wroteAtEnd})\\s?[:：]|(?:${wroteBeforeName})\\b.*[:：])$`,
);

/** Whether these lines, joined, say who wrote what is quoted below: "On 3 May, Ann wrote:". */
export const isAttribution = (folded: string): boolean => folded.length < maxMarkerLength && attribution.test(folded);

/** An attribution so clear that the text after it is old even without quote marks. */
export const isWholeAttribution = (folded: string): boolean =>
  folded.length < maxMarkerLength && whole.test(folded) && !ownWords.test(folded);

/** "On 3 May I wrote:": a letter that tells of an older one. */
const ownWords =
  /\b(?:i|we|you|he|she|they) wrote ?[:：]$|\b(?:schrieb|schreef) (?:ich|er|sie|wir|du|man|ik|hij|zij|je|u) ?[:：]$|\b(?:il|elle|on) a ecrit ?[:：]$|\b(?:ele|ela|voce) escreveu ?[:：]$|\b(?:lui|lei) ha scritto ?[:：]$/;

/** Zoho: `---- On Sun, 03 May 2026 10:15:00 +0200 Ann <ann@a.example> wrote ----`. */
const ruledAttribution = foldedPattern(
  `^-{3,} ?(?:on|le|am|el|il|op|em)\\b\\D*\\d.*\\b(?:${wroteAtEnd}|${wroteBeforeName}) ?-{3,}$`,
);

/** Yahoo: the header of the older message follows in the same line. */
const originalWithHeader = foldedPattern(`^-{3,} ?(?:${original}) ?-{3,} (?:${from}) ?[:：]`);

/** Yahoo on a phone: the older text follows in the same line. */
const attributionWithText = foldedPattern(
  `${wholeOpener.source}[^<>]*<[^<>\\s]*@[^<>\\s@]*> ?(?:(?:${wroteAtEnd}) ?)?[:：] \\S`,
);

const oldMessages = [
  originalLine,
  originalWithHeader,
  forwardLine,
  namedLine,
  forwardedFromLine,
  replyAboveLine,
  ruledAttribution,
];

export const startsOldMessage = (line: string): boolean =>
  oldMessages.some((pattern) => pattern.test(line)) || (attributionWithText.test(line) && /\d:\d\d/.test(line));

/** Whether a line can be the first one of `isWholeAttribution`. */
export const opensWholeAttribution = (folded: string): boolean => wholeOpener.test(folded);

export const opensAttribution = (folded: string): boolean => opener.test(folded);

/** RFC 3676 section 4.3. */
export const isSeparator = (line: string): boolean => /^-- \r?$/.test(line);

/** What programs for phones write below a letter, in the languages of the notice and some more. */
const device = foldedPattern(
  `^(?:${[
    '(?:sent|envoye|gesendet|von meinem \\S+ gesendet|enviado|inviato|verzonden|verstuurd|skickat|sendt|lahetetty|wyslane|odeslano|gonderildi)\\b.{0,60}(?:iphone|ipad|android|ios|samsung|galaxy|huawei|xiaomi|blackberry|windows|outlook|thunderbird|gmail|mail|mobil\\w*|telefon\\w*|telefoon|handy|smartphone|yahoo|proton\\w*|superhuman|spark|workspace one|device)\\b.{0,40}',
    'sent (?:from|with|via|using) my [^.]{1,30}|von (?:meinem|samsung|outlook|yahoo|unterwegs) .{0,40}gesendet.{0,20}|.{0,20}aus der ferne gesendet',
    '(?:(?:get|obtenir|obtenez|telecharge[zr]|holen sie sich|laden sie|obtener|obten(?:ga|ha)?|descargar|descargue|scarica|ottieni|download|obter|baixar|baixe|hent|hamta) (?:o )?)?(?:outlook|bluemail|typeapp) (?:for|pour|fur|para|per|voor|til) (?:ios|iphone|android|mac|windows|mobile)\\b.{0,80}',
    'provenance : courrier pour windows.{0,10}|отправлено (?:с|из) .{0,60}|发自我的.{0,40}|(?:iphone|ipad|android)から送信',
  ].join('|')})$`,
);

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
