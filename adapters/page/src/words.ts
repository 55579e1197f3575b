/** Names of ours as people read them. */

/** `certificate_operations` as `Certificate operations`. */
export function title(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const ACRONYMS = new Map([
  ["ca", "CA"],
  ["crl", "CRL"],
  ["ocsp", "OCSP"],
  ["hsm", "HSM"],
  ["mfa", "MFA"],
  ["sso", "SSO"],
  ["acme", "ACME"],
  ["caa", "CAA"],
  ["id", "ID"],
  ["ip", "IP"],
  ["dn", "DN"],
  ["sans", "SANs"],
  ["sha256", "SHA-256"],
  ["dns", "DNS"],
  ["csr", "CSR"],
  ["url", "URL"],
]);

/** `ca_connector.created` as `CA connector created`. */
export function phrase(name: string): string {
  const words = name.split(/[._]/).map((word) => ACRONYMS.get(word) ?? word);
  const [first = "", ...others] = words;
  return [first.charAt(0).toUpperCase() + first.slice(1), ...others].join(" ");
}

const numbers = new Intl.NumberFormat("en");

export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${numbers.format(number)} ${number === 1 ? singular : plural}`;
}

const UNITS: readonly [string, number][] = [
  ["GB", 1e9],
  ["MB", 1e6],
  ["kB", 1e3],
];

/** `12.3 MB`. */
export function bytesOf(bytes: number): string {
  for (const [unit, size] of UNITS) if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  return count(bytes, "byte");
}
