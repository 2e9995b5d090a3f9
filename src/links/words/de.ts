import type { Words } from './words.ts';

export const de: Words = {
  tag: 'de',
  direction: 'ltr',
  units: ['Bytes', 'kB', 'MB', 'GB', 'TB'],
  comma: ',',
  date: ({ day, month, year }) => `${day}. ${month} ${year}`,
  months: 'Januar Februar März April Mai Juni Juli August September Oktober November Dezember',
  until: (date) => `verfügbar bis ${date}`,
  forever: 'unbefristet verfügbar',
  notice: {
    heading: (date) => `An diese Nachricht angehängt${date === undefined ? '' : ` bis ${date}`}:`,
    kept: (organisation, { one, date }) =>
      `${organisation} bewahrt ${one ? 'diese Datei' : 'diese Dateien'}${date === undefined ? '' : ` bis ${date}`} für Sie auf:`,
    all: 'Alle Dateien:',
    questions: 'Fragen:',
    fileName: 'Anlagen',
    kinds: {
      archive: 'Archiv',
      audio: 'Audio',
      document: 'Dokument',
      file: 'Datei',
      image: 'Bild',
      pdf: 'PDF',
      presentation: 'Präsentation',
      spreadsheet: 'Tabelle',
      text: 'Text',
      video: 'Video',
    },
  },
  page: {
    heading: 'Ihnen wurde eine Datei gesendet',
    headingOfMany: (files) => `Ihnen wurden ${files} Dateien gesendet`,
    download: 'Herunterladen',
    downloadAll: 'Alle als ZIP herunterladen',
    hint: 'Sie war an eine Nachricht angehängt und wird hier aufbewahrt, damit sie Ihr Postfach nicht füllt.',
    hintOfMany:
      'Sie waren an eine Nachricht angehängt und werden hier aufbewahrt, damit sie Ihr Postfach nicht füllen.',
    keeper: (organisation) => `Für Sie aufbewahrt von ${organisation}`,
    sender: 'Von, laut Angabe in der Nachricht',
    subject: 'Betreff',
    sent: 'Gesendet',
    checksum: 'Prüfsumme (SHA-256)',
    questions: 'Fragen:',
    isExpired: 'nicht mehr aufbewahrt',
    isGone: 'fehlt',
    isUnchecked: 'nicht geprüft',
    withdrawn: (files) => `${files === 1 ? 'Eine Datei wurde' : `${files} Dateien wurden`} zurückgezogen`,
    unknown: {
      title: 'Hier gibt es keine Datei',
      text: 'Bitte prüfen Sie, ob die Adresse vollständig ist: Mailprogramme trennen Links manchmal in zwei Teile.',
    },
    expired: {
      title: 'Diese Datei wird nicht mehr aufbewahrt',
      text: 'Die Frist zum Herunterladen ist abgelaufen. Bitte fragen Sie den Absender nach einer neuen Nachricht.',
    },
    revoked: {
      title: 'Diese Datei wurde zurückgezogen',
      text: 'Sie kann nicht mehr heruntergeladen werden. Der Absender der Nachricht kann Ihnen mehr sagen.',
    },
    gone: {
      title: 'Diese Datei fehlt',
      text: 'Der Link stimmt, aber die Datei ist nicht an ihrem Platz. Bitte sagen Sie es Ihrem Postmaster.',
    },
    allExpired: {
      title: 'Diese Dateien werden nicht mehr aufbewahrt',
      text: 'Die Frist zum Herunterladen ist abgelaufen. Bitte fragen Sie den Absender nach einer neuen Nachricht.',
    },
    allRevoked: {
      title: 'Diese Dateien wurden zurückgezogen',
      text: 'Sie können nicht mehr heruntergeladen werden. Der Absender der Nachricht kann Ihnen mehr sagen.',
    },
    allGone: {
      title: 'Diese Dateien fehlen',
      text: 'Der Link stimmt, aber die Dateien sind nicht an ihrem Platz. Bitte sagen Sie es Ihrem Postmaster.',
    },
    unavailable: {
      title: 'Einen Augenblick, bitte',
      text: 'Die Datei ist gerade nicht erreichbar. Nichts ist verloren: Bitte versuchen Sie es in einer Minute noch einmal.',
    },
    method: {
      title: 'Das ist hier nicht möglich',
      text: 'Dateien können angesehen und heruntergeladen werden, sonst nichts.',
    },
  },
};
