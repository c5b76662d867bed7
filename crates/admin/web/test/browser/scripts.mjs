// Pages in a browser that runs no scripts.

/** Switches the scripts of `page` off; what is returned runs something with them on, such as the look of axe. */
export async function withoutScripts(page) {
  const session = await page.context().newCDPSession(page);
  const disable = (value) => session.send('Emulation.setScriptExecutionDisabled', { value });
  await disable(true);
  return async (look) => {
    await disable(false);
    await look();
    await disable(true);
  };
}
