/** How a key is called where nobody has given it a name. */

/** As many digits as nobody can make a second key for (80 bits), in groups that can be read out. */
const DIGITS = 20

/** `3f2a9 01c4b 77e0d 5a6f1` of 64 hexadecimal digits. */
export const spokenKeyid = (keyid: string): string =>
  keyid.slice(0, DIGITS).replaceAll(/.{5}(?=.)/g, '$& ')
