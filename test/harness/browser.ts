import { type Browser, chromium } from 'playwright-core';

/** In milliseconds: a wait that comes to nothing ends some time. How fast the machine is must not matter. */
const patience = 180_000;

/**
 * Starts Debian's Chromium, without a window and with nothing of its own on the network. All its pages wait as long as a
 * busy machine needs.
 * @param options.args more arguments
 */
export async function startBrowser({ args = [] }: { readonly args?: readonly string[] } = {}): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-sync',
      ...args,
    ],
    timeout: patience,
  });
  const create = browser.newContext.bind(browser);
  // `newPage` comes this way too.
  browser.newContext = async (look) => {
    const context = await create(look);
    context.setDefaultTimeout(patience);
    return context;
  };
  return browser;
}
