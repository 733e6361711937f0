#ifndef SIMILAR_MINHASH_H
#define SIMILAR_MINHASH_H

#include <stddef.h>

/*
 * MinHash of a text's runs of three words: of two texts as many of the 64 bytes are equal as they have runs
 * in common, out of all that either has. Case, punctuation, white space and words with a digit in them
 * (amounts, dates, tracking numbers) make no difference.
 *
 * Digests are kept and compared for months: what is written here must not change its answers.
 */
#define MINHASH_TEXT (2 * 64 + 1)

/* Hex digits into digest; 0 = ok, -1: too few different words to say anything. Reads 256 KB at most. */
int minhash(const char *text, size_t len, char digest[MINHASH_TEXT]);

#endif
