import type { Words } from './words.ts';

export const en: Words = {
  tag: 'en',
  direction: 'ltr',
  units: ['bytes', 'kB', 'MB', 'GB', 'TB'],
  comma: '.',
  date: ({ day, month, year }) => `${day} ${month} ${year}`,
  months: 'January February March April May June July August September October November December',
  until: (date) => `available until ${date}`,
  forever: 'available without time limit',
  notice: {
    heading: (date) => `Attached to this message${date === undefined ? '' : ` until ${date}`}:`,
    kept: (organisation, { one, date }) =>
      `${organisation} keeps ${one ? 'this file' : 'these files'} for you${date === undefined ? '' : ` until ${date}`}:`,
    all: 'All files:',
    questions: 'Questions:',
    fileName: 'Attachments',
    kinds: {
      archive: 'archive',
      audio: 'audio',
      document: 'document',
      file: 'file',
      image: 'image',
      pdf: 'PDF',
      presentation: 'presentation',
      spreadsheet: 'spreadsheet',
      text: 'text',
      video: 'video',
    },
  },
  page: {
    heading: 'A file was sent to you',
    headingOfMany: (files) => `${files} files were sent to you`,
    download: 'Download',
    downloadAll: 'Download all as ZIP',
    hint: 'It was attached to a message and is kept here, so that it does not fill your mailbox.',
    hintOfMany: 'They were attached to a message and are kept here, so that they do not fill your mailbox.',
    keeper: (organisation) => `Kept for you by ${organisation}`,
    sender: 'From, as stated in the mail',
    subject: 'Subject',
    sent: 'Sent',
    checksum: 'Checksum (SHA-256)',
    questions: 'Questions:',
    isExpired: 'no longer kept',
    isGone: 'missing',
    isUnchecked: 'not checked',
    withdrawn: (files) => `${files} ${files === 1 ? 'file was' : 'files were'} withdrawn`,
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
    allExpired: {
      title: 'These files are no longer kept',
      text: 'The time for downloading them is over. Please ask the sender for a new message.',
    },
    allRevoked: {
      title: 'These files were withdrawn',
      text: 'They can no longer be downloaded. The sender of the message can tell you more.',
    },
    allGone: {
      title: 'These files are missing',
      text: 'The link is right, but the files are not in their place. Please tell your postmaster.',
    },
    unavailable: {
      title: 'Just a moment, please',
      text: 'The file cannot be reached now. Nothing is lost: please try again in a minute.',
    },
    method: { title: 'This is not possible here', text: 'Files can be looked at and downloaded, nothing else.' },
  },
};
