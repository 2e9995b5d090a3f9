import type { Language } from '../notice/language.ts';

/** A page that has nothing to download: a heading and what to do about it. */
interface Message {
  readonly title: string;
  readonly text: string;
}

export type MessageName = 'unknown' | 'expired' | 'revoked' | 'gone' | 'unavailable' | 'method';

interface PageWords extends Readonly<Record<MessageName, Message>> {
  readonly heading: string;
  readonly download: string;
  readonly hint: string;
}

export const pageWords: Readonly<Record<Language, PageWords>> = {
  en: {
    heading: 'A file was sent to you',
    download: 'Download',
    hint: 'It was attached to a message and is kept here, so that it does not fill your mailbox.',
    unknown: {
      title: 'There is no file here',
      text: 'Please check that the address is complete: mail programs sometimes break a link in two.',
    },
    expired: {
      title: 'This file is no longer kept',
      text: 'The time for downloading it is over. Please ask the sender for a new message.',
    },
    revoked: {
      title: 'This file was withdrawn',
      text: 'It can no longer be downloaded. The sender of the message can tell you more.',
    },
    gone: {
      title: 'This file is missing',
      text: 'The link is right, but the file is not in its place. Please tell your postmaster.',
    },
    unavailable: {
      title: 'Just a moment, please',
      text: 'The file cannot be reached now. Nothing is lost: please try again in a minute.',
    },
    method: { title: 'This is not possible here', text: 'Files can be looked at and downloaded, nothing else.' },
  },
  fr: {
    heading: 'Un fichier vous a été envoyé',
    download: 'Télécharger',
    hint: 'Il était joint à un message et il est conservé ici, pour ne pas encombrer votre boîte aux lettres.',
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
