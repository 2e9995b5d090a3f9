import type { Words } from './words.ts';

export const es: Words = {
  tag: 'es',
  direction: 'ltr',
  units: ['bytes', 'kB', 'MB', 'GB', 'TB'],
  comma: ',',
  date: ({ day, month, year }) => `${day} de ${month} de ${year}`,
  months: 'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre',
  until: (date) => `disponible hasta el ${date}`,
  forever: 'disponible sin límite de tiempo',
  notice: {
    heading: (date) => `Adjunto a este mensaje${date === undefined ? '' : ` hasta el ${date}`}:`,
    kept: (organisation, { one, date }) =>
      `${organisation} le guarda ${one ? 'este archivo' : 'estos archivos'}${date === undefined ? '' : ` hasta el ${date}`}:`,
    all: 'Todos los archivos:',
    questions: 'Preguntas:',
    fileName: 'Adjuntos',
    kinds: {
      archive: 'archivo comprimido',
      audio: 'audio',
      document: 'documento',
      file: 'archivo',
      image: 'imagen',
      pdf: 'PDF',
      presentation: 'presentación',
      spreadsheet: 'hoja de cálculo',
      text: 'texto',
      video: 'vídeo',
    },
  },
  page: {
    heading: 'Le han enviado un archivo',
    headingOfMany: (files) => `Le han enviado ${files} archivos`,
    download: 'Descargar',
    downloadAll: 'Descargar todo (ZIP)',
    hint: 'Iba adjunto a un mensaje y se conserva aquí para que no llene su buzón.',
    hintOfMany: 'Iban adjuntos a un mensaje y se conservan aquí para que no llenen su buzón.',
    keeper: (organisation) => `Conservado para usted por ${organisation}`,
    sender: 'De, según consta en el mensaje',
    subject: 'Asunto',
    sent: 'Enviado',
    checksum: 'Suma de comprobación (SHA-256)',
    questions: 'Preguntas:',
    isExpired: 'ya no se conserva',
    isGone: 'falta',
    isUnchecked: 'sin comprobar',
    withdrawn: (files) => (files === 1 ? 'Se ha retirado un archivo' : `Se han retirado ${files} archivos`),
    unknown: {
      title: 'Aquí no hay ningún archivo',
      text: 'Compruebe que la dirección está completa: a veces los programas de correo parten un enlace en dos.',
    },
    expired: {
      title: 'Este archivo ya no se conserva',
      text: 'El plazo para descargarlo ha terminado. Pida al remitente un mensaje nuevo.',
    },
    revoked: {
      title: 'Este archivo ha sido retirado',
      text: 'Ya no se puede descargar. El remitente del mensaje puede darle más información.',
    },
    gone: {
      title: 'Falta este archivo',
      text: 'El enlace es correcto, pero el archivo no está en su sitio. Avise a su administrador de correo.',
    },
    allExpired: {
      title: 'Estos archivos ya no se conservan',
      text: 'El plazo para descargarlos ha terminado. Pida al remitente un mensaje nuevo.',
    },
    allRevoked: {
      title: 'Estos archivos han sido retirados',
      text: 'Ya no se pueden descargar. El remitente del mensaje puede darle más información.',
    },
    allGone: {
      title: 'Faltan estos archivos',
      text: 'El enlace es correcto, pero los archivos no están en su sitio. Avise a su administrador de correo.',
    },
    unavailable: {
      title: 'Un momento, por favor',
      text: 'Ahora no se puede acceder al archivo. No se ha perdido nada: inténtelo de nuevo en un minuto.',
    },
    method: {
      title: 'Aquí no es posible',
      text: 'Los archivos se pueden consultar y descargar, nada más.',
    },
  },
};
