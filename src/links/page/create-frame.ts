import type { Config } from '../../config/config.ts';
import { loadLogo } from './branding.ts';
import { PageFrame } from './page.ts';
import { loadPageTemplate, type PageKey, type PageTemplate } from './page-template.ts';

export type FrameOptions = Pick<Config['links'], 'language' | 'logo' | 'colour'> &
  Partial<Pick<Config['links'], 'organisation' | 'contact'>> & {
    readonly templates?: Partial<Pick<Config['links']['templates'], PageKey>>;
  };

/**
 * What pages look like, with all files of the operator's read.
 * @throws TemplateError with the key of the configuration, for a file that cannot be read or used
 */
export function createFrame({ organisation, contact, logo, colour, language, templates }: FrameOptions): PageFrame {
  const load = (key: PageKey): PageTemplate | undefined => {
    const path = templates?.[key];
    return path === undefined ? undefined : loadPageTemplate(key, path);
  };
  return new PageFrame(
    { organisation, contact, colour, logo: logo === undefined ? undefined : loadLogo(logo) },
    { language, filePage: load('filePage'), messagePage: load('messagePage') },
  );
}
