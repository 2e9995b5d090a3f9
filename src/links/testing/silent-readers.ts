import type { ReaderMeter } from '../../observe/interface.ts';

const ignore = (): void => undefined;

export const silentReaders: ReaderMeter = {
  fileCorrupt: ignore,
  readerBusy: ignore,
  page: ignore,
  download: ignore,
  linkRefused: ignore,
};
