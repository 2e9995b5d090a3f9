import type { Words } from './words.ts';

export const fr: Words = {
  tag: 'fr',
  direction: 'ltr',
  units: ['octets', 'ko', 'Mo', 'Go', 'To'],
  comma: ',',
  date: ({ day, month, year }) => `${day === 1 ? '1er' : day} ${month} ${year}`,
  months: 'janvier février mars avril mai juin juillet août septembre octobre novembre décembre',
  until: (date) => `disponible jusqu'au ${date}`,
  forever: 'disponible sans limite de durée',
  notice: {
    heading: (date) => `Joint à ce message${date === undefined ? '' : ` jusqu'au ${date}`} :`,
    kept: (organisation, { one, date }) =>
      `${organisation} conserve ${one ? 'ce fichier' : 'ces fichiers'} pour vous${date === undefined ? '' : ` jusqu'au ${date}`} :`,
    all: 'Tous les fichiers :',
    questions: 'Questions :',
    fileName: 'Fichiers-joints',
    kinds: {
      archive: 'archive',
      audio: 'audio',
      document: 'document',
      file: 'fichier',
      image: 'image',
      pdf: 'PDF',
      presentation: 'présentation',
      spreadsheet: 'tableur',
      text: 'texte',
      video: 'vidéo',
    },
  },
  page: {
    heading: 'Un fichier vous a été envoyé',
    headingOfMany: (files) => `${files} fichiers vous ont été envoyés`,
    download: 'Télécharger',
    downloadAll: 'Tout télécharger (ZIP)',
    hint: 'Il était joint à un message et il est conservé ici, pour ne pas encombrer votre boîte aux lettres.',
    hintOfMany:
      'Ils étaient joints à un message et ils sont conservés ici, pour ne pas encombrer votre boîte aux lettres.',
    keeper: (organisation) => `Conservé pour vous par ${organisation}`,
    sender: 'De, selon le message',
    subject: 'Objet',
    sent: 'Envoyé le',
    checksum: 'Empreinte (SHA-256)',
    questions: 'Questions :',
    isExpired: 'n’est plus conservé',
    isGone: 'introuvable',
    isUnchecked: 'non vérifié',
    withdrawn: (files) => (files === 1 ? 'Un fichier a été retiré' : `${files} fichiers ont été retirés`),
    unknown: {
      title: 'Il n’y a pas de fichier ici',
      text: 'Vérifiez que l’adresse est complète : il arrive qu’un lien soit coupé en deux par la messagerie.',
    },
    expired: {
      title: 'Ce fichier n’est plus conservé',
      text: 'Le délai de téléchargement est passé. Demandez à l’expéditeur un nouveau message.',
    },
    revoked: {
      title: 'Ce fichier a été retiré',
      text: 'Il ne peut plus être téléchargé. L’expéditeur du message peut vous en dire plus.',
    },
    gone: {
      title: 'Ce fichier est introuvable',
      text: 'Le lien est bon, mais le fichier n’est pas à sa place. Signalez-le à votre postmaster.',
    },
    allExpired: {
      title: 'Ces fichiers ne sont plus conservés',
      text: 'Le délai de téléchargement est passé. Demandez à l’expéditeur un nouveau message.',
    },
    allRevoked: {
      title: 'Ces fichiers ont été retirés',
      text: 'Ils ne peuvent plus être téléchargés. L’expéditeur du message peut vous en dire plus.',
    },
    allGone: {
      title: 'Ces fichiers sont introuvables',
      text: 'Le lien est bon, mais les fichiers ne sont pas à leur place. Signalez-le à votre postmaster.',
    },
    unavailable: {
      title: 'Un instant, s’il vous plaît',
      text: 'Le fichier est momentanément inaccessible. Rien n’est perdu : réessayez dans une minute.',
    },
    method: {
      title: 'Ce n’est pas possible ici',
      text: 'On peut consulter et télécharger les fichiers, rien d’autre.',
    },
  },
};
