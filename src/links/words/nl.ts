import type { Words } from './words.ts';

export const nl: Words = {
  tag: 'nl',
  direction: 'ltr',
  units: ['bytes', 'kB', 'MB', 'GB', 'TB'],
  comma: ',',
  date: ({ day, month, year }) => `${day} ${month} ${year}`,
  months: 'januari februari maart april mei juni juli augustus september oktober november december',
  until: (date) => `beschikbaar tot ${date}`,
  forever: 'onbeperkt beschikbaar',
  notice: {
    heading: (date) => `Bij dit bericht gevoegd${date === undefined ? '' : ` tot ${date}`}:`,
    kept: (organisation, { one, date }) =>
      `${organisation} bewaart ${one ? 'dit bestand' : 'deze bestanden'} voor u${date === undefined ? '' : ` tot ${date}`}:`,
    all: 'Alle bestanden:',
    questions: 'Vragen:',
    fileName: 'Bijlagen',
    kinds: {
      archive: 'archief',
      audio: 'audio',
      document: 'document',
      file: 'bestand',
      image: 'afbeelding',
      pdf: 'PDF',
      presentation: 'presentatie',
      spreadsheet: 'spreadsheet',
      text: 'tekst',
      video: 'video',
    },
  },
  page: {
    heading: 'Er is u een bestand gestuurd',
    headingOfMany: (files) => `Er zijn u ${files} bestanden gestuurd`,
    download: 'Downloaden',
    downloadAll: 'Alles downloaden (ZIP)',
    hint: 'Het was bij een bericht gevoegd en wordt hier bewaard, zodat het uw mailbox niet vult.',
    hintOfMany: 'Ze waren bij een bericht gevoegd en worden hier bewaard, zodat ze uw mailbox niet vullen.',
    keeper: (organisation) => `Voor u bewaard door ${organisation}`,
    sender: 'Van, zoals vermeld in het bericht',
    subject: 'Onderwerp',
    sent: 'Verzonden',
    checksum: 'Controlegetal (SHA-256)',
    questions: 'Vragen:',
    isExpired: 'niet meer bewaard',
    isGone: 'ontbreekt',
    isUnchecked: 'niet gecontroleerd',
    withdrawn: (files) => (files === 1 ? 'Eén bestand is ingetrokken' : `${files} bestanden zijn ingetrokken`),
    unknown: {
      title: 'Hier is geen bestand',
      text: 'Controleer of het adres volledig is: mailprogramma’s breken een link soms in tweeën.',
    },
    expired: {
      title: 'Dit bestand wordt niet meer bewaard',
      text: 'De termijn om het te downloaden is voorbij. Vraag de afzender om een nieuw bericht.',
    },
    revoked: {
      title: 'Dit bestand is ingetrokken',
      text: 'Het kan niet meer worden gedownload. De afzender van het bericht kan u meer vertellen.',
    },
    gone: {
      title: 'Dit bestand ontbreekt',
      text: 'De link klopt, maar het bestand is niet op zijn plaats. Meld het aan uw postmaster.',
    },
    allExpired: {
      title: 'Deze bestanden worden niet meer bewaard',
      text: 'De termijn om ze te downloaden is voorbij. Vraag de afzender om een nieuw bericht.',
    },
    allRevoked: {
      title: 'Deze bestanden zijn ingetrokken',
      text: 'Ze kunnen niet meer worden gedownload. De afzender van het bericht kan u meer vertellen.',
    },
    allGone: {
      title: 'Deze bestanden ontbreken',
      text: 'De link klopt, maar de bestanden staan niet op hun plaats. Meld het aan uw postmaster.',
    },
    unavailable: {
      title: 'Een ogenblik alstublieft',
      text: 'Het bestand is nu niet bereikbaar. Er is niets verloren: probeer het over een minuut opnieuw.',
    },
    method: {
      title: 'Dit is hier niet mogelijk',
      text: 'Bestanden kunnen worden bekeken en gedownload, verder niets.',
    },
  },
};
