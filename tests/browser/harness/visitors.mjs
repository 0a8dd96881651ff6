// Who visits: the device, the language and the time zone. `name` goes into test names and screenshots;
// the rest are Playwright's options of a browser context.

const phone = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

export const phoneZh = {
  name: 'phone-zh',
  options: { ...phone, locale: 'zh-CN', timezoneId: 'Asia/Shanghai' },
};

export const phoneEn = {
  name: 'phone-en',
  options: { ...phone, locale: 'en-GB', timezoneId: 'Europe/London' },
};

export const desktop = {
  name: 'desktop',
  options: {
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Asia/Shanghai',
  },
};

/** The same visitor with the narrowest phone that matters. */
export function narrow(visitor) {
  return {
    name: `${visitor.name}-360`,
    options: { ...visitor.options, viewport: { width: 360, height: 740 } },
  };
}

const ZONES = ['Pacific/Auckland', 'Asia/Shanghai', 'Asia/Dubai', 'Europe/London', 'America/New_York', 'Pacific/Honolulu'];

/** The same visitor where it is about noon now. */
export function byDay(visitor) {
  const hour = (timeZone) => Number(new Intl.DateTimeFormat('en', { timeZone, hour: 'numeric', hourCycle: 'h23' }).format());
  const fromNoon = (zone) => Math.abs(hour(zone) - 13);
  const timezoneId = [...ZONES].sort((a, b) => fromNoon(a) - fromNoon(b))[0];
  return { ...visitor, options: { ...visitor.options, timezoneId } };
}

/** The same visitor with a dark screen. */
export function inTheDark(visitor) {
  return {
    name: `${visitor.name}-dark`,
    options: { ...visitor.options, colorScheme: 'dark' },
  };
}

/** The same visitor with scripts switched off, as in some in-app browsers. */
export function withoutScript(visitor) {
  return {
    name: `${visitor.name}-no-script`,
    options: { ...visitor.options, javaScriptEnabled: false },
  };
}
