/** The address that stands in the mail. With a base of at most 77 characters it has at most 100. */
export const linkUrl = (baseUrl: string, token: string): string => `${baseUrl.replace(/\/+$/, '')}/${token}`;
