import type { Words } from './words.ts';

export const it: Words = {
  tag: 'it',
  direction: 'ltr',
  units: ['byte', 'kB', 'MB', 'GB', 'TB'],
  comma: ',',
  date: ({ day, month, year }) => `${day === 1 ? '1º' : day} ${month} ${year}`,
  months: 'gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre',
  until: (date) => `disponibile${endOf(date)}`,
  forever: 'disponibile senza limiti di tempo',
  notice: {
    heading: (date) => `Allegato a questo messaggio${endOf(date)}:`,
    kept: (organisation, { one, date }) =>
      `${organisation} conserva ${one ? 'questo file' : 'questi file'} per Lei${endOf(date)}:`,
    all: 'Tutti i file:',
    questions: 'Domande:',
    fileName: 'Allegati',
    kinds: {
      archive: 'archivio',
      audio: 'audio',
      document: 'documento',
      file: 'file',
      image: 'immagine',
      pdf: 'PDF',
      presentation: 'presentazione',
      spreadsheet: 'foglio di calcolo',
      text: 'testo',
      video: 'video',
    },
  },
  page: {
    heading: 'Le è stato inviato un file',
    headingOfMany: (files) => `Le sono stati inviati ${files} file`,
    download: 'Scarica',
    downloadAll: 'Scarica tutto (ZIP)',
    hint: 'Era allegato a un messaggio ed è conservato qui, per non riempire la Sua casella di posta.',
    hintOfMany: 'Erano allegati a un messaggio e sono conservati qui, per non riempire la Sua casella di posta.',
    keeper: (organisation) => `Conservato per Lei da ${organisation}`,
    sender: 'Da, come indicato nel messaggio',
    subject: 'Oggetto',
    sent: 'Inviato',
    checksum: 'Codice di controllo (SHA-256)',
    questions: 'Domande:',
    isExpired: 'non più conservato',
    isGone: 'manca',
    isUnchecked: 'non verificato',
    withdrawn: (files) => (files === 1 ? 'Un file è stato ritirato' : `${files} file sono stati ritirati`),
    unknown: {
      title: 'Qui non c’è nessun file',
      text: 'Controlli che l’indirizzo sia completo: a volte i programmi di posta spezzano un link in due.',
    },
    expired: {
      title: 'Questo file non è più conservato',
      text: 'Il tempo per scaricarlo è scaduto. Chieda al mittente un nuovo messaggio.',
    },
    revoked: {
      title: 'Questo file è stato ritirato',
      text: 'Non si può più scaricare. Il mittente del messaggio può dirLe di più.',
    },
    gone: {
      title: 'Questo file manca',
      text: 'Il link è corretto, ma il file non è al suo posto. Lo segnali al Suo amministratore di posta.',
    },
    allExpired: {
      title: 'Questi file non sono più conservati',
      text: 'Il tempo per scaricarli è scaduto. Chieda al mittente un nuovo messaggio.',
    },
    allRevoked: {
      title: 'Questi file sono stati ritirati',
      text: 'Non si possono più scaricare. Il mittente del messaggio può dirLe di più.',
    },
    allGone: {
      title: 'Questi file mancano',
      text: 'Il link è corretto, ma i file non sono al loro posto. Lo segnali al Suo amministratore di posta.',
    },
    unavailable: {
      title: 'Un momento, per favore',
      text: 'Ora il file non è raggiungibile. Nulla è andato perso: riprovi tra un minuto.',
    },
    method: {
      title: 'Qui non è possibile',
      text: 'I file si possono consultare e scaricare, nient’altro.',
    },
  },
};

/** Before "otto" and "undici" the article is elided. */
function endOf(date: string | undefined): string {
  if (date === undefined) return '';
  return ` fino al${/^(?:8|11)\b/.test(date) ? 'l’' : ' '}${date}`;
}
