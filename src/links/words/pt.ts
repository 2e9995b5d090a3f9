import type { Words } from './words.ts';

export const pt: Words = {
  tag: 'pt',
  direction: 'ltr',
  units: ['bytes', 'kB', 'MB', 'GB', 'TB'],
  comma: ',',
  date: ({ day, month, year }) => `${day} de ${month} de ${year}`,
  months: 'janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro',
  until: (date) => `disponível até ${date}`,
  forever: 'disponível sem limite de tempo',
  notice: {
    heading: (date) => `Anexo a esta mensagem${date === undefined ? '' : ` até ${date}`}:`,
    kept: (organisation, { one, date }) =>
      `${organisation} guarda ${one ? 'este ficheiro' : 'estes ficheiros'} para si${date === undefined ? '' : ` até ${date}`}:`,
    all: 'Todos os ficheiros:',
    questions: 'Perguntas:',
    fileName: 'Anexos',
    kinds: {
      archive: 'arquivo',
      audio: 'áudio',
      document: 'documento',
      file: 'ficheiro',
      image: 'imagem',
      pdf: 'PDF',
      presentation: 'apresentação',
      spreadsheet: 'folha de cálculo',
      text: 'texto',
      video: 'vídeo',
    },
  },
  page: {
    heading: 'Foi-lhe enviado um ficheiro',
    headingOfMany: (files) => `Foram-lhe enviados ${files} ficheiros`,
    download: 'Descarregar',
    downloadAll: 'Descarregar tudo (ZIP)',
    hint: 'Estava anexo a uma mensagem e é guardado aqui, para não encher a sua caixa de correio.',
    hintOfMany: 'Estavam anexos a uma mensagem e são guardados aqui, para não encherem a sua caixa de correio.',
    keeper: (organisation) => `Guardado para si por ${organisation}`,
    sender: 'De, conforme indicado na mensagem',
    subject: 'Assunto',
    sent: 'Enviado',
    checksum: 'Soma de verificação (SHA-256)',
    questions: 'Perguntas:',
    isExpired: 'já não é guardado',
    isGone: 'em falta',
    isUnchecked: 'não verificado',
    withdrawn: (files) => (files === 1 ? 'Um ficheiro foi retirado' : `${files} ficheiros foram retirados`),
    unknown: {
      title: 'Aqui não há nenhum ficheiro',
      text: 'Verifique se o endereço está completo: por vezes os programas de correio partem uma ligação em duas.',
    },
    expired: {
      title: 'Este ficheiro já não é guardado',
      text: 'O prazo para o descarregar terminou. Peça uma nova mensagem ao remetente.',
    },
    revoked: {
      title: 'Este ficheiro foi retirado',
      text: 'Já não pode ser descarregado. O remetente da mensagem pode dar-lhe mais informações.',
    },
    gone: {
      title: 'Este ficheiro está em falta',
      text: 'A ligação está certa, mas o ficheiro não está no seu lugar. Avise o administrador do correio.',
    },
    allExpired: {
      title: 'Estes ficheiros já não são guardados',
      text: 'O prazo para os descarregar terminou. Peça ao remetente uma nova mensagem.',
    },
    allRevoked: {
      title: 'Estes ficheiros foram retirados',
      text: 'Já não podem ser descarregados. O remetente da mensagem pode dar-lhe mais informações.',
    },
    allGone: {
      title: 'Faltam estes ficheiros',
      text: 'O link está correto, mas os ficheiros não estão no seu lugar. Avise o seu administrador de correio.',
    },
    unavailable: {
      title: 'Um momento, por favor',
      text: 'Neste momento não é possível aceder ao ficheiro. Nada se perdeu: tente de novo dentro de um minuto.',
    },
    method: {
      title: 'Isto não é possível aqui',
      text: 'Os ficheiros podem ser consultados e descarregados, nada mais.',
    },
  },
};
