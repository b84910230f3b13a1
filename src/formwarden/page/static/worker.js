/* formwarden: looks for the number whose SHA-256 behind the salt is the given one (ALTCHA's first scheme). */
"use strict";
// Written out, for crypto.subtle is missing on pages without TLS, and slower for hashes as short as these.
const primes = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
const part = (root) => (root % 1) * 2 ** 32 | 0;
const K = Int32Array.from(primes, (p) => part(Math.cbrt(p)));
const H = Int32Array.from(primes.slice(0, 8), (p) => part(Math.sqrt(p)));
const W = new Int32Array(64);

let first; // word of the hash; the others are asked for when it fits

function hash(text) {
  // one block: a salt and a number have fewer than 56 characters
  const { length } = text;
  W.fill(0, 0, 16);
  for (let i = 0; i < length; i++) W[i >> 2] |= text.charCodeAt(i) << (24 - (i & 3) * 8);
  W[length >> 2] |= 128 << (24 - (length & 3) * 8);
  W[15] = length * 8;
  let [a, b, c, d, e, f, g, h] = H;
  for (let i = 0; i < 64; i++) {
    if (i > 15) {
      const x = W[i - 15];
      const y = W[i - 2];
      W[i] =
        W[i - 16] + W[i - 7] +
        ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) +
        ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10);
    }
    const t = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + K[i] + W[i] | 0;
    const u = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
    h = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0;
  }
  if ((a + H[0] | 0) !== first) return "";
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + H[i] >>> 0).toString(16).padStart(8, "0")).join("");
}

onmessage = ({ data: [salt, most, wanted] }) => {
  first = parseInt(wanted.slice(0, 8), 16) | 0;
  for (let n = 0; n <= most; n++) if (hash(salt + n) === wanted) return postMessage(n);
};
